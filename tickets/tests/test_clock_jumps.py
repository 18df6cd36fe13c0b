"""The job of the clock while time passes steadily, and when it jumps."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from notifications.models import Notification
from tickets import tasks
from tickets.automation import clockwork
from tickets.models import ClockHand, Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .clocked import MONDAY, at, steps

pytestmark = pytest.mark.django_db


def hours(count):
    return timedelta(hours=count)


def tick(moment):
    with at(moment):
        return clockwork.tick()


def each_minute(since, minutes):
    """How many tickets the job saw to."""
    return sum(tick(since + timedelta(minutes=n)) for n in range(minutes))


@pytest.mark.plan("SEC-F8")
def test_the_job_acts_while_time_passes_steadily(on_monday):
    ticket = on_monday()

    assert each_minute(MONDAY + hours(3.5), 40) == 1

    line = ticket.events.get(actor=None)
    assert (line.data["rule"], line.at) == ("answer_missed", MONDAY + hours(4))


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize("jump", [-24, -1, 1, 24])
def test_a_clock_that_jumps_for_a_while_expires_nothing_and_mails_nobody(on_monday, jump):
    """SEC-F8: ± 1 h, ± 1 day."""
    tickets = [on_monday(status) for status in (Status.OPEN, Status.WAITING, Status.RESOLVED)]
    with at(days=4, hours=12):
        for ticket in tickets:  # the next step of each is half a day away
            due_at = timezone.now() + timedelta(hours=0.75, days=2 * (ticket.status != Status.OPEN))
            Ticket.objects.filter(pk=ticket.pk).update(due_at=due_at, clocked_until=MONDAY)
    now = MONDAY + timedelta(days=4, hours=12)
    tick(now)
    Ticket.objects.update(wakes_at=now + hours(0.75))
    owed = Notification.objects.count()

    assert each_minute(now + hours(jump), 30) == 0
    assert each_minute(now + timedelta(minutes=31), 60) == 0

    assert [steps(ticket) for ticket in tickets] == [[], [], []]
    assert Notification.objects.count() == owed
    assert each_minute(now + timedelta(minutes=91), 5) == 3


@pytest.mark.plan("SEC-F8")
def test_a_clock_that_stays_wrong_is_believed_and_set_right_again(on_monday):
    """What was done too early is looked at again in its time."""
    ticket = on_monday()
    tick(MONDAY)

    assert each_minute(MONDAY + timedelta(days=1), 62) == 1
    each_minute(MONDAY + hours(2), 62)
    assert steps(ticket) == ["answer_missed"]
    assert each_minute(MONDAY + hours(3.1), 60) == 1

    assert steps(ticket) == ["answer_missed", "answer_missed"]


@pytest.mark.plan("SEC-F8")
def test_after_a_night_without_a_worker_what_was_written_meanwhile_comes_in_first(on_monday):
    ticket = on_monday()
    tick(MONDAY)

    morning = MONDAY + hours(18)
    assert [tick(morning), tick(morning + timedelta(minutes=10))] == [0, 0]
    assert each_minute(morning + timedelta(minutes=20), 40) == 0
    assert tick(morning + timedelta(minutes=60)) == 1

    assert steps(ticket) == ["answer_missed"]


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize(
    "change",
    [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)],
    ids=["spring", "autumn"],
)
def test_summer_time_moves_no_step_and_is_no_jump(alice, kettles, settings, change):
    settings.TIME_ZONE = "Europe/Lisbon"
    with at(change - hours(1)):
        ticket = make_ticket(requester=alice, category=kettles)

    assert each_minute(change - timedelta(minutes=5), 65) == 0
    assert tick(change + hours(1)) == 1

    assert steps(ticket) == ["unassigned"]


def test_the_worker_does_it_each_minute(on_monday, settings):
    """D0-12"""
    ticket = on_monday()
    job = settings.CELERY_BEAT_SCHEDULE["run-the-clock"]
    assert (job["task"], job["schedule"]) == (tasks.run_the_clock.name, 60)

    with at(hours=4):
        tasks.run_the_clock()

    assert steps(ticket) == ["answer_missed"]


def test_two_hosts_that_differ_by_seconds_are_no_jump(on_monday):
    on_monday()
    hand = MONDAY + hours(4)
    tick(hand)

    tick(hand - timedelta(seconds=50))

    assert ClockHand.objects.get().steady_since == hand - clockwork.SETTLING

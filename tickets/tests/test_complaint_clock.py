"""The legal clock: warned before each day the law sets, and told when one is over."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from notifications.mail import outbox
from notifications.models import Notification
from tickets import actions
from tickets.automation import clockwork
from tickets.models import Stage, Ticket
from tickets.promise.promises import promise_of
from tickets.regulated import complaints
from tickets.relations import merging
from tickets.workflow import Status, TicketRefusal, TransitionRefused

from .clocked import HELD
from .factories import make_category, make_ticket
from .graded import MONDAY, WORDS

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
# Of the acknowledgement, then of the final response: 3 and 20 working days.
WARNED, OVER = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)
WARNED_AGAIN = datetime(2026, 12, 11, tzinfo=UTC)  # a Friday, as the day before is a Sunday
OVER_AGAIN = datetime(2026, 12, 14, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_else_is_promised(settings):
    settings.FIRST_ANSWER_HOURS = 24 * 365


def run(moment):
    with time_machine.travel(moment, tick=False):
        return clockwork.run()


def by_law(ticket):
    lines = ticket.events.filter(data__rule__startswith="legal_").order_by("number")
    return [(line.kind, line.data["rule"], line.audience) for line in lines]


RISK = ("warned", "legal_at_risk", "staff")
MISS = ("breached", "legal_missed", "staff")


@pytest.mark.parametrize(
    ("moment", "before", "after"),
    [
        pytest.param(WARNED, [], [RISK], id="warned"),
        pytest.param(OVER, [RISK], [RISK, MISS], id="over"),
        pytest.param(WARNED_AGAIN, [RISK, MISS], [RISK, MISS, RISK], id="warned again"),
        pytest.param(OVER_AGAIN, [RISK, MISS, RISK], [RISK, MISS, RISK, MISS], id="over for good"),
    ],
)
def test_each_day_in_its_time_and_once(graded, moment, before, after):
    """D4-7: nobody acknowledges, and the day of the final response is watched all the same."""
    for earlier in (WARNED, OVER, WARNED_AGAIN):
        if earlier < moment:
            run(earlier)
    run(moment - SECOND)
    assert by_law(graded) == before

    run(moment)
    run(moment + timedelta(days=30))

    assert by_law(graded)[: len(after)] == after
    assert len(by_law(graded)) == 4 if moment >= OVER_AGAIN else len(by_law(graded)) >= len(after)


def test_late_nobody_is_warned_of_what_is_over(graded):
    run(OVER_AGAIN + timedelta(days=1))

    assert by_law(graded) == [MISS, MISS]


def acknowledge(ticket, by):
    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False):
        complaints.advance(ticket, Stage.ACKNOWLEDGED, by=by)


def test_acknowledged_in_time_only_the_response_is_watched(graded, bob):
    acknowledge(graded, bob)

    run(OVER)
    assert by_law(graded) == []
    run(OVER_AGAIN)
    assert by_law(graded) == [MISS]


@pytest.mark.parametrize("status", [Status.WAITING, Status.HOLD])
def test_the_law_does_not_wait(graded, bob, status):
    with time_machine.travel(MONDAY, tick=False):
        words = HELD if status == Status.HOLD else {}
        actions.change_status(graded, status, by=bob, **words)

    run(WARNED)

    assert RISK in by_law(graded)


def test_silence_resolves_what_was_answered_and_nothing_else(graded, bob, codes, settings):
    """D0-12: a regulated complaint is answered, whoever is silent."""
    with time_machine.travel(MONDAY, tick=False):
        actions.change_status(graded, Status.WAITING, by=bob)
        assert promise_of(graded).by == "you give it"
    run(MONDAY + timedelta(days=settings.WAITING_DAYS + 1))
    graded.refresh_from_db()
    assert graded.status == Status.WAITING
    assert not graded.events.filter(kind="reminded").exists()

    with time_machine.travel(MONDAY + timedelta(days=10), tick=False):
        complaints.respond(graded, by=bob, text=WORDS, **codes)
    run(MONDAY + timedelta(days=10 + settings.WAITING_DAYS - settings.REMIND_DAYS_BEFORE))
    run(MONDAY + timedelta(days=10 + settings.WAITING_DAYS))

    graded.refresh_from_db()
    assert graded.status == Status.RESOLVED


@pytest.mark.parametrize("end", ["responded", "closed", "withdrawn"])
def test_once_it_is_answered_or_over_the_clock_stops(graded, alice, bob, codes, end):
    with time_machine.travel(MONDAY, tick=False):
        if end == "responded":
            complaints.respond(graded, by=bob, text=WORDS, **codes)
        else:
            actions.change_status(graded, Status(end), by=alice)

    run(OVER_AGAIN)

    assert by_law(graded) == []


def test_nor_does_the_clock_close_what_is_unanswered(graded):
    with pytest.raises(TransitionRefused, match="final response first"):
        actions.change_status(graded, Status.CLOSED, by=None, rule="closing")


def mailed(person, mailoutbox):
    return [mail.body for mail in mailoutbox if mail.to == [person.email]]


def test_the_agent_is_warned_and_of_a_missed_day_administrators_hear(graded, bob, ada, mailoutbox):
    Notification.objects.all().delete()
    run(WARNED)
    outbox.drain()
    (warning,) = mailed(bob, mailoutbox)
    assert "the next day the law sets for it is near" in warning
    assert mailed(ada, mailoutbox) == []

    run(OVER)
    outbox.drain()

    assert "a day the law sets for it is over" in mailed(bob, mailoutbox)[1]
    assert "a day the law sets for it is over" in mailed(ada, mailoutbox)[0]


def test_a_warning_that_is_no_longer_true_is_not_mailed(graded, bob, codes, mailoutbox):
    Notification.objects.all().delete()
    run(WARNED)
    complaints.respond(graded, by=bob, text=WORDS, **codes)

    outbox.drain()

    assert mailed(bob, mailoutbox) == []


def test_a_complaint_that_waits_for_its_answer_is_not_merged_away(graded, alice, bob, ada):
    """D4-7: nobody would be reminded of the days of the law; the other way round they count on."""
    twin = make_ticket(alice, assignee=bob, category=make_category("Spare parts"), by=ada)

    with pytest.raises(TicketRefusal, match="is a regulated complaint"):
        merging.merge(graded, into=twin, by=bob)
    merging.merge(twin, into=graded, by=bob)

    assert Ticket.objects.get(pk=graded.pk).legal_due_at

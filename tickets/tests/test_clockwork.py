"""What happens to tickets by itself: each step in its time, once, whatever happens to others."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions, history, tasks
from tickets.automation import clockwork
from tickets.automation.timing import MOMENTS
from tickets.models import ClockHand, Ticket, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status, TicketRefusal

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
RESOLVED = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
HELD = {"text": "Waits for a part.", "until": MONDAY.date()}
MOVES = {Status.WAITING: {}, Status.HOLD: HELD, Status.RESOLVED: RESOLVED}
SECOND = timedelta(seconds=1)


def at(moment=MONDAY, **span):
    return time_machine.travel(moment + timedelta(**span), tick=False)


def run(**span):
    with at(**span):
        return clockwork.run()


def steps(ticket):
    """The rules by which time acted on ``ticket``, in the order of the lines."""
    return [line.data["rule"] for line in ticket.events.filter(actor=None).order_by("number")]


def status_of(ticket):
    return Ticket.objects.values_list("status", flat=True).get(pk=ticket.pk)


@pytest.fixture
def on_monday(alice, bob, ada, kettles):
    """Alice's ticket, raised on Monday at noon and moved to a status by Bob at once."""

    def raise_it(status=Status.OPEN, **row):
        with at():
            agent = None if status == Status.NEW else bob
            ticket = make_ticket(requester=alice, assignee=agent, category=kettles, by=ada)
            if status in MOVES:
                actions.change_status(ticket, status, by=bob, **MOVES[status])
            if row:
                Ticket.objects.filter(pk=ticket.pk).update(wakes_at=MONDAY, **row)
        return ticket

    return raise_it


def hours(count):
    return timedelta(hours=count)


# --- In its time ------------------------------------------------------------------------

FIRST_STEPS = [
    ("answer_missed", Status.OPEN, {}, hours(4)),
    ("answer_at_risk", Status.OPEN, {"warn_before": hours(1)}, hours(3)),
    ("solution_at_risk", Status.OPEN,
     {"warn_before": hours(1), "resolve_by": MONDAY + hours(2)}, hours(1)),
    ("solution_missed", Status.OPEN, {"resolve_by": MONDAY + hours(2)}, hours(2)),
    ("unassigned", Status.NEW, {}, hours(2)),
    ("waiting_reminder", Status.WAITING, {}, timedelta(days=5)),
    ("closing_reminder", Status.RESOLVED, {}, timedelta(days=5)),
    ("hold_over", Status.HOLD, {}, timedelta(hours=11, minutes=59)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "status", "row", "after"), FIRST_STEPS, ids=[step[0] for step in FIRST_STEPS]
)
def test_each_step_is_taken_in_its_time_and_once(on_monday, rule, status, row, after):
    """D0-12"""
    ticket = on_monday(status, **row)
    moment = MONDAY + after
    with at(moment - SECOND):
        clockwork.run()
        assert steps(ticket) == []

    with at(moment):
        assert clockwork.run() == 1
        assert clockwork.run() == 0

    assert steps(ticket) == [rule]
    assert list(history.problems(Ticket.objects.all())) == []


def test_there_is_a_test_and_a_step_for_each_moment():
    ends = {"waiting_over", "closing"}
    by_law = {"legal_at_risk", "legal_missed"}  # see test_complaint_clock

    assert {step[0] for step in FIRST_STEPS} | ends | by_law == set(MOMENTS) == set(clockwork.STEPS)


def test_what_is_resolved_and_silent_is_reminded_of_and_closed(on_monday):
    """D0-12: two days before, then after seven."""
    ticket = on_monday(Status.RESOLVED)

    run(days=5)
    assert status_of(ticket) == Status.RESOLVED
    run(days=7, seconds=-1)
    assert status_of(ticket) == Status.RESOLVED
    run(days=7)

    assert steps(ticket) == ["closing_reminder", "closing"]
    ticket.refresh_from_db()
    assert (ticket.status, ticket.closed_at) == (Status.CLOSED, MONDAY + timedelta(days=7))
    assert ticket.resolution_kind == ResolutionKind.REPLACED
    assert (ticket.due_at, ticket.wakes_at) == (None, None)


def test_who_does_not_answer_is_reminded_and_the_ticket_resolved_with_words(on_monday):
    """D0-12"""
    ticket = on_monday(Status.WAITING)

    run(days=5)
    run(days=7)

    assert steps(ticket) == ["waiting_reminder", "waiting_over"]
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution_kind) == (Status.RESOLVED, ResolutionKind.OTHER)
    assert ticket.status_event.text == (
        "We have not heard from you. Open the ticket again if you still need us."
    )


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_word_begins_the_silence_anew(request, on_monday, who):
    """D0-12: resolved and silent, whoever broke the silence."""
    ticket = on_monday(Status.RESOLVED)
    run(days=5)
    with at(days=6):
        ticket.refresh_from_db()
        post_message(ticket, by=request.getfixturevalue(who), body="Thank you!")

    run(days=11, seconds=-1)
    assert steps(ticket) == ["closing_reminder"]
    run(days=11)
    run(days=13, seconds=-1)
    assert (steps(ticket), status_of(ticket)) == (["closing_reminder"] * 2, Status.RESOLVED)
    run(days=13)

    assert status_of(ticket) == Status.CLOSED


def test_another_question_gives_the_customer_as_many_days_again(on_monday, bob):
    ticket = on_monday(Status.WAITING)
    with at(days=4):
        ticket.refresh_from_db()
        post_message(ticket, by=bob, body="Or is it the K3?")

    run(days=9, seconds=-1)
    assert steps(ticket) == []
    run(days=9)

    assert steps(ticket) == ["waiting_reminder"]


def test_who_is_reminded_can_still_open_the_ticket_again(on_monday, settings, alice):
    """D0-6: as long as it is not closed, however long that takes."""
    settings.CLOSE_AFTER_DAYS = 30
    ticket = on_monday(Status.RESOLVED)

    with at(days=29):
        ticket.refresh_from_db()
        actions.change_status(ticket, Status.OPEN, by=alice)

    assert status_of(ticket) == Status.OPEN


def test_an_ended_hold_is_a_new_promise(on_monday):
    ticket = on_monday(Status.HOLD)

    run(hours=12)

    ticket.refresh_from_db()
    assert (ticket.status, ticket.due_at) == (Status.OPEN, MONDAY + hours(16))


@pytest.mark.parametrize("come_back", ["reopened", "released"])
def test_the_alarm_counts_from_when_a_ticket_came_back(on_monday, alice, bob, come_back):
    ticket = on_monday(Status.NEW)
    with at(days=1):
        if come_back == "reopened":
            actions.change_status(ticket, Status.CLOSED, by=alice)
            actions.change_status(ticket, Status.OPEN, by=alice)
        else:
            Ticket.objects.filter(pk=ticket.pk).update(assignee=bob, status=Status.OPEN)
            type(bob).objects.filter(pk=bob.pk).update(standing="suspended")
            ticket.refresh_from_db()
            actions.release(ticket, by=alice)

    run(days=1, hours=2, seconds=-1)
    assert "unassigned" not in steps(ticket)
    run(days=1, hours=2)

    assert steps(ticket)[-1] == "unassigned"


def test_messages_of_who_waits_put_off_no_alarm(on_monday, alice):
    ticket = on_monday(Status.NEW)
    with at(hours=1):
        post_message(ticket, by=alice, body="Is anybody there?")

    run(hours=2)

    assert steps(ticket) == ["unassigned"]


OFF = {
    "WAITING_DAYS": Status.WAITING,
    "CLOSE_AFTER_DAYS": Status.RESOLVED,
    "UNASSIGNED_HOURS": Status.NEW,
}


@pytest.mark.parametrize("setting", sorted(OFF))
def test_a_setting_of_0_switches_the_step_off(on_monday, settings, setting):
    """D0-12"""
    setattr(settings, setting, 0)
    settings.FIRST_ANSWER_HOURS = 24 * 100
    ticket = on_monday(OFF[setting])

    run(days=60)

    assert (status_of(ticket), steps(ticket)) == (OFF[setting], [])


@pytest.mark.parametrize("status", [Status.WAITING, Status.RESOLVED])
def test_without_reminders_it_ends_in_its_time(on_monday, settings, status):
    settings.REMIND_DAYS_BEFORE = 0
    ticket = on_monday(status)

    run(days=7, seconds=-1)
    assert steps(ticket) == []
    run(days=7)

    assert steps(ticket) == ["waiting_over" if status == Status.WAITING else "closing"]


# --- Late, and many at once ---------------------------------------------------------------


@pytest.mark.plan("SEC-F8")
@pytest.mark.parametrize("status", [Status.WAITING, Status.RESOLVED])
def test_nothing_ends_without_its_reminder_however_late(on_monday, status):
    """D0-12: after a month without a worker, too, its reader has two days."""
    ticket = on_monday(status)

    run(days=30)
    run(days=32, seconds=-1)
    assert status_of(ticket) == status
    assert len(steps(ticket)) == 1
    run(days=32)

    assert len(steps(ticket)) == 2
    assert status_of(ticket) != status


def test_nobody_is_warned_of_what_was_missed_already(on_monday):
    ticket = on_monday(warn_before=hours(1), resolve_by=MONDAY + hours(2))

    run(days=30)

    assert steps(ticket) == ["solution_missed", "answer_missed"]


def test_steps_of_one_moment_are_all_taken(on_monday):
    ticket = on_monday(resolve_by=MONDAY + hours(4))

    run(hours=4)

    assert steps(ticket) == ["answer_missed", "solution_missed"]


def test_many_at_once_are_seen_to_in_batches(on_monday, monkeypatch):
    monkeypatch.setattr(clockwork, "BATCH", 2)
    tickets = [on_monday() for _number in range(5)]

    assert run(days=1) == 5

    assert [steps(ticket) for ticket in tickets] == [["answer_missed"]] * 5


def test_the_job_leaves_to_the_next_minute_what_it_has_no_time_for(on_monday, monkeypatch):
    monkeypatch.setattr(clockwork, "BATCH", 2)
    for _number in range(3):
        on_monday()

    with at(days=1):
        assert [clockwork.run(seconds=1e-9), clockwork.run(seconds=1e-9)] == [2, 1]


def test_what_needs_nothing_costs_one_look(on_monday, django_assert_num_queries):
    for _number in range(3):
        on_monday()

    with at(), django_assert_num_queries(3):  # with the savepoint of a test around it
        clockwork.run()


def test_the_look_goes_by_the_index(on_monday):
    on_monday()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

    assert "ticket_wakes" in clockwork.due(timezone.now())[:25].explain()


def test_a_deleted_ticket_is_left_alone_until_it_is_restored(on_monday, ada):
    ticket = on_monday()
    with at(hours=1):
        actions.bin_ticket(ticket, by=ada)
    run(days=1)
    assert steps(ticket) == []

    with at(days=1):
        actions.restore_ticket(ticket, by=ada)
    run(days=1)

    assert steps(ticket) == ["answer_missed"]


# --- In spite of faults --------------------------------------------------------------------

FAULTS = [TicketRefusal("Not now."), RuntimeError("a bug"), IntegrityError("a broken row")]


@pytest.fixture
def failing(monkeypatch):
    """The clock fails with these tickets."""
    tickets = {}
    real = clockwork.STEPS["answer_missed"]

    def step(ticket, name):
        if fault := tickets.get(ticket.pk):
            Ticket.objects.filter(pk=ticket.pk).update(subject="Half done")
            raise fault
        real(ticket, name)

    monkeypatch.setitem(clockwork.STEPS, "answer_missed", step)
    return tickets


@pytest.mark.plan("SEC-E3")
@pytest.mark.parametrize("fault", FAULTS, ids=["refused", "bug", "database"])
def test_one_ticket_that_fails_holds_up_no_other(on_monday, failing, caplog, fault):
    """Nothing half done, the reason in the log, tried again in an hour."""
    first, second, third = (on_monday() for _number in range(3))
    failing[second.pk] = fault

    assert run(hours=4) == 3
    assert run(hours=4) == 0

    assert [steps(t) for t in (first, second, third)] == [["answer_missed"], [], ["answer_missed"]]
    assert caplog.messages == [f"{second} could not be seen to. Again in 1:00:00."]
    second.refresh_from_db()
    assert (second.subject, second.stuck_since) == ("Kettle stopped heating", MONDAY + hours(4))

    failing.clear()
    assert (run(hours=5, seconds=-1), run(hours=5)) == (0, 1)
    second.refresh_from_db()
    assert (steps(second), second.stuck_since) == (["answer_missed"], None)


def test_administrators_see_which_tickets_it_fails_with(on_monday, failing, login, ada):
    stuck, _well = on_monday(), on_monday()
    words = "What should happen by itself fails with some tickets."
    console = login(ada)
    with at(hours=3):
        assert words not in console.get("/admin/").text
    failing[stuck.pk] = RuntimeError()
    run(hours=4)

    with at(hours=4):
        assert words in console.get("/admin/").text
        listed = console.get("/admin/tickets/ticket/?due=stuck").context["cl"].result_list

    assert list(listed) == [stuck]


# --- By hand -------------------------------------------------------------------------------


def told_by(*arguments):
    out = StringIO()
    call_command("run_clock", *arguments, stdout=out)
    return out.getvalue()


def test_the_dry_run_lists_what_would_be_done_and_keeps_nothing(on_monday, failing):
    """D0-12: and that is what is done."""
    late, failed, quiet = on_monday(), on_monday(), on_monday(Status.RESOLVED)
    failing[failed.pk] = RuntimeError()

    def kept():
        return list(Ticket.objects.order_by("pk").values()), TicketEvent.objects.count()

    before = kept(), Notification.objects.count()
    with at(days=30):
        assert told_by("--dry-run") == (
            f"{late} answer_missed\n{failed} stuck\n{quiet} closing_reminder\n"
        )
        assert (kept(), Notification.objects.count()) == before
        assert told_by() == "3 tickets seen to.\n"

    assert [steps(ticket) for ticket in (late, failed, quiet)] == [
        ["answer_missed"], [], ["closing_reminder"],
    ]  # fmt: skip


# --- When time jumps -----------------------------------------------------------------------


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

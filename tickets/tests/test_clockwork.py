"""What happens to tickets by itself: each step in its time, and once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from careregistry.tests.plans import plan_of
from messaging.actions import post_message
from tickets import actions, history
from tickets.automation import clockwork
from tickets.automation.timing import MOMENTS
from tickets.models import Ticket
from tickets.workflow import ResolutionKind, Status

from .clocked import MONDAY, at, run, steps

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def status_of(ticket):
    return Ticket.objects.values_list("status", flat=True).get(pk=ticket.pk)


def hours(count):
    return timedelta(hours=count)


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


# --- In its time ------------------------------------------------------------------------


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

    assert "ticket_wakes" in plan_of(clockwork.due(timezone.now())[:25])


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

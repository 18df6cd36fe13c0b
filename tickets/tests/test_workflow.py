"""Where a ticket can stand and who moves it: the table, what a move brings, what it writes."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
import time_machine
from django.utils import timezone

from messaging import actions as messaging
from messaging.signals import message_posted
from tickets import actions
from tickets.models import Feedback, ReferenceCounter, Ticket, TicketEvent
from tickets.signals import (
    ticket_assigned,
    ticket_raised,
    ticket_rated,
    ticket_status_changed,
)
from tickets.tests.factories import make_ticket
from tickets.workflow import TRANSITIONS, Part, ResolutionKind, Status, TransitionRefused

# From where, to where, by whom. The assigned agent is Bob, the requester Alice, Ada administers.
# (No agent has a new ticket: giving it to somebody opens it.)
TABLE = {
    "new": {
        "waiting": {"ada"},
        "hold": {"ada"},
        "resolved": {"ada"},
        "closed": {"alice", "ada"},
        "withdrawn": {"alice", "ada"},
    },
    "open": {
        "waiting": {"bob", "ada"},
        "hold": {"bob", "ada"},
        "resolved": {"bob", "ada"},
        "closed": {"alice", "bob", "ada"},
        "withdrawn": {"alice", "ada"},
    },
    "waiting": {
        "open": {"bob", "ada"},
        "hold": {"bob", "ada"},
        "resolved": {"bob", "ada"},
        "closed": {"alice", "bob", "ada"},
        "withdrawn": {"alice", "ada"},
    },
    "hold": {
        "open": {"bob", "ada"},
        "waiting": {"bob", "ada"},
        "resolved": {"bob", "ada"},
        "closed": {"alice", "bob", "ada"},
        "withdrawn": {"alice", "ada"},
    },
    "resolved": {
        "open": {"alice", "bob", "ada"},
        "closed": {"alice", "bob", "ada"},
    },
    "closed": {
        "open": {"alice", "bob", "ada"},
    },
    "withdrawn": {},
}
CAST = ["alice", "bob", "carol", "dave", "ada", "pete"]
EVERY_PAIR = list(product(Status, Status))
LAWFUL = [
    (Status(before), Status(after), name)
    for before, moves in TABLE.items()
    for after, people in moves.items()
    for name in sorted(people)
]


def words_for(status):
    """What a move to ``status`` must bring."""
    return {
        Status.HOLD: {"text": "Waits for a part.", "until": timezone.localdate()},
        Status.RESOLVED: {"text": "Replaced.", "resolution": ResolutionKind.REPLACED},
    }.get(status, {})


@pytest.fixture
def ticket_at(alice, bob, ada, kettles):
    """Alice's ticket as it stands at a status, in the hands of Bob unless it is new."""

    def lead(status):
        if status == Status.NEW:
            return make_ticket(requester=alice, category=kettles)
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        if status != Status.OPEN:
            by = alice if status == Status.WITHDRAWN else bob
            actions.change_status(ticket, status, by=by, **words_for(status))
        return ticket

    return lead


def everything_of(ticket):
    """The ticket's row and its lines, as the database has them."""
    return (
        Ticket.objects.filter(pk=ticket.pk).values().get(),
        list(ticket.events.values()),
    )


@pytest.mark.parametrize(("before", "after", "name"), LAWFUL)
def test_lawful_moves_work(ticket_at, request, before, after, name):
    """D0-6, D1-9, D2-5, D0-T10, D0-T11: and each is one line that says from where and to where."""
    ticket = ticket_at(before)
    person = request.getfixturevalue(name)
    lines = ticket.event_count

    event = actions.change_status(ticket, after, by=person, **words_for(after))

    ticket.refresh_from_db()
    assert (ticket.status, ticket.status_event) == (after, event)
    assert (event.number, event.kind, event.actor) == (lines + 1, "status", person)
    assert (event.data["from"], event.data["to"]) == (before, after)
    assert ticket.event_count == lines + 1


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
def test_all_other_moves_are_refused_and_write_nothing(ticket_at, request, before, after):
    ticket = ticket_at(before)
    as_it_was = everything_of(ticket)

    for name in set(CAST) - TABLE[before].get(after, set()):
        with pytest.raises(TransitionRefused) as refusal:
            actions.change_status(
                ticket, after, by=request.getfixturevalue(name), **words_for(after)
            )
        why = f"{ticket} cannot go from {before.label} to {after.label}."
        if before == after:  # as in the second of two tabs
            why = f"{ticket} is {before.label.lower()} already."
        assert str(refusal.value) == why

    assert everything_of(ticket) == as_it_was


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (Part.ASSIGNMENT, Status.NEW, Status.OPEN),
        (Part.REPLY, Status.WAITING, Status.OPEN),
        (Part.REPLY, Status.RESOLVED, Status.OPEN),
        (Part.REPLY, Status.CLOSED, Status.OPEN),
    ],
)
def test_a_step_brings_its_move_whoever_takes_it(ticket_at, carol, step, before, after):
    """Assigning opens a new ticket, the requester's reply one that waits for it, and by mail one
    that came to a result."""
    event = actions.change_status(ticket_at(before), after, by=carol, via=step)

    assert event.data == {"from": before, "to": after, "why": step}


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
def test_a_step_brings_no_other_move(ticket_at, carol, before, after):
    """A message alone brings none."""
    ticket = ticket_at(before)
    brought_by = {("new", "open"): Part.ASSIGNMENT} | {
        (status, "open"): Part.REPLY for status in ("waiting", "resolved", "closed")
    }

    for step in {Part.ASSIGNMENT, Part.REPLY, Part.MESSAGE} - {brought_by.get((before, after))}:
        with pytest.raises(TransitionRefused):
            actions.change_status(ticket, after, by=carol, via=step, **words_for(after))


def test_the_table_holds_nothing_else():
    by_people = {
        (before, after) for before, moves in TABLE.items() for after in moves if moves[after]
    }

    assert set(TRANSITIONS) == by_people | {(Status.NEW, Status.OPEN)}


def test_the_assigned_agent_stops_moving_a_ticket_that_was_handed_over(ticket, bob, dave, ada):
    actions.assign(ticket, to=dave, by=ada)

    with pytest.raises(TransitionRefused):
        actions.change_status(ticket, Status.WAITING, by=bob)

    assert actions.change_status(ticket, Status.WAITING, by=dave)


def test_an_administrator_is_the_requester_of_their_own_ticket_and_nothing_more(ada, bob):
    ticket = make_ticket(requester=ada, assignee=bob)

    with pytest.raises(TransitionRefused):
        actions.change_status(ticket, Status.WAITING, by=ada)

    assert actions.change_status(ticket, Status.CLOSED, by=ada)


def test_a_deleted_ticket_does_not_move(ticket, bob, ada):
    actions.bin_ticket(ticket, by=ada)

    with pytest.raises(TransitionRefused):
        actions.change_status(ticket, Status.WAITING, by=bob)

    actions.restore_ticket(ticket, by=ada)
    assert actions.change_status(ticket, Status.WAITING, by=bob)


def test_who_saw_the_ticket_elsewhere_is_told_so(ticket, bob, ada):
    seen_before = Ticket.objects.get(pk=ticket.pk)
    actions.change_status(ticket, Status.WAITING, by=ada)
    as_it_was = everything_of(ticket)

    with pytest.raises(TransitionRefused) as refusal:
        actions.change_status(seen_before, Status.HOLD, by=bob, **words_for(Status.HOLD))

    assert str(refusal.value) == f"{ticket} was changed by someone else."
    assert everything_of(ticket) == as_it_was


@pytest.mark.parametrize("ending", [Status.RESOLVED, Status.CLOSED])
def test_the_requester_opens_again_for_seven_days(ticket_at, alice, bob, ending):
    """The same agent has it then. Staff may open it at any time."""
    ticket = ticket_at(ending)

    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        actions.change_status(ticket, Status.OPEN, by=alice)
    assert (ticket.assignee, ticket.reopen_count) == (bob, 1)

    late = ticket_at(ending)
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=5), tick=False):
        with pytest.raises(TransitionRefused):
            actions.change_status(late, Status.OPEN, by=alice)
        actions.change_status(late, Status.OPEN, by=bob)
    assert late.status == Status.OPEN


@pytest.mark.parametrize(
    "missing",
    [
        {},
        {"text": "", "until": datetime(2026, 11, 20).date()},
        {"text": "Waits for a part."},
        {"text": "Waits for a part.", "until": datetime(2026, 11, 15).date()},
    ],
)
@time_machine.travel(datetime(2026, 11, 16, 12, tzinfo=UTC), tick=False)
def test_a_hold_needs_a_reason_and_a_day_to_come(ticket, bob, missing):
    with pytest.raises(TransitionRefused, match=r"A hold needs a reason and a day to come\."):
        actions.change_status(ticket, Status.HOLD, by=bob, **missing)

    event = actions.change_status(ticket, Status.HOLD, by=bob, **words_for(Status.HOLD))
    assert (event.text, event.data["until"]) == ("Waits for a part.", "2026-11-16")


@pytest.mark.parametrize(
    "missing",
    [{}, {"text": "Replaced."}, {"resolution": "replaced"}, {"text": "x", "resolution": "y"}],
)
def test_a_resolution_needs_a_kind_and_words(ticket, bob, missing):
    """D4-5"""
    with pytest.raises(
        TransitionRefused, match=r"Say how it was resolved, and tell the customer\."
    ):
        actions.change_status(ticket, Status.RESOLVED, by=bob, **missing)

    event = actions.change_status(ticket, Status.RESOLVED, by=bob, **words_for(Status.RESOLVED))
    assert (event.text, event.data["resolution"]) == ("Replaced.", "replaced")
    assert ticket.resolution_kind == "replaced"


@pytest.mark.parametrize(
    ("name", "kind"), [("alice", "solved_by_customer"), ("bob", "other"), ("ada", "other")]
)
def test_closing_what_nobody_resolved_says_who_solved_it(ticket, request, name, kind):
    event = actions.change_status(ticket, Status.CLOSED, by=request.getfixturevalue(name))

    assert (ticket.resolution_kind, event.data["resolution"]) == (kind, kind)
    assert ticket.resolved_at == ticket.closed_at == event.at


def test_closing_keeps_how_it_was_resolved(ticket_at, alice):
    ticket = ticket_at(Status.RESOLVED)
    resolved_at = ticket.resolved_at

    actions.change_status(ticket, Status.CLOSED, by=alice)

    assert (ticket.resolution_kind, ticket.resolved_at) == ("replaced", resolved_at)
    assert ticket.closed_at > resolved_at


def test_opening_again_forgets_the_ending_and_counts(ticket_at, alice):
    ticket = ticket_at(Status.CLOSED)

    actions.change_status(ticket, Status.OPEN, by=alice)

    ticket.refresh_from_db()
    assert (ticket.resolution_kind, ticket.resolved_at, ticket.closed_at) == ("", None, None)
    assert ticket.reopen_count == 1


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("open", "waiting", timedelta(days=7)),
        ("waiting", "open", timedelta(hours=4)),
        ("hold", "open", timedelta(hours=4)),
        ("open", "hold", timedelta(hours=11, minutes=59)),
        ("open", "resolved", timedelta(days=7)),
        ("resolved", "open", timedelta(hours=4)),
        ("closed", "open", timedelta(hours=4)),
        ("open", "closed", None),
    ],
)
def test_every_move_says_by_when_the_next_step_is_owed(ticket_at, bob, before, after, due):
    """D1-15: nothing is owed once it has ended."""
    with time_machine.travel(datetime(2026, 11, 16, 9, tzinfo=UTC), tick=False):
        ticket = ticket_at(before)
    now = datetime(2026, 11, 16, 12, tzinfo=UTC)

    with time_machine.travel(now, tick=False):
        actions.change_status(ticket, after, by=bob, **words_for(after))

    assert ticket.due_at == (due and now + due)


def test_a_new_ticket_keeps_its_promise_when_it_is_assigned(ticket_at, bob, ada):
    ticket = ticket_at(Status.NEW)
    promised = ticket.due_at

    actions.assign(ticket, to=bob, by=ada)

    ticket.refresh_from_db()
    assert (ticket.status, ticket.due_at) == (Status.OPEN, promised)


def test_words_of_staff_with_a_move_are_an_answer(ticket, alice, bob):
    """The first response; and the ticket awaits the customer's next word, not ours."""
    messaging.post_message(ticket, by=alice, body="Hello?")

    actions.change_status(ticket, Status.WAITING, by=bob, text="Which model is it?")

    assert ticket.first_responded_at == ticket.last_event_at
    assert ticket.last_message_by == Part.ASSIGNEE


def test_a_move_without_words_is_no_answer(ticket, bob):
    actions.change_status(ticket, Status.WAITING, by=bob)

    assert ticket.first_responded_at is None
    assert ticket.last_message_by == Part.REQUESTER


@contextmanager
def breaking(signal):
    """Somebody who hears ``signal`` fails."""

    def fail(**kwargs):
        raise RuntimeError("No space left")

    signal.connect(fail)
    try:
        with pytest.raises(RuntimeError, match="No space left"):
            yield
    finally:
        signal.disconnect(fail)


def all_rows():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Ticket, TicketEvent, Feedback, ReferenceCounter)
    ]


@pytest.mark.parametrize("verb", ["raise", "assign", "move", "close", "rate", "say", "answer"])
def test_a_failure_of_any_listener_takes_everything_back(ticket_at, alice, bob, ada, kettles, verb):
    signal, status, act = {
        "raise": (
            ticket_raised,
            Status.NEW,
            lambda ticket: make_ticket(requester=alice, category=kettles),
        ),
        "assign": (ticket_assigned, Status.NEW, lambda t: actions.assign(t, to=bob, by=ada)),
        "move": (
            ticket_status_changed,
            Status.OPEN,
            lambda t: actions.change_status(t, Status.WAITING, by=bob),
        ),
        "close": (
            ticket_status_changed,
            Status.OPEN,
            lambda t: actions.change_status(t, Status.CLOSED, by=alice),
        ),
        "rate": (ticket_rated, Status.RESOLVED, lambda t: actions.rate(t, by=alice, rating=5)),
        "say": (
            message_posted,
            Status.OPEN,
            lambda t: messaging.post_message(t, by=alice, body="Hello?"),
        ),
        # The message is written before the move that fails.
        "answer": (
            ticket_status_changed,
            Status.WAITING,
            lambda t: messaging.post_message(t, by=alice, body="It is the K2."),
        ),
    }[verb]
    ticket = ticket_at(status)
    as_it_was = all_rows()

    with breaking(signal):
        act(Ticket.objects.get(pk=ticket.pk))
    assert all_rows() == as_it_was

    act(Ticket.objects.get(pk=ticket.pk))
    assert all_rows() != as_it_was

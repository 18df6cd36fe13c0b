"""What a requester reads first: who has it, what comes next and by when."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from messaging import actions as messaging
from tickets import actions
from tickets.models import Ticket
from tickets.promise.hours import ALWAYS
from tickets.promise.promises import promise_of
from tickets.promise.sla import Terms
from tickets.tests.factories import make_policy, make_ticket
from tickets.workflow import ResolutionKind, Status

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
NOTHING_TO_DO = "You don’t need to do anything."
SORRY = "We’re sorry. You don’t need to chase us."


def at(days=0, **span):
    return time_machine.travel(MONDAY + timedelta(days=days, **span), tick=False)


def sentence(ticket):
    """The two lines of the promise, as the page shows them."""
    promise = promise_of(Ticket.objects.with_promise().get(pk=ticket.pk))
    return f"{promise.strong} {promise.rest}".strip(), promise.sub


@pytest.fixture
def on_monday(alice, bob, ada, kettles):
    """Alice's ticket, raised on Monday at noon and moved to a status by Bob at once."""

    def raise_it(status=None, **words):
        with at():
            ticket = make_ticket(requester=alice, assignee=status and bob, category=kettles, by=ada)
            if status and status != Status.OPEN:
                by = alice if status == Status.WITHDRAWN else bob
                actions.change_status(ticket, status, by=by, **words)
        return ticket

    return raise_it


@pytest.mark.parametrize(
    ("late", "words", "sub"),
    [
        ({}, "We have your ticket. An agent will answer by 16:00 today.", NOTHING_TO_DO),
        (
            {"hours": 4},
            "We have your ticket. An agent will answer by 16:00 today.",
            NOTHING_TO_DO,
        ),
        (
            {"hours": 4, "seconds": 1},
            "This is taking longer than we said. An agent will answer by 20:00 today.",
            SORRY,
        ),
        (
            {"hours": 11},
            "This is taking longer than we said. An agent will answer by 00:00 tomorrow.",
            SORRY,
        ),
        (
            {"days": 400},
            "This is taking longer than we said. An agent will answer by 16:00 today.",
            SORRY,
        ),
    ],
)
def test_new(on_monday, late, words, sub):
    """D1-15: a promise that was missed is named and renewed, never silent or past."""
    ticket = on_monday()

    with at(**late):
        assert sentence(ticket) == (words, sub)


@pytest.mark.parametrize(
    ("late", "words", "sub"),
    [
        ({}, "Bob is working on it. You’ll hear by 16:00 today.", NOTHING_TO_DO),
        (
            {"hours": 5},
            "This is taking longer than we said. You’ll hear by 20:00 today.",
            SORRY,
        ),
    ],
)
def test_open(on_monday, late, words, sub):
    ticket = on_monday(Status.OPEN)

    with at(**late):
        assert sentence(ticket) == (words, sub)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "Bob is working on it. You’ll hear by 17:00 today."),
        (5, "Bob has your ticket. You’ll hear by Monday 14:00."),
    ],
)
def test_nobody_is_said_to_work_while_nobody_is_there(alice, bob, ada, kettles, days, words):
    """By the calendar that its promise counts in."""
    make_policy(answer=5)
    with at(days):
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)

        assert sentence(ticket) == (words, NOTHING_TO_DO)


def test_open_again_without_an_agent(alice, kettles):
    with at():
        ticket = make_ticket(requester=alice, category=kettles, status=Status.CLOSED)
        actions.change_status(ticket, Status.OPEN, by=alice)

    with at():
        assert sentence(ticket) == (
            "Your ticket is back with our team. An agent will answer by 16:00 today.",
            NOTHING_TO_DO,
        )


@pytest.mark.parametrize("days", [0, 6, 30])
def test_waiting(on_monday, days):
    ticket = on_monday(Status.WAITING, text="Which model is it?")

    with at(days):
        words = (
            "Bob needs your answer. Which model is it?",
            "The clock is stopped until you answer.",
        )
        assert sentence(ticket) == words
        assert promise_of(ticket).by == "Mon 23 Nov"
        assert promise_of(ticket).mood == "turn"


def test_waiting_after_a_message(on_monday, bob):
    ticket = on_monday(Status.OPEN)
    messaging.post_message(ticket, by=bob, body="Which model is it?", then=Status.WAITING)

    assert sentence(ticket)[0] == "Bob needs your answer. The question is in the conversation."


def test_on_hold_until_the_end_of_its_day_and_late_after_it(on_monday):
    until = datetime(2026, 11, 18).date()
    ticket = on_monday(Status.HOLD, text="Waits for a part.", until=until)

    with at(days=2):
        assert sentence(ticket) == (
            "Waits for a part. Expected by Wed 18 Nov.",
            "We’ll write to you by then either way.",
        )
    with at(days=3):
        assert sentence(ticket) == (
            "This is taking longer than we said. You’ll hear by 15:59 today.",
            SORRY,
        )


def test_resolved(on_monday):
    ticket = on_monday(
        Status.RESOLVED, text="A new one is on its way.", resolution=ResolutionKind.REPLACED
    )

    assert sentence(ticket) == (
        "Bob marked this resolved. A new one is on its way.",
        "If it isn’t fixed, open it again. Otherwise you don’t need to do anything.",
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "Closed on Mon 16 Nov. You can open it again until Mon 23 Nov."),
        (7, "Closed on Mon 16 Nov. You can open it again until Mon 23 Nov."),
        (8, "Closed on Mon 16 Nov. Raise a new ticket if it comes back."),
        (60, "Closed on Mon 16 Nov 2026. Raise a new ticket if it comes back."),
    ],
)
def test_closed(on_monday, days, words):
    ticket = on_monday(Status.CLOSED)

    with at(days):
        assert sentence(ticket) == (words, NOTHING_TO_DO)


def test_withdrawn(on_monday, ada):
    by_requester, by_us = on_monday(Status.WITHDRAWN), on_monday(Status.OPEN)
    with at():
        actions.change_status(by_us, Status.WITHDRAWN, by=ada)

    with at(1):
        sub = "Raise a new ticket if you need us after all."
        assert sentence(by_requester) == ("You withdrew this on Mon 16 Nov.", sub)
        assert sentence(by_us) == ("Withdrawn on Mon 16 Nov.", sub)


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize("days", [0, 1, 7, 8, 31, 400])
def test_there_is_always_something_to_read(on_monday, status, days):
    words = {
        Status.HOLD: {"text": "Waits.", "until": MONDAY.date()},
        Status.RESOLVED: {"text": "Done.", "resolution": ResolutionKind.OTHER},
    }.get(status, {})
    ticket = on_monday(None if status == Status.NEW else status, **words)

    with at(days):
        promise = promise_of(ticket)
    assert promise.strong
    assert promise.sub
    assert promise.label
    assert promise.by


@given(
    due_at=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    late=st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_a_renewed_promise_is_whole_promises_later_and_the_next_one_to_come(due_at, late):
    now = due_at + late
    step = timedelta(hours=4)

    found = Terms(ALWAYS, step).renewed(due_at, now)

    assert now < found <= now + step
    assert (found - due_at) % step == timedelta(0)


def test_a_promise_that_holds_is_not_renewed():
    due_at = timezone.now() + timedelta(minutes=1)

    assert Terms(ALWAYS, timedelta(hours=4)).renewed(due_at, timezone.now()) == due_at


def test_the_setting_makes_the_promise(alice, kettles, settings):
    settings.FIRST_ANSWER_HOURS = 24

    with at():
        ticket = make_ticket(requester=alice, category=kettles)
        assert sentence(ticket)[0].endswith("An agent will answer by 12:00 tomorrow.")

"""Who hears of what time does to tickets, and how it reads."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.automation import clockwork
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
RESOLVED = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
HELD = {"text": "Waits for a part.", "until": MONDAY.date()}
MOVES = {Status.WAITING: {"text": "Which model?"}, Status.HOLD: HELD, Status.RESOLVED: RESOLVED}
SOON = {"warn_before": timedelta(hours=3)}


def at(**span):
    return time_machine.travel(MONDAY + timedelta(**span), tick=False)


@pytest.fixture
def on_monday(alice, bob, ada, kettles):
    """Alice's ticket on Monday at noon; what was owed for it is forgotten."""

    def raise_it(status=Status.OPEN, agent=bob, **row):
        with at():
            ticket = make_ticket(requester=alice, assignee=agent, category=kettles, by=ada)
            if status in MOVES:
                actions.change_status(ticket, status, by=bob, **MOVES[status])
        Ticket.objects.filter(pk=ticket.pk).update(wakes_at=MONDAY, **row)
        Notification.objects.all().delete()
        return ticket

    return raise_it


def owed():
    rows = Notification.objects.values_list("kind", "recipient__first_name")
    return sorted(rows)


@pytest.mark.parametrize(
    ("status", "row", "span", "told"),
    [
        (Status.OPEN, SOON, {"hours": 1}, [("at_risk", "Bob")]),
        (Status.OPEN, {}, {"hours": 4}, [("missed", "Ada"), ("missed", "Bob")]),
        (Status.WAITING, {}, {"days": 5}, [("reminder", "Alice")]),
        (Status.RESOLVED, {}, {"days": 5}, [("reminder", "Alice")]),
        (Status.HOLD, {}, {"hours": 12}, [("status_changed", "Alice"), ("status_changed", "Bob")]),
    ],
    ids=["at_risk", "missed", "waiting", "closing", "hold"],
)
def test_who_is_told_once(on_monday, status, row, span, told):
    """D0-12"""
    on_monday(status, **row)

    with at(**span):
        clockwork.run()
        clockwork.run()

    assert owed() == told


def test_of_a_ticket_nobody_has_the_administrators_hear(on_monday):
    """D0-12: an alarm; and it is they who can still keep a promise."""
    on_monday(Status.NEW, agent=None, **SOON)

    with at(hours=1):
        clockwork.run()
    assert owed() == [("at_risk", "Ada")]
    with at(hours=2):
        clockwork.run()

    assert owed() == [("at_risk", "Ada"), ("left_alone", "Ada")]


def test_no_administrator_is_told_of_their_own_ticket(ada, kettles):
    with at():
        make_ticket(requester=ada, category=kettles)
    Notification.objects.all().delete()

    with at(hours=4):
        clockwork.run()

    assert owed() == []


@pytest.mark.parametrize(
    ("status", "last", "told"),
    [
        (Status.WAITING, "resolved", [("resolved", "Alice"), ("status_changed", "Bob")]),
        (Status.RESOLVED, "closed", [("closed", "Alice")]),
    ],
)
def test_the_end_of_a_silence_is_told_to_those_it_matters_to(on_monday, status, last, told):
    """An agent hears nothing of the filing of what they settled."""
    ticket = on_monday(status)
    with at(days=5):
        clockwork.run()
    Notification.objects.all().delete()

    with at(days=7):
        clockwork.run()

    assert (owed(), Ticket.objects.get(pk=ticket.pk).status) == (told, last)


# --- How it reads ------------------------------------------------------------------------


def read(mailoutbox, **span):
    """Headline and text of each mail of the clock, by their readers."""
    with at(**span):
        clockwork.run()
        outbox.drain()
    return {mail.to[0]: (mail.body.split("\n")[3], mail.body) for mail in mailoutbox}


def test_the_reminder_of_a_question(on_monday, mailoutbox):
    """D0-12: says what was asked, until when, and what happens then."""
    on_monday(Status.WAITING)

    headline, body = read(mailoutbox, days=5)["alice@example.org"]

    assert headline == "We still wait for your answer"
    assert (
        "If nothing comes until Mon 23 Nov, we take it that you no longer need us, and mark the "
        "ticket resolved." in body
    )
    assert "Bob needs your answer. Which model?" in body


def test_the_reminder_of_the_closing(on_monday, mailoutbox):
    on_monday(Status.RESOLVED)

    headline, body = read(mailoutbox, days=5)["alice@example.org"]

    assert headline == "Your ticket closes soon"
    assert "It closes by itself on Mon 23 Nov. If it isn’t fixed, open it again." in body


def test_a_missed_promise(on_monday, mailoutbox):
    on_monday()

    mails = read(mailoutbox, hours=4)

    words = "The time in which we promised the customer an answer is over."
    assert {headline for headline, _body in mails.values()} == {"A promise was missed"}
    assert f"{words} Bob Baker has the ticket." in mails["ada@example.org"][1]
    assert f"{words} The administrators were told as well." in mails["bob@example.org"][1]
    assert set(mails) == {"ada@example.org", "bob@example.org"}


def test_a_promise_at_risk(on_monday, mailoutbox):
    on_monday(**SOON)

    _headline, body = read(mailoutbox, hours=1)["bob@example.org"]

    assert "The time in which we promised the customer an answer is nearly over." in body


def test_a_ticket_left_alone(on_monday, mailoutbox):
    on_monday(Status.NEW, agent=None)

    headline, body = read(mailoutbox, hours=2)["ada@example.org"]

    assert headline == "Still without an agent"
    assert "Nobody has had this ticket since Mon 16 Nov, 12:00. Category: Faulty product." in body
    assert "http://localhost:8000/workspace/tickets/CCR-" in body


def test_what_is_no_longer_so_when_the_mail_would_leave_is_not_sent(on_monday, alice, mailoutbox):
    """The server was down, and the customer has answered meanwhile."""
    ticket = on_monday(Status.WAITING)
    with at(days=5):
        clockwork.run()
        ticket.refresh_from_db()
        actions.change_status(ticket, Status.CLOSED, by=alice)
        outbox.drain()

    dropped = OutgoingMail.objects.get(notifications__kind="reminder")

    assert (dropped.state, dropped.last_answer) == ("dropped", "The ticket has moved on.")
    assert [mail.to for mail in mailoutbox] == [["bob@example.org"], ["alice@example.org"]]


def test_the_resolution_and_the_closing_name_the_registry(on_monday, mailoutbox):
    on_monday(Status.WAITING)
    with at(days=5):
        clockwork.run()
    Notification.objects.all().delete()

    headline, body = read(mailoutbox, days=7)["alice@example.org"]
    assert headline == "The registry marked your ticket resolved"
    assert "> We have not heard from you. Open the ticket again if you still need us." in body

"""Each cause owes its people one mail, and nobody hears of what they did themselves."""

import pytest
from django.db import transaction

from accounts import actions as accounts
from accounts.models import Application, Role, Standing
from accounts.tests.factories import make_admin, make_user
from messaging.actions import post_message, post_note
from notifications.models import Notification
from notifications.receivers import owe_ticket_mail
from tickets import actions
from tickets.models import Rule, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status, TransitionRefused

Kind = Notification.Kind


@pytest.fixture
def told(db):
    """Who is owed what since the last time it was asked, as a set of (kind, email)."""
    seen = set()

    def news():
        rows = Notification.objects.exclude(pk__in=seen).select_related("recipient")
        fresh = sorted((row.kind, row.recipient.email) for row in rows)
        seen.update(row.pk for row in rows)
        return fresh

    return news


def test_new_customer_is_welcomed(told):
    """D0-1, D1-11, D2-4: a welcome mail."""
    alice = make_user(email="alice@example.org", standing=Standing.UNCLAIMED)

    accounts.confirm(alice)
    accounts.confirm(alice)  # the link opened twice

    assert told() == [("welcome", "alice@example.org")]


def test_admins_hear_of_a_role_request(told, ada, bob):
    """D2-3: every active administrator hears that somebody waits, nobody else does."""
    make_admin(email="gone@example.org", standing=Standing.SUSPENDED)
    pete = make_user(email="pete@example.org", role=Role.AGENT, standing=Standing.UNCLAIMED)

    accounts.confirm(pete)

    assert told() == [
        ("application_received", "ada@example.org"),
        ("welcome", "pete@example.org"),
    ]


@pytest.mark.parametrize("decision", ["accepted", "declined"])
def test_applicant_hears_the_decision(told, ada, pete, decision):
    """D1-T27, D2-3: a mail in both cases."""
    application = Application.objects.create(applicant=pete, role=Role.AGENT)

    accounts.decide(application, decision, by=ada)

    assert told() == [(f"application_{decision}", "pete@example.org")]


def test_raising_tells_the_customer_and_the_admins(told, alice, ada, bob, kettles):
    """D0-5, D1-11, D2-4: the customer and, as nobody has it yet, the administrators."""
    make_ticket(requester=alice, category=kettles)

    assert told() == [
        ("ticket_raised", "alice@example.org"),
        ("ticket_unassigned", "ada@example.org"),
    ]


def test_admin_who_raises_a_ticket_is_its_customer_only(told, ada, kettles):
    make_ticket(requester=ada, category=kettles)

    assert told() == [("ticket_raised", "ada@example.org")]


def test_assigning_tells_customer_and_agent(told, alice, bob, ada, kettles):
    """D2-4, D3-3: one mail each; that the ticket is opened by it is no second mail."""
    ticket = make_ticket(requester=alice, category=kettles)
    told()

    actions.assign(ticket, to=bob, by=ada)

    assert told() == [("assigned", "alice@example.org"), ("assigned_to_you", "bob@example.org")]


def test_agent_who_takes_a_ticket_is_not_told(told, alice, bob, kettles):
    ticket = make_ticket(requester=alice, category=kettles)
    told()

    actions.assign(ticket, to=bob, by=bob)

    assert told() == [("assigned", "alice@example.org")]


def test_handing_over_tells_the_customer_again(told, ticket, bob, dave):
    """D3-3: whenever an agent is assigned."""
    told()

    actions.assign(ticket, to=dave, by=bob)

    assert told() == [("assigned", "alice@example.org"), ("assigned_to_you", "dave@example.org")]


def test_a_note_for_the_next_agent_tells_them_and_not_who_had_it(told, ticket, ada, dave):
    """D3-3: Bob, who loses the ticket, could not read it any more."""
    told()

    actions.assign(ticket, to=dave, by=ada, note="Bob promised her a new one.")

    assert told() == [
        ("assigned", "alice@example.org"),
        ("assigned_to_you", "dave@example.org"),
        ("message", "dave@example.org"),
    ]


def test_message_goes_to_the_other_side(told, ticket, alice, bob, ada):
    """D4-4"""
    told()

    post_message(ticket, by=bob, body="Which colour is the light?")
    assert told() == [("message", "alice@example.org")]

    post_message(ticket, by=alice, body="Blue.")
    assert told() == [("message", "bob@example.org")]

    post_message(ticket, by=ada, body="We are sorry.")
    assert told() == [("message", "alice@example.org"), ("message", "bob@example.org")]


def test_message_on_an_unassigned_ticket_waits_on_the_page(told, alice, kettles):
    ticket = make_ticket(requester=alice, category=kettles)
    told()

    post_message(ticket, by=alice, body="One more thing.")

    assert told() == []


def test_internal_note_tells_nobody(told, ticket, bob):
    """SEC-D20: the customer never learns that it exists."""
    told()

    post_note(ticket, by=bob, body="He calls every week.")

    assert told() == []


def test_reply_that_opens_the_ticket_is_one_mail(told, ticket, alice, bob):
    actions.change_status(ticket, Status.WAITING, by=bob)
    told()

    post_message(ticket, by=alice, body="Here is the number.")

    assert told() == [("message", "bob@example.org")]


def test_message_with_a_move_is_one_mail(told, ticket, bob):
    """The mail of the message shows where the ticket stands."""
    told()

    post_message(ticket, by=bob, body="Which number is it?", then=Status.WAITING)

    assert told() == [("message", "alice@example.org")]


def test_a_colleagues_message_with_a_move_is_one_mail_to_the_agent_too(told, ticket, ada):
    told()

    post_message(ticket, by=ada, body="Which number is it?", then=Status.WAITING)

    assert told() == [("message", "alice@example.org"), ("message", "bob@example.org")]


def test_what_a_rule_says_tells_the_customer_only(told, ticket):
    """The agent finds it on the page."""
    told()

    post_message(ticket, by=None, body="Our shop is open again.", rule=Rule(name="Shop"))

    assert told() == [("message", "alice@example.org")]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("bob", [("status_changed", "alice@example.org")]),
        ("ada", [("status_changed", "alice@example.org"), ("status_changed", "bob@example.org")]),
    ],
)
def test_change_of_status_tells_both_but_the_actor(told, ticket, request, by, expected):
    """D1-11, D4-3: each change of its status."""
    told()

    actions.change_status(ticket, Status.WAITING, by=request.getfixturevalue(by))

    assert told() == expected


def test_resolving_tells_the_customer(told, ticket, bob):
    """D2-4, D4-5: resolved, with instructions."""
    told()

    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Shipped.", resolution=ResolutionKind.REPLACED
    )

    assert told() == [("resolved", "alice@example.org")]


@pytest.mark.plan("SEC-E6")
def test_closing_owes_one_mail_with_the_feedback_link(told, ticket, alice):
    """The customer is asked for a rating also after closing it themselves, and only once."""
    told()

    actions.change_status(ticket, Status.CLOSED, by=alice)
    with pytest.raises(TransitionRefused):
        actions.change_status(ticket, Status.CLOSED, by=alice)

    assert told() == [("closed", "alice@example.org"), ("status_changed", "bob@example.org")]


@pytest.mark.parametrize("to", [Status.WITHDRAWN, Status.OPEN])
def test_customers_own_move_tells_the_agent(told, ticket, alice, bob, to):
    if to == Status.OPEN:
        actions.change_status(ticket, Status.CLOSED, by=alice)
    told()

    actions.change_status(ticket, to, by=alice)

    assert told() == [("status_changed", "bob@example.org")]


def test_rollback_takes_the_mail_with_it(told, alice, kettles):
    """P2: written in the same transaction as the cause."""
    with transaction.atomic():
        make_ticket(requester=alice, category=kettles)
        transaction.set_rollback(True)
    assert told() == []

    make_ticket(requester=alice, category=kettles)
    assert told() == [("ticket_raised", "alice@example.org")]


def test_same_cause_owes_once(told, ticket, alice):
    event = TicketEvent.objects.filter(ticket=ticket).last()
    told()

    owe_ticket_mail(Kind.STATUS_CHANGED, alice, event=event)
    first = told()
    owe_ticket_mail(Kind.STATUS_CHANGED, alice, alice, event=event)

    # The last line of the ticket is the opening by assignment, which nobody is told of.
    assert first == [("status_changed", "alice@example.org")]
    assert told() == []


def test_words_on_a_ticket_nobody_has_reach_those_who_assign(told, alice, ada, kettles):
    ticket = make_ticket(requester=alice, category=kettles)
    told()

    post_message(ticket, by=alice, body="Is anybody there?")
    post_message(ticket, by=alice, body="Hello?")

    assert told() == [("message", "ada@example.org")] * 2

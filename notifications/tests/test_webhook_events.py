"""What webhooks are told of: each event once, signed, and no word more than was asked for."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import actions as accounts
from accounts.erasure import erase
from accounts.models import Application, Role, Standing
from accounts.people import suspend
from accounts.tests.factories import make_user
from messaging.actions import post_message, post_note
from notifications.models import WebhookDelivery
from notifications.webhooks.models import Event
from tickets import actions
from tickets.removal import remove_for_good
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

from .receiver import call_all, make_webhook, rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.plan("SEC-F14")
def test_an_event_arrives_signed_and_is_marked(desk, receiver, ticket, bob):
    post_message(ticket, by=bob, body="The part came today.")

    call_all()
    call_all()

    (call,) = receiver.calls
    (delivery,) = WebhookDelivery.objects.all()
    line = ticket.events.last()
    assert call.path == "/hook?for=ccr"
    assert call.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert call.headers["X-Registry-Event"] == "ticket.message"
    assert call.headers["X-Registry-Delivery"] == str(delivery.event_id)
    assert call.is_signed_with(desk.known_secret)
    assert not call.is_signed_with("whsec_another")
    assert call.told == {
        "id": str(delivery.event_id),
        "event": "ticket.message",
        "at": line.at.isoformat(),
        "ticket": {
            "id": ticket.pk,
            "reference": ticket.reference,
            "url": f"http://localhost:8000/tickets/{ticket.reference}/",
            "kind": ticket.kind,
            "status": "open",
            "priority": "normal",
            "category": ticket.category_id,
            "requester": ticket.requester_id,
            "assignee": bob.pk,
        },
        "line": {"number": line.number, "by": bob.pk, "data": line.data},
    }
    assert (delivery.state, delivery.tries, delivery.last_answer) == ("sent", 0, "200 OK")


def test_each_step_of_a_ticket_has_its_event(desk, receiver, alice, bob, ada, kettles):
    ticket = make_ticket(alice, category=kettles)
    actions.assign(ticket, to=bob, by=ada)
    actions.change_status(ticket, Status.WAITING, by=bob)
    post_message(ticket, by=alice, body="4711")
    solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)
    actions.rate(ticket, by=alice, rating=2)
    actions.change_status(ticket, Status.OPEN, by=alice, text="It broke again.")
    actions.change_status(ticket, Status.CLOSED, by=alice)

    call_all()

    assert receiver.heard == [
        "ticket.raised",
        "ticket.assigned",
        "ticket.moved",  # by the assignment
        "ticket.moved",
        "ticket.message",
        "ticket.moved",  # by the answer
        "ticket.resolved",
        "ticket.rated",
        "ticket.closed",  # by the rating
        "ticket.reopened",
        "ticket.closed",
    ]


def test_events_of_accounts(desk, receiver, alice, ada):
    pete = make_user("Pete", role=Role.AGENT, standing=Standing.UNCLAIMED)
    accounts.confirm(pete)
    application = Application.objects.get(applicant=pete)
    accounts.decide(application, Application.Decision.ACCEPTED, by=ada)
    suspend(alice, by=ada, reason="Too many jokes.")
    erase(make_user("Gone"), by=ada)

    call_all()

    heard = {call.told["event"]: call.told for call in receiver.calls}
    assert set(heard) == {
        "account.confirmed",
        "account.role_requested",
        "account.role_decided",
        "account.suspended",
        "account.erased",
    }
    assert heard["account.role_decided"]["decision"] == "accepted"
    assert heard["account.suspended"]["account"] == {
        "id": alice.pk,
        "role": "customer",
        "standing": "suspended",
    }
    assert b"jokes" not in b"".join(call.body for call in receiver.calls)


def test_only_what_was_asked_for_is_told(receiver, ticket, bob):
    make_webhook(receiver.url, Event.RATED)
    make_webhook(receiver.url, Event.MESSAGE, name="Off", is_active=False)

    post_message(ticket, by=bob, body="Hello")

    assert rows("pk") == []


@pytest.mark.parametrize("with_words", [False, True])
def test_words_are_told_only_where_the_operator_wants_it(receiver, ticket, bob, with_words):
    make_webhook(receiver.url, Event.MESSAGE, with_words=with_words)

    post_message(ticket, by=bob, body="The part came today.")
    call_all()

    (call,) = receiver.calls
    words = {"subject": ticket.subject, "text": "The part came today."} if with_words else None
    assert call.told.get("words") == words
    assert "The part" not in str(rows("payload"))


def test_internal_notes_are_never_told(receiver, ticket, bob):
    make_webhook(receiver.url, *Event, with_words=True)

    post_note(ticket, by=bob, body="He shouts.")
    post_message(ticket, by=bob, body="Hello")
    call_all()

    assert receiver.heard == ["ticket.message"]


@pytest.mark.plan("SEC-H2")
def test_words_that_were_erased_meanwhile_are_not_told(receiver, ticket, alice, ada):
    make_webhook(receiver.url, Event.MESSAGE, with_words=True)
    post_message(ticket, by=alice, body="I live in Low Road.")

    erase(alice, by=ada)
    call_all()

    assert receiver.calls[0].told["words"] == {"subject": "Erased", "text": ""}


@pytest.mark.parametrize("is_binned", [False, True])
def test_words_of_a_ticket_in_the_bin_are_not_told(receiver, ticket, bob, ada, is_binned):
    make_webhook(receiver.url, Event.MESSAGE, with_words=True)
    post_message(ticket, by=bob, body="Hello")
    if is_binned:
        actions.bin_ticket(ticket, by=ada)

    call_all()

    assert ("words" in receiver.calls[0].told) is not is_binned


def test_a_ticket_removed_for_good_takes_its_deliveries_along(desk, ticket, alice, bob, ada, clock):
    make_ticket(alice, category=ticket.category)
    post_message(ticket, by=bob, body="Hello")
    actions.bin_ticket(ticket, by=ada)
    clock.shift(timedelta(days=31))

    remove_for_good(ticket, by=ada)

    assert rows("event") == [("ticket.raised",)]


def test_a_rollback_takes_the_delivery_with_it(desk, ticket, bob):
    """P2"""
    with transaction.atomic():
        post_message(ticket, by=bob, body="Hello")
        transaction.set_rollback(True)

    assert rows("pk") == []

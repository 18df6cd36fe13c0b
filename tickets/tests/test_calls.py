"""D1-14: a customer asks to be called back, and the call is logged in the ticket."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from messaging.actions import post_message
from notifications.models import Notification
from tickets import actions
from tickets.models import CallRequest
from tickets.parties import calls
from tickets.tests.factories import make_ticket
from tickets.workflow import Part, ResolutionKind, Status, TicketRefusal

from .reading import text

pytestmark = pytest.mark.django_db

PHONE = "+441134960000"


def ask(client, ticket, phone=PHONE, wish="After five"):
    url = reverse("tickets:ask_for_call", args=[ticket.reference])
    return client.post(url, {"phone": phone, "wish": wish}, follow=True)


def drop(client, ticket):
    return client.post(reverse("tickets:drop_call", args=[ticket.reference]), follow=True)


def log(client, ticket, words="It works again.", key=None):
    url = reverse("tickets:log_call", args=[ticket.reference])
    told = {"text": words, "key": key or str(uuid.uuid4())}
    return client.post(url, told, follow=True)


def told_of(person, ticket):
    mine = Notification.objects.filter(recipient=person, event__ticket=ticket)
    return list(mine.order_by("pk").values_list("kind", flat=True))


def test_asked_seen_and_logged(login, ticket, alice, bob):
    """D0-21: what was said on the phone stands where everything else does."""
    page = ask(login(alice), ticket)
    assert "We call you at +44 113 496 0000." in text(page, "#ticket-aside")
    assert "You asked to be called." in text(page, "#log")
    page = login(bob).get(ticket.workspace_url)
    assert "+44 113 496 0000 After five" in text(page, "#ticket-facts")

    log(login(bob), ticket, "It works again.")

    call = CallRequest.objects.get()
    ticket.refresh_from_db()
    assert (call.called_by, call.phone, call.wish) == (bob, PHONE, "After five")
    assert ticket.last_message_by == Part.ASSIGNEE
    page = login(alice).get(ticket.get_absolute_url())
    assert f"{bob} spoke with you on the phone." in text(page, "#log")
    assert "It works again." in text(page, "#log")
    assert "Ask to be called" in text(page, "#ticket-aside")
    assert told_of(bob, ticket)[-1] == "call_asked"
    assert told_of(alice, ticket)[-1] == "call_logged"


def test_of_an_unassigned_ticket_administrators_hear(alice, ada, kettles):
    ticket = make_ticket(alice, category=kettles)

    calls.ask_for_call(ticket, by=alice, phone=PHONE)

    assert told_of(ada, ticket)[-1] == "call_asked"


@pytest.mark.parametrize(
    ("on_ticket", "of_person", "offered"),
    [("+441134960001", PHONE, "+441134960001"), ("", PHONE, PHONE), ("", "", "")],
)
def test_the_number_is_known_already(login, alice, kettles, on_ticket, of_person, offered):
    alice.phone = of_person
    alice.save()
    ticket = make_ticket(alice, category=kettles, contact_phone=on_ticket)

    page = login(alice).get(reverse("tickets:ask_for_call", args=[ticket.reference]))

    assert page.context["form"]["phone"].initial == offered


@pytest.mark.parametrize("phone", ["", "soon", "12"])
def test_a_number_it_must_be(login, ticket, alice, phone):
    page = ask(login(alice), ticket, phone, "Kept words")

    assert page.status_code == 422
    assert 'value="Kept words"' in page.text
    assert not CallRequest.objects.exists()


@pytest.mark.plan("SEC-E1")
def test_one_call_waits_at_a_time(login, ticket, alice):
    ask(login(alice), ticket)

    page = ask(login(alice), ticket, "+441134960001")

    assert "You have asked for a call already." in page.text
    assert CallRequest.objects.get().phone == PHONE
    calls.drop_call(ticket, by=alice)
    ask(login(alice), ticket, "+441134960001")
    assert CallRequest.objects.get().phone == "+441134960001"


def test_taken_back_nobody_keeps_the_number(login, ticket, alice, bob):
    ask(login(alice), ticket)

    page = drop(login(alice), ticket)

    assert "You don’t need the call any more." in text(page, "#log")
    assert not CallRequest.objects.exists()
    assert "113 496" not in login(bob).get(ticket.workspace_url).text
    assert "No call is waiting." in drop(login(alice), ticket).text


def test_to_ask_for_a_call_is_to_answer(ticket, alice, bob):
    """Otherwise a waiting ticket would end for want of an answer."""
    actions.change_status(ticket, Status.WAITING, by=bob)

    calls.ask_for_call(ticket, by=alice, phone=PHONE)

    assert (ticket.status, ticket.awaits_answer) == (Status.OPEN, True)


def test_ended_tickets_are_not_called_about(login, ticket, alice, bob):
    actions.change_status(ticket, Status.CLOSED, by=alice)

    assert "Open it again first." in ask(login(alice), ticket).text
    assert "Open it again first." in log(login(bob), ticket).text
    assert not CallRequest.objects.exists()


@pytest.mark.parametrize("status", [Status.CLOSED, Status.WITHDRAWN])
def test_a_call_that_waits_ends_with_its_ticket(login, ticket, alice, bob, ada, status):
    """It comes back no more than the number does, also when the ticket is opened again."""
    calls.ask_for_call(ticket, by=alice, phone=PHONE)

    actions.change_status(ticket, status, by=ada)

    assert not CallRequest.objects.exists()
    line = ticket.events.last()
    assert (line.kind, line.actor, line.data["status"]) == ("call_dropped", ada, status)
    page = login(alice).get(ticket.get_absolute_url())
    assert "The ticket has ended, so nobody calls any more." in text(page, "#log")
    if status == Status.CLOSED:
        actions.change_status(ticket, Status.OPEN, by=alice)
        assert ticket.waiting_call() is None


def test_a_call_that_waits_outlives_a_solution(ticket, alice, bob):
    """As long as the conversation is open, somebody may still call."""
    calls.ask_for_call(ticket, by=alice, phone=PHONE)

    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Done.", resolution=ResolutionKind.ANSWERED
    )

    assert ticket.waiting_call().phone == PHONE


def test_a_call_nobody_asked_for_is_logged_too(ticket, bob):
    """It counts as the first answer."""
    event = calls.log_call(ticket, by=bob, text="Called to say hello.")

    assert (event.kind, event.data, event.audience) == ("called", {}, "everyone")
    assert ticket.first_responded_at == event.at
    first = ticket.first_responded_at
    calls.log_call(ticket, by=bob, text="And again.")
    assert ticket.first_responded_at == first


def test_a_call_answers_like_a_message(ticket, alice, bob):
    """The next answer is owed anew, and silence begins anew."""
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        calls.log_call(ticket, by=bob, text="Spoke.")
        due_at = ticket.due_at
        post_message(ticket, by=bob, body="As I said.")
        assert ticket.due_at == due_at
        actions.change_status(ticket, Status.WAITING, by=bob)
        due_at = ticket.due_at
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        calls.log_call(ticket, by=bob, text="Spoke again.")

    assert (ticket.status, ticket.due_at > due_at) == (Status.WAITING, True)


@pytest.mark.plan("SEC-E1")
def test_logged_twice_it_is_one_line(login, ticket, bob):
    key = str(uuid.uuid4())

    log(login(bob), ticket, key=key)
    log(login(bob), ticket, key=key)

    assert ticket.events.filter(kind="called").count() == 1
    log(login(bob), ticket)
    assert ticket.events.filter(kind="called").count() == 2


def test_a_call_without_words_is_not_logged(login, ticket, bob):
    page = log(login(bob), ticket, " ")

    assert "Write down what was said" in text(page, ".ccr-error")
    assert not ticket.events.filter(kind="called").exists()


@pytest.mark.parametrize("name", ["carol", "bob", "ada"])
def test_only_whose_ticket_it_is_asks(request, ticket, alice, name):
    person = request.getfixturevalue(name)

    with pytest.raises(PermissionDenied):
        calls.ask_for_call(ticket, by=person, phone=PHONE)
    calls.ask_for_call(ticket, by=alice, phone=PHONE)
    with pytest.raises(PermissionDenied):
        calls.drop_call(ticket, by=person)


@pytest.mark.parametrize("name", ["alice", "carol", "dave"])
def test_only_handlers_log(request, ticket, name):
    with pytest.raises(PermissionDenied):
        calls.log_call(ticket, by=request.getfixturevalue(name), text="Hm.")
    with pytest.raises(TicketRefusal):
        calls.drop_call(ticket, by=ticket.requester)

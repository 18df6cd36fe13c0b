"""D1-14: from the phone call of somebody new to the ticket among their own."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.doors import sign_up, type_code
from messaging.actions import post_message
from notifications.mail import outbox
from tickets.models import Ticket
from tickets.tests.raising import form_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ticket(login, kettles, bob):
    """What Una told Bob on the phone."""
    told = form_of(kettles, requester="una@example.org", first_name="Una", channel="phone")
    login(bob).post(reverse("tickets:new_for_customer"), told | {"take": "on"})
    return Ticket.objects.get()


@pytest.mark.plan("SEC-C12")
def test_a_call_becomes_a_ticket_and_a_sign_up_finds_it(sink, ticket):
    """D0-21, D2-5: told once. Before the sign-up the address alone opens nothing."""
    una = Client()
    outbox.drain()
    (receipt,) = sink.to(ticket.requester)
    assert f"Your ticket has the number {ticket}. This is what Bob wrote down" in receipt.text
    assert f"http://localhost:8000{reverse('account_signup')}" in receipt.text
    assert una.get(ticket.get_absolute_url()).status_code == 302

    sign_up(una, email="una@example.org", first_name="Una")
    outbox.drain()
    type_code(una, sink.to(ticket.requester)[-1]["Subject"].split()[0])

    assert ticket.subject in una.get(reverse("tickets:list")).text
    assert "My I Phone" in una.get(ticket.get_absolute_url()).text


def test_who_has_no_account_yet_is_mailed_the_answer(sink, ticket, bob):
    """And no internal note, and nothing once the ticket is somebody else's or in the bin."""
    post_message(ticket, by=bob, body="Have you tried another socket?")

    outbox.drain()

    *_, answer = sink.to(ticket.requester)
    assert "> Have you tried another socket?" in answer.text
    assert f"http://localhost:8000{reverse('account_signup')}" in answer.text


def test_what_is_no_longer_theirs_is_not_mailed(sink, ticket, ada, carol, bob):
    una = User.objects.get(email="una@example.org")
    post_message(ticket, by=bob, body="Have you tried another socket?")
    Ticket.objects.update(requester=carol)

    outbox.drain()

    assert sink.to(una) == []

"""Raising a ticket: the form, the review, the sending, the confirmation."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from tickets.models import Ticket, TicketDraft, TicketEvent
from tickets.workflow import Status

from .factories import make_ticket
from .raising import IPHONE, NEW, REVIEW, raise_ticket, reviewed, send, write
from .reading import squeeze, text, texts, told


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def nothing_was_raised():
    return not Ticket.objects.exists() and not TicketEvent.objects.exists()


def test_the_query_of_the_test_table_is_stored(client_of_alice, alice, kettles):
    """D1-T16, D0-T12, D0-5, D4-3"""
    write(client_of_alice, kettles)

    done = send(client_of_alice)

    ticket = Ticket.objects.get()
    assert [str(message) for message in get_messages(done.wsgi_request)] == ["Ticket created"]
    assert done.url == reverse("tickets:done", args=[ticket.reference])
    assert (ticket.requester, ticket.category, ticket.priority) == (alice, kettles, "high")
    assert (ticket.subject, ticket.description) == ("Phone does not turn on", IPHONE)
    assert (ticket.status, ticket.assignee) == (Status.NEW, None)
    assert not TicketDraft.objects.exists()


def test_the_confirmation_can_be_reloaded(client_of_alice, alice, kettles):
    """D0-5: on screen."""
    ticket = raise_ticket(client_of_alice, kettles)
    confirmation = reverse("tickets:done", args=[ticket.reference])

    first, again = client_of_alice.get(confirmation), client_of_alice.get(confirmation)

    assert told(first) == ["Ticket created"]
    assert told(again) == []
    for page in (first, again):
        assert text(page, "h1") == "We have your ticket"
        assert ticket.reference in texts(page, ".ccr-no")
        assert alice.email in text(page, "main")


@pytest.mark.plan("SEC-E6")
@pytest.mark.parametrize("is_dropped", [False, True])
def test_of_two_clicks_the_answer_that_is_shown_says_it(client_of_alice, kettles, is_dropped):
    """D4-3: once, whether or not the browser took what the first answer said."""
    write(client_of_alice, kettles)
    sent = reviewed(client_of_alice)

    client_of_alice.post(REVIEW, sent)
    if is_dropped:
        del client_of_alice.cookies["messages"]
    again = client_of_alice.post(REVIEW, sent, follow=True)

    assert Ticket.objects.count() == 1
    assert told(again) == ["Ticket created"]


def test_the_confirmation_is_its_requesters_alone(client_of_alice, login, bob, ada, ticket):
    confirmation = reverse("tickets:done", args=[ticket.reference])
    assert client_of_alice.get(confirmation).status_code == 200

    assert [login(person).get(confirmation).status_code for person in (bob, ada)] == [404, 404]


def test_everything_told_arrives(client_of_alice, kettles):
    """D2-2, D4-2, D0-5"""
    ticket = raise_ticket(
        client_of_alice,
        kettles,
        against="Kettle K2, order 4711",
        incident_on_0="3",
        incident_on_1="11",
        incident_on_2="2024",
        purchased_on_0="01",
        purchased_on_1="02",
        purchased_on_2="2023",
        contact_phone="+44 113 496 0000",
    )

    assert ticket.against == "Kettle K2, order 4711"
    assert ticket.incident_on == date(2024, 11, 3)
    assert ticket.purchased_on == date(2023, 2, 1)
    assert ticket.contact_phone.as_e164 == "+441134960000"


def test_the_review_shows_everything_and_has_sent_nothing(client_of_alice, alice, kettles):
    """D4-2"""
    write(
        client_of_alice,
        kettles,
        against="Kettle K2",
        incident_on_0="3",
        incident_on_1="11",
        incident_on_2="2024",
    )

    page = client_of_alice.get(REVIEW)

    answers = texts(page, "dd")
    for answer in (
        "Faulty product",
        "Phone does not turn on",
        squeeze(IPHONE),
        "High: I can’t use what I paid for",
        "Kettle K2",
        "3 November 2024",
        "Alice Archer",
        alice.email,
    ):
        assert answer in answers
    assert "Nothing has been sent yet." in text(page, "main")
    assert nothing_was_raised()


def test_as_many_as_wanted(client_of_alice, kettles):
    """D1-7"""
    references = [raise_ticket(client_of_alice, kettles).reference for _number in range(3)]

    year = timezone.localdate().year
    assert references == [f"CCR-{year}-0000{number}" for number in (1, 2, 3)]


# --- Once, and not too often -------------------------------------------------------


@pytest.mark.plan("SEC-E1")
def test_sending_again_shows_the_first(client_of_alice, kettles):
    """A double click, a reload, the way back in the browser."""
    write(client_of_alice, kettles)
    seen = reviewed(client_of_alice)

    answers = [client_of_alice.post(REVIEW, seen) for _click in range(3)]

    ticket = Ticket.objects.get()
    assert {answer.url for answer in answers} == {reverse("tickets:done", args=[ticket.reference])}
    assert ticket.event_count == 1


@pytest.mark.parametrize("key", ["", "x", "\0", "11111111-1111-1111-1111-11111111111"])
def test_a_broken_key_leads_back_to_the_review(client_of_alice, kettles, key):
    write(client_of_alice, kettles)

    assert client_of_alice.post(REVIEW, {"key": key}).url == REVIEW
    assert nothing_was_raised()


def test_with_nothing_to_send_the_review_leads_to_the_form(client_of_alice):
    assert client_of_alice.get(REVIEW).url == NEW


@pytest.mark.plan("SEC-E1")
def test_somebody_elses_draft_is_not_found(login, alice, carol, kettles):
    client = login(alice)
    write(client, kettles)
    seen = reviewed(client)

    assert login(carol).post(REVIEW, seen).status_code == 404
    assert nothing_was_raised()

    assert login(alice).post(REVIEW, seen).status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.requester == alice
    assert login(carol).post(REVIEW, seen).status_code == 404


def test_thirty_in_an_hour_are_enough_and_nothing_is_lost(client_of_alice, alice, kettles):
    """The draft with its files stays, and goes out when the hour is over."""
    for _number in range(30):
        make_ticket(requester=alice, category=kettles)
    write(client_of_alice, kettles, subject="The thirty-first")
    draft = TicketDraft.objects.get()

    answer = client_of_alice.post(REVIEW, reviewed(client_of_alice), follow=True)

    assert told(answer) == [
        "You have raised many tickets within an hour. Try again a little later."
    ]
    assert Ticket.objects.count() == 30
    assert TicketDraft.objects.get() == draft
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1)):
        send(client_of_alice)
    last = Ticket.objects.latest("pk")
    assert last.subject == "The thirty-first"
    assert last.reference.endswith("-00031")  # the refused one took no number


def test_agents_raise_complaints_of_their_own(login, bob, kettles):
    ticket = raise_ticket(login(bob), kettles)

    assert ticket.requester == bob


def test_who_waits_for_approval_raises_nothing(login, pete, alice, kettles):
    assert write(login(pete), kettles).status_code == 403
    assert not TicketDraft.objects.exists()

    assert write(login(alice), kettles).url == REVIEW


@pytest.mark.plan("SEC-H5")
@pytest.mark.parametrize("name", [None, "alice"])
def test_what_was_typed_stays_in_no_cache(client, login, request, kettles, name):
    if name:
        login(request.getfixturevalue(name))
    write(client, kettles)

    for page in (client.get(NEW), client.get(REVIEW)):
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client_of_alice, method):
    assert getattr(client_of_alice, method)(NEW).status_code == 405
    assert getattr(client_of_alice, method)(REVIEW).status_code == 405


def test_numbers_begin_anew_each_year(alice, kettles):
    with time_machine.travel("2026-12-31 23:00 +0000"):
        old = make_ticket(requester=alice, category=kettles)
    with time_machine.travel("2027-01-01 01:00 +0000"):
        new = make_ticket(requester=alice, category=kettles)

    assert [old.reference, new.reference] == ["CCR-2026-00001", "CCR-2027-00001"]

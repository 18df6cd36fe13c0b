"""Closing, withdrawing, opening again; and the conversation that is shut with the ticket."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from messaging import actions
from messaging.actions import ChatClosed, chat_closed_words
from tickets import actions as tickets
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.reading import text, texts, told
from tickets.workflow import ResolutionKind, Status

from .inbound.mails import answer_to, take_in
from .talking import reply, write

LIST = reverse("tickets:list")


def act(client, ticket, verb):
    return client.post(reverse(f"messaging:{verb}", args=[ticket.reference]), follow=True)


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


# --- What the requester does -----------------------------------------------------------


def test_the_requester_closes_and_is_back_at_the_list(client_of_alice, ticket):
    """D1-9, D0-6, D0-T10"""
    page = act(client_of_alice, ticket, "close")

    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution_kind) == (Status.CLOSED, "solved_by_customer")
    assert page.redirect_chain == [(LIST, 302)]
    assert told(page) == [f"{ticket} is closed. Thank you for telling us."]
    assert texts(page, ".ccr-stub__title") == []


def test_the_requester_withdraws(client_of_alice, ticket):
    """D0-6, D0-T11: gone from the open list, kept in the records."""
    page = act(client_of_alice, ticket, "withdraw")

    ticket.refresh_from_db()
    assert ticket.status == Status.WITHDRAWN
    assert page.redirect_chain == [(LIST, 302)]
    assert told(page) == [f"{ticket} is withdrawn."]
    assert texts(page, ".ccr-stub__title") == []
    kept = client_of_alice.get(LIST, {"tab": "all"})
    assert texts(kept, ".ccr-stub__title") == ["Kettle stopped heating"]


@pytest.mark.parametrize("ending", [Status.RESOLVED, Status.CLOSED])
def test_the_requester_opens_again(client_of_alice, alice, bob, ada, kettles, ending):
    """The same agent goes on with it."""
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=ending)

    page = act(client_of_alice, ticket, "reopen")

    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.reopen_count) == (Status.OPEN, bob, 1)
    assert page.redirect_chain == [(ticket.get_absolute_url(), 302)]
    assert told(page) == [f"{ticket} is open again."]
    assert texts(page, "#reply") != []


@pytest.mark.parametrize(
    ("status", "reader", "words"),
    [
        (Status.RESOLVED, "alice", "You opened the ticket again."),
        (Status.RESOLVED, "bob", "Alice Archer opened the ticket again."),
        (Status.CLOSED, "alice", "You opened the ticket again."),
        (Status.CLOSED, "bob", "Alice Archer opened the ticket again."),
        (Status.WAITING, "alice", "Ada Adler waits for your answer."),
        (Status.WAITING, "bob", "Ada Adler set the ticket to waiting on customer."),
    ],
)
def test_what_a_mail_opened_again_says_so(
    login, request, settings, alice, bob, ada, kettles, status, reader, words
):
    """That an answer ended the waiting, it tells itself."""
    settings.REPLY_ADDRESS = "care@example.net"
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)
    take_in(answer_to(ticket, alice))
    person = request.getfixturevalue(reader)

    page = login(person).get(ticket.url_for(person))

    assert texts(page, ".ccr-log__event")[-1].rpartition(" ")[0] == words


@pytest.mark.parametrize(
    ("status", "step"), [(Status.CLOSED, "Opened again"), (Status.WAITING, "You answered")]
)
def test_the_timeline_tells_it_from_an_answer(
    client_of_alice, settings, alice, bob, ada, kettles, status, step
):
    """D3-2"""
    settings.REPLY_ADDRESS = "care@example.net"
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)
    take_in(answer_to(ticket, alice))

    page = client_of_alice.get(ticket.get_absolute_url())

    *_before, last, _to_come = texts(page, ".ccr-timeline__what")
    assert last == step


def test_too_late_to_open_again(login, alice, client_of_alice, ticket):
    act(client_of_alice, ticket, "close")

    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        page = act(login(alice), ticket, "reopen")

    ticket.refresh_from_db()
    assert ticket.status == Status.CLOSED
    assert told(page) == [f"{ticket} cannot go from Closed to In progress."]
    assert page.redirect_chain == [(ticket.get_absolute_url(), 302)]


@pytest.mark.plan("SEC-E6")
@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("close", "{} is closed. Thank you for telling us."),
        ("withdraw", "{} is withdrawn."),
        ("reopen", "{} is open again."),
    ],
)
def test_the_second_of_two_clicks_hears_the_same(client_of_alice, ticket, verb, words):
    if verb == "reopen":
        act(client_of_alice, ticket, "close")
    ticket.refresh_from_db()
    lines = ticket.event_count

    pages = [act(client_of_alice, ticket, verb) for _click in range(2)]

    ticket.refresh_from_db()
    assert [told(page) for page in pages] == [[words.format(ticket)]] * 2
    assert ticket.event_count == lines + 1


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        (Status.RESOLVED, "withdraw"),
        (Status.CLOSED, "withdraw"),
        (Status.WITHDRAWN, "close"),
        (Status.WITHDRAWN, "reopen"),
        (Status.WAITING, "reopen"),
    ],
)
def test_what_the_table_does_not_hold_is_refused_in_words(
    client_of_alice, alice, bob, ada, kettles, status, verb
):
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)

    page = act(client_of_alice, ticket, verb)

    (words,) = told(page)
    assert words.startswith(f"{ticket} cannot go from ")
    assert page.redirect_chain == [(ticket.get_absolute_url(), 302)]
    ticket.refresh_from_db()
    assert ticket.status == status


@pytest.mark.plan("SEC-A2")
@pytest.mark.parametrize("verb", ["close", "withdraw", "reopen"])
def test_nobody_else_uses_the_requesters_buttons(login, alice, bob, carol, dave, ada, ticket, verb):
    lines = ticket.event_count

    for person, status in ((carol, 404), (dave, 404), (bob, 403), (ada, 403)):
        assert act(login(person), ticket, verb).status_code == status

    ticket.refresh_from_db()
    assert ticket.event_count == lines
    assert act(login(alice), ticket, verb).status_code == 200


@pytest.mark.plan("SEC-B14")
@pytest.mark.parametrize("verb", ["close", "withdraw", "reopen", "rate", "reply"])
def test_opening_an_address_changes_nothing(client_of_alice, ticket, verb):
    """Mail scanners follow links."""
    url = reverse(f"messaging:{verb}", args=[ticket.reference])

    assert client_of_alice.get(url).status_code == 405
    assert client_of_alice.head(url).status_code == 405
    assert Ticket.objects.get().event_count == 3


# --- The conversation is shut for both sides ----------------------------------------------


def end(ticket, how, alice, bob, ada):
    """Alice's ticket ends, by whom and how ``how`` says."""
    by = {"alice": alice, "bob": bob, "ada": ada}[how.split()[0]]
    to = Status.WITHDRAWN if how.endswith("withdraws") else Status.CLOSED
    tickets.change_status(ticket, to, by=by)


@pytest.mark.plan("SEC-A12")
@pytest.mark.parametrize(
    ("how", "words_of_alice", "words_of_bob"),
    [
        (
            "alice closes",
            "You closed this ticket. Chats are disabled",
            "Alice Archer closed this ticket. Chats are disabled",
        ),
        (
            "bob closes",
            "Bob Baker closed this ticket. Chats are disabled",
            "You closed this ticket. Chats are disabled",
        ),
        (
            "ada closes",
            "Ada Adler closed this ticket. Chats are disabled",
            "Ada Adler closed this ticket. Chats are disabled",
        ),
        (
            "alice withdraws",
            "You withdrew this ticket. Chats are disabled",
            "Alice Archer withdrew this ticket. Chats are disabled",
        ),
        (
            "ada withdraws",
            "Ada Adler withdrew this ticket. Chats are disabled",
            "Ada Adler withdrew this ticket. Chats are disabled",
        ),
    ],
)
def test_the_chat_is_disabled_and_says_so(
    login, alice, bob, ada, ticket, how, words_of_alice, words_of_bob
):
    """D1-9: in these words, on the page and when somebody writes all the same."""
    end(ticket, how, alice, bob, ada)
    lines = ticket.event_count

    client = login(alice)
    page = client.get(ticket.get_absolute_url())
    assert text(page, "#composer") == words_of_alice
    answer = reply(client, ticket, "One more thing: it is the K2.")
    assert answer.status_code == 403
    assert text(answer, "#composer").startswith(words_of_alice)

    client = login(bob)
    page = client.get(ticket.workspace_url)
    assert words_of_bob in text(page, "#composer")
    assert "Reply to Alice" not in text(page, "#composer")
    answer = write(client, ticket, "One more thing.", seen=1, then="waiting")
    assert answer.status_code == 403
    assert words_of_bob in text(answer, "#composer")

    ticket.refresh_from_db()
    assert ticket.event_count == lines
    assert texts(login(alice).get(ticket.get_absolute_url()), ".ccr-msg__text") != []


def test_what_could_not_be_sent_any_more_is_not_lost(client_of_alice, bob, ticket):
    """The agent closed while the customer wrote."""
    tickets.change_status(ticket, Status.CLOSED, by=bob)

    answer = reply(client_of_alice, ticket, "A long <answer>")

    assert text(answer, "#composer") == (
        "Bob Baker closed this ticket. Chats are disabled"
        " What you wrote. It was not sentA long <answer>"
    )


@pytest.mark.plan("SEC-A12")
def test_opening_again_switches_the_chat_on(login, alice, bob, ticket):
    client = login(alice)
    act(client, ticket, "close")
    assert reply(client, ticket, "Hello").status_code == 403

    act(client, ticket, "reopen")

    assert reply(client, ticket, "Hello").status_code == 302
    assert write(login(bob), ticket, "Hello", seen="").status_code == 302


def test_a_resolved_ticket_is_still_talked_about(login, alice, bob, ticket):
    tickets.change_status(
        ticket, Status.RESOLVED, by=bob, text="Done.", resolution=ResolutionKind.OTHER
    )

    assert reply(login(alice), ticket, "Thank you").status_code == 302
    assert write(login(bob), ticket, "You are welcome", seen="").status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == Status.RESOLVED


def test_the_words_of_who_closed_last(alice, bob, ada, ticket):
    tickets.change_status(ticket, Status.CLOSED, by=alice)
    tickets.change_status(ticket, Status.OPEN, by=bob)
    assert chat_closed_words(ticket, alice) == ""

    tickets.change_status(ticket, Status.CLOSED, by=bob)

    assert chat_closed_words(ticket, bob) == "You closed this ticket. Chats are disabled"
    assert chat_closed_words(ticket, alice) == "Bob Baker closed this ticket. Chats are disabled"


def test_a_rating_closes_in_the_requesters_name(login, alice, bob, ticket):
    tickets.change_status(
        ticket, Status.RESOLVED, by=bob, text="Done.", resolution=ResolutionKind.OTHER
    )
    tickets.rate(ticket, by=alice, rating=5)

    assert chat_closed_words(ticket, alice) == "You closed this ticket. Chats are disabled"


@pytest.mark.plan("SEC-A12")
def test_no_door_of_the_actions_is_open(alice, bob, ada, ticket):
    tickets.change_status(ticket, Status.CLOSED, by=alice)

    for person in (alice, bob, ada):
        with pytest.raises(ChatClosed, match=r"closed this ticket\. Chats are disabled"):
            actions.post_message(ticket, by=person, body="Hello")
    assert actions.post_note(ticket, by=bob, body="For us.")


def test_a_retry_of_what_was_sent_before_the_end_is_no_refusal(client_of_alice, bob, ticket):
    key = uuid4()
    reply(client_of_alice, ticket, "The last word", key)
    tickets.change_status(Ticket.objects.get(), Status.CLOSED, by=bob)

    assert reply(client_of_alice, ticket, "The last word", key).status_code == 302
    assert ticket.events.filter(kind="message").count() == 1

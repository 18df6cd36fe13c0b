"""Replies that are held: something arrived that the writer has not seen."""

import pytest

from messaging import actions
from messaging.actions import ReplyHeld
from messaging.models import Message
from tickets import actions as tickets
from tickets.tests.reading import texts, typed
from tickets.workflow import ResolutionKind, Status

from .talking import write


def refusals(page):
    """The red banners above the box."""
    return texts(page, ".ccr-banner--bad")[2:]  # two wait hidden for a lost connection


def said(ticket):
    return list(ticket.events.filter(kind="message").values_list("text", flat=True))


@pytest.fixture
def client_of_bob(login, bob):
    return login(bob)


def typed_choice(page, name):
    """What the browser would send of a select nobody touched."""
    options = page.text.split(f'name="{name}">')[1].split("</select>")[0]
    chosen = options.split(" selected>")[0] if " selected>" in options else options
    return chosen.split('value="')[1 if chosen is options else -1].split('"')[0]


@pytest.mark.plan("SEC-E4")
@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 new message arrived while you were writing. Your reply has not been sent."),
        (2, "2 new messages arrived while you were writing. Your reply has not been sent."),
    ],
)
def test_a_reply_is_held_when_something_new_came(client_of_bob, alice, ticket, count, words):
    """What came is shown, the text stays, and sending again sends."""
    seen = ticket.event_count
    for number in range(count):
        actions.post_message(ticket, by=alice, body=f"News {number}")

    page = write(client_of_bob, ticket, "My answer", seen=seen, then="waiting")

    assert page.status_code == 409
    assert refusals(page) == [words]
    assert "News 0" in texts(page, ".ccr-copy__text")
    assert typed(page, "body") == "My answer"
    assert typed_choice(page, "then") == "waiting"
    assert "My answer" not in said(ticket)

    again = write(
        client_of_bob, ticket, "My answer",
        key=typed(page, "key"), seen=typed(page, "seen"), then="waiting",
    )  # fmt: skip
    assert again.status_code == 302
    assert said(ticket)[-1] == "My answer"


def test_an_answer_that_also_moved_the_ticket_is_one_message(client_of_bob, alice, bob, ticket):
    actions.post_message(ticket, by=bob, body="Which model?", then=Status.WAITING)
    seen = ticket.event_count
    actions.post_message(ticket, by=alice, body="The K2.")

    page = write(client_of_bob, ticket, "Well?", seen=seen)

    assert refusals(page) == [
        "1 new message arrived while you were writing. Your reply has not been sent."
    ]


def test_a_move_by_somebody_else_holds_a_reply_too(client_of_bob, ada, ticket):
    seen = ticket.event_count
    tickets.change_status(
        ticket, Status.RESOLVED, by=ada, text="Done.", resolution=ResolutionKind.OTHER
    )

    page = write(client_of_bob, ticket, "My answer", seen=seen, then="waiting")

    assert page.status_code == 409
    assert refusals(page) == [
        "1 new message arrived while you were writing. Your reply has not been sent."
    ]
    assert typed(page, "body") == "My answer"


def test_what_is_no_news_to_the_customer_holds_nothing(client_of_bob, bob, ada, ticket):
    """One's own lines, notes, and how the ticket is sorted."""
    seen = ticket.event_count
    actions.post_message(ticket, by=bob, body="From another window.")
    actions.post_note(ticket, by=ada, body="By the way.")
    tickets.classify(ticket, by=ada, priority="high", category=ticket.category)

    assert write(client_of_bob, ticket, "My answer", seen=seen).status_code == 302


def test_a_page_that_does_not_say_what_it_has_seen_is_not_held(client_of_bob, alice, ticket):
    actions.post_message(ticket, by=alice, body="Hello?")

    assert write(client_of_bob, ticket, "My answer", seen="").status_code == 302


def test_the_requester_is_never_held(alice, bob, ticket):
    actions.post_message(ticket, by=bob, body="Hello.")

    assert actions.post_message(ticket, by=alice, body="Hello", seen=1)
    with pytest.raises(ReplyHeld):
        actions.post_message(ticket, by=bob, body="Hello", seen=1)


def test_after_a_refused_move_the_page_counts_the_lines_there_are(client_of_bob, bob, ada, ticket):
    """The message that was undone with the move is no line, so the next one is not missed."""
    tickets.change_status(
        ticket, Status.RESOLVED, by=bob, text="Done.", resolution=ResolutionKind.OTHER
    )
    lines = ticket.event_count

    page = write(client_of_bob, ticket, "And?", then="waiting")

    assert page.status_code == 409
    assert refusals(page) == [f"{ticket} cannot go from Resolved to Waiting on customer."]
    assert typed(page, "seen") == str(lines)
    assert f'data-last="{lines}"' in page.text
    assert not Message.objects.exists()

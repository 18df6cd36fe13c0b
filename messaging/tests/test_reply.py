"""The requester writes: words, files, both, once."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from messaging import actions
from messaging.models import Message
from tickets.actions import change_status
from tickets.models import Attachment, TicketEvent
from tickets.tests.factories import make_ticket
from tickets.tests.files import EXE, PDF, PNG, download, file, stored
from tickets.tests.hostile import STRINGS
from tickets.tests.reading import lines, problems, squeeze, texts, typed
from tickets.workflow import Part, Status, TransitionRefused

from .talking import reply


def said(ticket):
    return list(ticket.events.filter(kind="message").values_list("actor__first_name", "text"))


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def test_a_message_is_stored_and_shown(client_of_alice, alice, ticket):
    """D1-8, D4-4: and the form leads back to it."""
    answer = reply(client_of_alice, ticket, "It still does not heat.")

    ticket.refresh_from_db()
    message = Message.objects.get()
    assert (message.body, message.actor, message.audience) == (
        "It still does not heat.", alice, "everyone",
    )  # fmt: skip
    assert message.number == ticket.event_count
    assert (ticket.message_count, ticket.last_message_by) == (2, Part.REQUESTER)
    assert ticket.last_event_at == message.at
    assert answer.url == f"{ticket.get_absolute_url()}#latest"
    assert texts(client_of_alice.get(answer.url), ".ccr-msg__text")[-1] == "It still does not heat."


def test_the_open_page_gets_no_page_back(client_of_alice, ticket):
    """It asks for the lines itself."""
    url = reverse("messaging:reply", args=[ticket.reference])

    answer = client_of_alice.post(url, {"body": "Hello"}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert said(ticket) == [("Alice", "Hello")]


@pytest.mark.plan("SEC-B1")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "Type something!"),
        (" \r\n\t ", "Type something!"),
        ("x" * 50_001, "Use 50,000 characters or less"),
        ("x" * 1_000_000, "Use 50,000 characters or less"),
        ("before\0after", "Null characters are not allowed."),
    ],
)
def test_what_can_not_be_sent_is_kept_with_the_reason(client_of_alice, ticket, body, words):
    """D1-17"""
    page = reply(client_of_alice, ticket, body)

    assert page.status_code == 422
    assert problems(page)[0] == [words]
    assert typed(page, "body").strip() == body.strip()
    assert texts(page, "title")[0].startswith("Error: ")
    assert said(ticket) == []


@pytest.mark.parametrize("body", ["x", "x" * 50_000, "line\r\n" * 9_000])
def test_what_just_fits_is_sent(client_of_alice, ticket, body):
    reply(client_of_alice, ticket, body)

    assert said(ticket) == [("Alice", body.replace("\r\n", "\n").strip())]


@pytest.mark.plan("SEC-B2")
def test_hostile_words_come_back_as_they_were(login, alice, bob, ticket):
    client = login(alice)
    for words in STRINGS:
        reply(client, ticket, words)

    assert [body for _name, body in said(ticket)] == STRINGS
    shown = texts(client.get(f"{ticket.get_absolute_url()}?all=1"), ".ccr-msg__text")
    assert shown[1:] == [squeeze(words) for words in STRINGS]
    shown = texts(login(bob).get(f"{ticket.workspace_url}?all=1"), ".ccr-copy__text")
    assert shown[1:] == [squeeze(words) for words in STRINGS]


def test_paragraphs_and_lines_stay(client_of_alice, ticket):
    reply(client_of_alice, ticket, "One.\r\nTwo.\r\n\r\n<b>Three.</b>")

    page = client_of_alice.get(ticket.get_absolute_url())
    assert ">One.\nTwo.\n\n&lt;b&gt;Three.&lt;/b&gt;<" in page.text


# --- Once -----------------------------------------------------------------------------


@pytest.mark.plan("SEC-E1")
def test_the_same_key_is_one_message(client_of_alice, ticket):
    key = uuid4()

    answers = [reply(client_of_alice, ticket, "Hello", key) for _click in range(3)]

    assert said(ticket) == [("Alice", "Hello")]
    assert {answer.url for answer in answers} == {f"{ticket.get_absolute_url()}#latest"}
    reply(client_of_alice, ticket, "Hello")
    assert said(ticket) == [("Alice", "Hello")] * 2


@pytest.mark.plan("SEC-E1")
def test_a_retry_with_its_files_is_one_message_with_its_files_once(
    client_of_alice, ticket, settings
):
    """The answer was lost on the way, so the page sends everything again."""
    key = uuid4()
    for _try in range(2):
        answer = reply(client_of_alice, ticket, "Look", key, [file("a.png"), file("b.pdf", PDF)])
        assert answer.status_code == 302

    message = Message.objects.get()
    assert sorted(message.attachments.values_list("name", flat=True)) == ["a.png", "b.pdf"]
    assert Attachment.objects.count() == len(stored(settings)) == 2


def test_a_key_of_one_ticket_is_new_to_another(client_of_alice, alice, ticket, kettles):
    other, key = make_ticket(requester=alice, category=kettles), uuid4()

    reply(client_of_alice, ticket, "Hello", key)
    reply(client_of_alice, other, "Hello", key)

    assert said(ticket) == said(other) == [("Alice", "Hello")]


@pytest.mark.plan("SEC-E1")
def test_somebody_elses_key_says_nothing(login, alice, bob, ticket):
    """Nor shows what was said with it."""
    key = uuid4()
    reply(login(alice), ticket, "Hello", key)

    for act in (actions.post_message, actions.post_note):
        with pytest.raises(PermissionDenied), transaction.atomic():
            act(ticket, by=bob, body="Mine", key=key)
    url = reverse("messaging:write", args=[ticket.reference])
    answer = login(bob).post(url, {"body": "Mine", "key": key, "kind": "reply"})

    assert answer.status_code == 403
    assert said(ticket) == [("Alice", "Hello")]


@pytest.mark.parametrize("key", ["", "x", "\0", "None", "1" * 31, "1" * 5_000])
def test_without_a_usable_key_there_is_a_new_one(client_of_alice, ticket, key):
    """Nothing is lost by it, files neither."""
    url = reverse("messaging:reply", args=[ticket.reference])

    page = client_of_alice.post(url, {"body": "", "key": key, "files": [file("a.exe", EXE)]})
    assert page.status_code == 422
    assert problems(page)[0] == ["Type something!", "a.exe must be a JPG, PNG, PDF, TXT or MP4"]
    page = client_of_alice.post(
        url, {"body": "", "key": typed(page, "key"), "files": [file("a.png"), file("b.exe", EXE)]}
    )
    assert texts(page, ".ccr-file__name") == ["a.png"]
    client_of_alice.post(url, {"body": "Look", "key": typed(page, "key")})

    assert list(Message.objects.values_list("text", "attachments__name")) == [("Look", "a.png")]


# --- Files ------------------------------------------------------------------------------


def test_a_file_comes_with_the_words(login, alice, bob, ticket):
    """D1-14: byte for byte, for both sides."""
    reply(login(alice), ticket, "Look", files=[file("kettle.png")])

    attachment = Attachment.objects.get()
    assert attachment.event == Message.objects.get()
    assert attachment.sha256 == hashlib.sha256(PNG).hexdigest()
    for person in (alice, bob):
        client = login(person)
        assert texts(client.get(ticket.url_for(person)), ".ccr-file__name") == ["kettle.png"]
        assert download(client, attachment).body == PNG


def test_a_file_may_stand_for_words(client_of_alice, ticket):
    reply(client_of_alice, ticket, "", files=[file("kettle.png")])

    assert said(ticket) == [("Alice", "")]
    page = client_of_alice.get(ticket.get_absolute_url())
    assert texts(page, ".ccr-file__name") == ["kettle.png"]


@pytest.mark.plan("SEC-B9")
def test_a_refused_file_keeps_the_words_and_the_other_files(client_of_alice, ticket, settings):
    """And can be taken back before it goes out."""
    page = reply(client_of_alice, ticket, "Look", files=[file("a.png"), file("b.exe", EXE)])
    assert page.status_code == 422
    assert problems(page)[0] == ["b.exe must be a JPG, PNG, PDF, TXT or MP4"]
    assert typed(page, "body") == "Look"
    assert texts(page, ".ccr-file__name") == ["a.png"]
    assert said(ticket) == []

    key = typed(page, "key")
    page = reply(client_of_alice, ticket, "Look", key, remove=Attachment.objects.get().pk)
    assert texts(page, ".ccr-file__name") == []
    assert typed(page, "body") == "Look"
    assert stored(settings) == []

    reply(client_of_alice, ticket, "Look", key)
    assert said(ticket) == [("Alice", "Look")]


@pytest.mark.plan("SEC-B6")
def test_eleven_files_are_one_too_many(client_of_alice, ticket):
    files = [file(f"{number}.png", PNG + bytes([number])) for number in range(11)]

    page = reply(client_of_alice, ticket, "Look", files=files)

    assert problems(page)[0] == ["You can add up to 10 files"]
    assert len(texts(page, ".ccr-file__name")) == 10


def test_links_on_the_page_with_an_error_lead_to_the_ticket(client_of_alice, alice, ticket):
    """It stands at the address of the form, where nothing can be asked for."""
    for number in range(20):
        actions.post_message(ticket, by=alice, body=f"Word {number}")
    page = reply(client_of_alice, ticket, "")

    home = ticket.get_absolute_url()
    assert f'hx-get="{home}lines/?before=' in page.text
    assert f'href="{home}?all=1#talk"' in page.text
    assert f'href="{home}?now=' in page.text
    assert f'?next={home}"' in page.text
    assert len(lines(page)) == 10


# --- What else it does --------------------------------------------------------------------


def test_an_answer_ends_the_waiting(client_of_alice, alice, bob, ticket):
    """D4-4: the message and the move are two lines of one step."""
    actions.post_message(ticket, by=bob, body="Which model?", then=Status.WAITING)
    ticket.refresh_from_db()
    assert ticket.status == Status.WAITING

    reply(client_of_alice, ticket, "The K2.")

    ticket.refresh_from_db()
    message, move = ticket.events.order_by("-number")[:2][::-1]
    assert (message.kind, message.text) == ("message", "The K2.")
    assert (move.kind, move.actor) == ("status", alice)
    assert move.data == {"from": "waiting", "to": "open", "why": "reply"}
    assert ticket.status == Status.OPEN


@pytest.mark.parametrize("status", [Status.OPEN, Status.HOLD])
def test_elsewhere_an_answer_moves_nothing(alice, bob, ticket, status):
    words = {"text": "So it is.", "until": timezone.localdate(), "resolution": "other"}
    if status != Status.OPEN:
        change_status(ticket, status, by=bob, **words)
    due_at = ticket.due_at

    actions.post_message(ticket, by=alice, body="Thank you.")

    ticket.refresh_from_db()
    assert (ticket.status, ticket.due_at) == (status, due_at)


def test_a_question_brings_our_answer_nearer_but_never_puts_it_off(alice, bob, ada, kettles):
    """D1-15: asking again and again gains nobody time."""
    start = datetime(2026, 11, 16, 8, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)

    due = []
    for hours in (1, 2):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            actions.post_message(ticket, by=alice, body="Any news?")
        due.append(ticket.due_at)

    assert due == [start + timedelta(hours=4)] * 2


@pytest.mark.plan("SEC-A2")
def test_others_do_not_write_here(login, bob, carol, dave, ada, alice, ticket):
    assert reply(login(carol), ticket, "Hello").status_code == 404
    assert reply(login(dave), ticket, "Hello").status_code == 404
    assert reply(login(bob), ticket, "Hello").status_code == 403  # by their own page only
    assert reply(login(ada), ticket, "Hello").status_code == 403
    for person in (carol, dave):
        with pytest.raises(PermissionDenied):
            actions.post_message(ticket, by=person, body="Hello")
    assert said(ticket) == []

    assert reply(login(alice), ticket, "Hello").status_code == 302


@pytest.mark.plan("SEC-A7")
def test_nothing_but_words_is_taken(login, alice, bob, ticket):
    """Not another author, not another time, not a note, not a move."""
    reply(
        login(alice), ticket, "Hello",
        actor=bob.pk, number=99, audience="staff", kind="note", at="1999-01-01",
        then="resolved", resolution="other", is_internal="1", status="closed",
    )  # fmt: skip

    line = TicketEvent.objects.latest("pk")
    assert (line.actor, line.audience, line.kind) == (alice, "everyone", "message")
    assert line.number == 4
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN


def test_a_requester_moves_nothing_with_a_message(alice, ticket):
    with pytest.raises(TransitionRefused):
        actions.post_message(ticket, by=alice, body="Done!", then=Status.WAITING)

    assert said(ticket) == []


@pytest.mark.parametrize("nothing", ["\u200b", "\u200d\ufeff", "\u2060 \u00a0"])
def test_what_nobody_can_see_says_nothing(client_of_alice, ticket, nothing):
    answer = reply(client_of_alice, ticket, nothing)

    assert answer.status_code == 422
    assert said(ticket) == []

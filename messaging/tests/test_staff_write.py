"""Staff write: replies with a move beside them, and notes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from messaging import actions
from messaging.models import Message
from tickets import actions as tickets
from tickets.models import Attachment, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.files import EXE, file
from tickets.tests.reading import problems, text, texts, typed
from tickets.workflow import Part, Status, TransitionRefused

from .talking import write

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


def said(ticket):
    return list(ticket.events.filter(kind="message").values_list("text", flat=True))


@pytest.fixture
def client_of_bob(login, bob):
    return login(bob)


# --- A reply ------------------------------------------------------------------------


def test_a_reply_reaches_the_customer(login, alice, client_of_bob, ticket):
    """D1-8, D4-4"""
    answer = write(client_of_bob, ticket, "Which model is it?")

    ticket.refresh_from_db()
    assert answer.url == f"{ticket.workspace_url}#latest"
    assert (ticket.status, ticket.last_message_by) == (Status.OPEN, Part.ASSIGNEE)
    page = login(alice).get(ticket.get_absolute_url())
    assert texts(page, ".ccr-msg__text")[-1] == "Which model is it?"
    assert texts(page, ".ccr-msg__by")[-1].startswith("Bob Baker")


def test_the_first_response_is_the_first(bob, ada, alice, kettles):
    with time_machine.travel(MONDAY, tick=False):
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        actions.post_note(ticket, by=bob, body="Looks simple.")
        actions.post_message(ticket, by=alice, body="Hello?")
    assert ticket.first_responded_at is None

    for hours in (1, 2):
        with time_machine.travel(MONDAY + timedelta(hours=hours), tick=False):
            actions.post_message(ticket, by=bob, body="Hello.")

    ticket.refresh_from_db()
    assert ticket.first_responded_at == MONDAY + timedelta(hours=1)


def test_a_reply_renews_the_promise(bob, ticket):
    """D1-15"""
    with time_machine.travel(MONDAY + timedelta(days=9), tick=False):
        actions.post_message(ticket, by=bob, body="Tomorrow.")

    assert ticket.due_at == MONDAY + timedelta(days=9, hours=4)


def test_a_reply_on_hold_leaves_the_hold(bob, ticket):
    until = MONDAY.date() + timedelta(days=30)
    with time_machine.travel(MONDAY, tick=False):
        tickets.change_status(ticket, Status.HOLD, by=bob, text="A part.", until=until)
        due_at = ticket.due_at
        actions.post_message(ticket, by=bob, body="Still waiting for it.")

    assert (ticket.status, ticket.due_at) == (Status.HOLD, due_at)


def test_an_administrator_replies_too(login, ada, alice, kettles):
    """Without an agent as well; nothing is moved unless they say so."""
    ticket = make_ticket(requester=alice, category=kettles)
    client = login(ada)
    assert typed_choice(client.get(ticket.workspace_url), "then") == ""

    write(client, ticket, "We are looking for somebody.")

    ticket.refresh_from_db()
    assert (ticket.status, said(ticket)) == (Status.NEW, ["We are looking for somebody."])
    assert ticket.first_responded_at


def typed_choice(page, name):
    """What the browser would send of a select nobody touched."""
    options = page.text.split(f'name="{name}">')[1].split("</select>")[0]
    chosen = options.split(" selected>")[0] if " selected>" in options else options
    return chosen.split('value="')[1 if chosen is options else -1].split('"')[0]


@pytest.mark.parametrize(
    ("then", "status"), [("", "open"), ("open", "open"), ("waiting", "waiting")]
)
def test_a_reply_with_a_status(client_of_bob, ticket, then, status):
    """One step: a message, and the move that came with it."""
    lines = ticket.event_count

    write(client_of_bob, ticket, "Which model is it?", then=then)

    ticket.refresh_from_db()
    assert (ticket.status, said(ticket)) == (status, ["Which model is it?"])
    assert ticket.event_count == lines + (2 if status == "waiting" else 1)


def test_a_reply_that_resolves(client_of_bob, ticket, login, alice):
    """D4-5, D2-4: its words are the resolution, and no message of their own."""
    write(client_of_bob, ticket, "A new one is on its way.", then="resolved", resolution="replaced")

    ticket.refresh_from_db()
    line = ticket.status_event
    assert (ticket.status, ticket.resolution_kind) == (Status.RESOLVED, "replaced")
    assert (line.text, line.data["resolution"]) == ("A new one is on its way.", "replaced")
    assert said(ticket) == []
    assert ticket.first_responded_at == line.at
    page = login(alice).get(ticket.get_absolute_url())
    assert "Bob marked this resolved. A new one is on its way." in text(page, "#ticket-now")


def test_a_resolution_brings_its_files(client_of_bob, ticket):
    key = uuid4()
    url = reverse("messaging:write", args=[ticket.reference])
    client_of_bob.post(
        url,
        {
            "body": "Here is the label.", "kind": "reply", "key": key, "then": "resolved",
            "resolution": "replaced", "files": [file("label.png")],
        },
    )  # fmt: skip

    ticket.refresh_from_db()
    assert Attachment.objects.get().event == ticket.status_event
    page = client_of_bob.get(ticket.workspace_url)
    assert texts(page, ".ccr-file__name") == ["label.png"]


@pytest.mark.parametrize(
    ("body", "resolution", "words"),
    [
        ("Done.", "", ["Choose how it was resolved"]),
        ("", "replaced", ["Type something!"]),
        ("", "", ["Type something!", "Choose how it was resolved"]),
        (
            "Done.",
            "magic",
            [
                "Select a valid choice. magic is not one of the available choices.",
                "Choose how it was resolved",
            ],
        ),
    ],
)
def test_a_resolution_without_its_words_is_asked_for_them(
    client_of_bob, ticket, body, resolution, words
):
    page = write(client_of_bob, ticket, body, then="resolved", resolution=resolution)

    assert page.status_code == 422
    assert problems(page)[0] == words
    assert typed(page, "body") == body
    assert typed_choice(page, "then") == "resolved"
    ticket.refresh_from_db()
    assert (ticket.status, ticket.event_count) == (Status.OPEN, 3)


def test_a_file_alone_resolves_nothing(client_of_bob, ticket):
    url = reverse("messaging:write", args=[ticket.reference])
    page = client_of_bob.post(
        url,
        {
            "body": "", "kind": "reply", "then": "resolved", "resolution": "replaced",
            "files": [file()],
        },
    )  # fmt: skip

    assert problems(page)[0] == ["Tell the customer what was done and how to go on"]
    assert texts(page, ".ccr-file__name") == ["kettle.png"]


@pytest.mark.plan("SEC-B1")
@pytest.mark.parametrize("kind", ["reply", "note"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "Type something!"),
        ("   ", "Type something!"),
        ("x" * 50_001, "Use 50,000 characters or less"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_what_can_not_be_sent_is_kept_with_the_reason(client_of_bob, ticket, kind, body, words):
    """D1-17: and in its mode, so that a note does not become a reply."""
    page = write(client_of_bob, ticket, body, kind)

    assert page.status_code == 422
    assert problems(page)[0] == [words]
    assert typed(page, "body").strip() == body.strip()
    assert typed(page, "kind") == kind
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""}, {"kind": "shout"}, {"kind": "\0"}, {"then": "flying"}, {"then": "\0"},
        {"seen": "x"}, {"seen": "-1"}, {"seen": "9" * 5_000}, {"seen": "1.5"},
    ],
)  # fmt: skip
def test_odd_fields_are_errors(client_of_bob, ticket, changes):
    page = write(client_of_bob, ticket, "Hello", **changes)

    assert page.status_code == 422
    assert typed(page, "body") == "Hello"
    assert not Message.objects.exists()
    assert write(client_of_bob, ticket, "Hello", seen=typed(page, "seen")).status_code == 302


def test_a_refused_file_keeps_the_words_and_the_mode(client_of_bob, ticket):
    page = write(client_of_bob, ticket, "For us", "note", files=[file("a.png"), file("b.exe", EXE)])

    assert problems(page)[0] == ["b.exe must be a JPG, PNG, PDF, TXT or MP4"]
    assert texts(page, ".ccr-file__name") == ["a.png"]
    assert (typed(page, "body"), typed(page, "kind")) == ("For us", "note")


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("open", ["", "open", "waiting", "resolved"]),
        ("waiting", ["", "open", "waiting", "resolved"]),
        ("resolved", ["", "open", "resolved"]),
        ("closed", ["", "open"]),
    ],
)
def test_only_lawful_moves_are_offered_and_none_is_chosen(
    client_of_bob, alice, bob, ada, kettles, status, offered
):
    """A reply that says nothing about the status leaves it."""
    ticket = make_ticket(
        requester=alice, assignee=bob, category=kettles, by=ada, status=Status(status)
    )

    page = client_of_bob.get(ticket.workspace_url)

    select = page.text.split('name="then">')[1].split("</select>")[0]
    assert [option.split('"')[0] for option in select.split('value="')[1:]] == offered
    assert typed_choice(page, "then") == ""


@pytest.mark.plan("SEC-E1")
@pytest.mark.parametrize("kind", ["reply", "note"])
def test_the_same_key_is_one_line(client_of_bob, ticket, kind):
    key, lines = uuid4(), ticket.event_count

    for _click in range(3):
        assert write(client_of_bob, ticket, "Hello", kind, key).status_code == 302

    ticket.refresh_from_db()
    assert ticket.event_count == lines + 1


@pytest.mark.plan("SEC-E1")
def test_the_same_key_resolves_once(client_of_bob, ticket):
    key = uuid4()

    for _click in range(2):
        answer = write(
            client_of_bob, ticket, "Done.", key=key, then="resolved", resolution="answered"
        )
        assert answer.status_code == 302

    assert ticket.events.filter(text="Done.").count() == 1


# --- A note ---------------------------------------------------------------------------


@pytest.mark.plan("SEC-A5")
def test_a_note_is_for_staff(login, alice, bob, ada, ticket):
    before = Ticket.objects.values("message_count", "due_at", "first_responded_at").get()

    write(login(bob), ticket, "The canary sings.", "note")

    note = Message.objects.get()
    assert (note.is_internal, note.audience) == (True, "staff")
    assert Ticket.objects.values("message_count", "due_at", "first_responded_at").get() == before
    for person in (bob, ada):
        assert "The canary sings." in login(person).get(ticket.workspace_url).text
    client = login(alice)
    for address in ("", "?all=1", "lines/?after=1", "lines/?before=99", "done/"):
        assert "canary" not in client.get(f"{ticket.get_absolute_url()}{address}").content.decode()
    assert "canary" not in client.get(reverse("tickets:list")).text


def test_a_note_moves_nothing_whatever_the_page_sends(client_of_bob, ticket):
    """The select of the reply stands beside it."""
    for then in ("waiting", "resolved"):
        write(client_of_bob, ticket, "For us.", "note", then=then)

    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN
    assert Message.objects.filter(kind="note").count() == 2


def test_a_note_is_kept_on_an_ended_ticket(client_of_bob, alice, ticket):
    """Also from a page that still thought it open."""
    tickets.change_status(ticket, Status.WITHDRAWN, by=alice)

    answer = write(client_of_bob, ticket, "Refund is booked.", "note", seen=3, then="waiting")

    assert answer.status_code == 302
    assert Message.objects.get().body == "Refund is booked."


def test_a_note_is_never_held(client_of_bob, alice, ticket):
    actions.post_message(ticket, by=alice, body="Hello?")

    write(client_of_bob, ticket, "For us.", "note", seen=3)

    assert Message.objects.filter(kind="note").exists()


# --- Who ------------------------------------------------------------------------------------


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize("kind", ["reply", "note"])
def test_others_write_nothing(login, alice, bob, carol, dave, ticket, kind):
    assert write(login(alice), ticket, "Hello", kind).status_code == 403
    assert write(login(carol), ticket, "Hello", kind).status_code == 403
    assert write(login(dave), ticket, "Hello", kind).status_code == 404
    assert not Message.objects.exists()

    assert write(login(bob), ticket, "Hello", kind).status_code == 302


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize("name", ["alice", "carol", "dave", "pete"])
def test_others_write_no_notes_by_any_door(request, ticket, name):
    with pytest.raises(PermissionDenied):
        actions.post_note(ticket, by=request.getfixturevalue(name), body="Hello")


def test_who_only_might_take_it_writes_nothing(login, dave, alice, kettles):
    ticket = make_ticket(requester=alice, category=kettles)

    assert write(login(dave), ticket, "Hello").status_code == 403
    tickets.assign(ticket, to=dave, by=dave)
    assert write(login(dave), ticket, "Hello").status_code == 302


def test_on_their_own_complaint_staff_are_customers(login, ada, bob):
    ticket = make_ticket(requester=ada, assignee=bob)

    assert write(login(ada), ticket, "Hello", "note").status_code == 403
    with pytest.raises(PermissionDenied):
        actions.post_note(ticket, by=ada, body="Hello")
    with pytest.raises(TransitionRefused):
        actions.post_message(ticket, by=ada, body="Hello", then=Status.RESOLVED)


@pytest.mark.plan("SEC-E4")
def test_two_agents_reply_and_both_are_kept(bob, ada, ticket):
    seen = [Ticket.objects.get(pk=ticket.pk) for _person in (bob, ada)]

    actions.post_message(seen[0], by=bob, body="From Bob")
    actions.post_message(seen[1], by=ada, body="From Ada")

    assert said(ticket) == ["From Bob", "From Ada"]

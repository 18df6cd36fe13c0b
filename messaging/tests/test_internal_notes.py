"""SEC-A5: what staff write for each other never comes out on the requester's side."""

import secrets
from datetime import timedelta

import pytest
import time_machine
from channels.db import database_sync_to_async as in_thread
from django.core import mail
from django.utils import timezone

from accounts.tests.factories import make_admin
from messaging import live
from messaging.models import Message
from notifications.mail import outbox
from tickets.models import Attachment, Ticket
from tickets.tests.files import TXT, download, file
from tickets.wording import clock
from tickets.workflow import Status

from .sockets import PageSocket
from .talking import reply, write

pytestmark = pytest.mark.plan("SEC-A5")

# A time of day at which nothing else happens, later than everything else and within a day.
NOTED_AT = timezone.now() + timedelta(hours=5, minutes=17)


class Note:
    """A note with a file, by somebody who does nothing else here, and all that betrays it."""

    def __init__(self, client, ticket):
        self.words = f"canary-{secrets.token_hex(8)}"
        self.file_name = f"canary-{secrets.token_hex(8)}.txt"
        self.author = make_admin("Nightingale", last_name="Note", email="nightingale@example.org")
        client.force_login(self.author)
        ticket.refresh_from_db()
        files = [file(self.file_name, TXT)]
        with time_machine.travel(NOTED_AT, tick=False):
            write(client, ticket, self.words, kind="note", files=files)
        self.line = Message.objects.get(text=self.words)
        self.file = Attachment.objects.get(name=self.file_name)

    @property
    def traces(self) -> list[str]:
        return [
            self.words, self.file_name, str(self.file.pk), self.file.file.name,
            self.author.first_name, self.author.email, f"{NOTED_AT:%H:%M:%S}", clock(NOTED_AT),
            f'data-line="{self.number}"',
        ]  # fmt: skip

    @property
    def number(self):
        return self.line.number

    def found_in(self, *words) -> list[str]:
        return [trace for trace in self.traces if any(trace in each for each in words)]


@pytest.fixture
def note(client, ticket):
    """On Alice's ticket, which Bob has."""
    return Note(client, ticket)


def pages_of(client, ticket):
    """Everything that the requester can open about ``ticket``, as text."""
    at = ticket.get_absolute_url()
    addresses = [
        "/tickets/?tab=open",
        "/tickets/?tab=resolved",
        "/tickets/?tab=all",
        "/tickets/new/",
        "/",
        at,
        f"{at}?all=1",
        *(f"{at}lines/?after={line}" for line in range(ticket.event_count + 1)),
        *(f"{at}lines/?before={line}" for line in range(1, ticket.event_count + 2)),
        f"{at}done/",
    ]
    answers = [client.get(address, follow=True) for address in addresses]
    answers.append(client.get("/tickets/", headers={"HX-Request": "true"}))
    answers.append(reply(client, ticket, ""))  # the page with an error
    return [answer.text + str(answer.headers) for answer in answers]


def main_of(page):
    return page.text.split("<main")[1].split("</main>")[0]


def test_staff_see_it(login, bob, ticket, note):
    """Otherwise the tests below would prove nothing."""
    page = login(bob).get(ticket.workspace_url).text
    lines = login(bob).get(f"{ticket.workspace_url}lines/?after={note.number - 1}").text

    for seen in (page, lines):
        assert {note.words, note.file_name, str(note.file.pk)} <= set(note.found_in(seen))
        assert note.author.first_name in seen
    assert download(login(bob), note.file).body == TXT


@pytest.mark.django_db
def test_the_whole_journey_of_the_requester(login, alice, bob, ticket, note):
    """From the note on: reading, answering, resolved, rated, opened again, closed."""
    seen = []

    def look():
        ticket.refresh_from_db()
        seen.extend(pages_of(login(alice), ticket))

    write(login(bob), ticket, "Here is what I found", seen=note.number)
    look()
    reply(login(alice), ticket, "And now?")
    look()
    ticket.refresh_from_db()
    solved = {"then": "resolved", "resolution": "replaced"}
    write(login(bob), ticket, "A new one is on its way", **solved)
    look()
    rated = login(alice).post(f"{ticket.get_absolute_url()}rate/", {"rating": "4"}, follow=True)
    look()
    opened = login(alice).post(f"{ticket.get_absolute_url()}reopen/", follow=True)
    look()
    closed = login(alice).post(f"{ticket.get_absolute_url()}close/", follow=True)
    look()

    ticket.refresh_from_db()
    assert ticket.status == Status.CLOSED
    assert note.found_in(*seen, rated.text, opened.text, closed.text) == []


def test_the_list_does_not_tell_when_a_note_was_written(login, alice, ticket, note):
    """It is the last thing that happened, and not for everybody."""
    shown = login(alice).get("/tickets/").text

    assert note.found_in(shown) == []


def test_a_note_alone_changes_no_page(login, alice, bob, ticket, client):
    """Read just before and just after: the same pages, but for the list's time of change."""

    def conversation():
        at = ticket.get_absolute_url()
        pages = [login(alice).get(path) for path in (at, f"{at}?all=1", f"{at}lines/?before=99")]
        return [page.text.split('id="log"')[-1].split("</ol>")[0] for page in pages]

    before = conversation()
    note = Note(client, ticket)

    assert conversation() == before
    nothing_new = f"{ticket.get_absolute_url()}lines/?after={note.number - 1}"
    assert login(alice).get(nothing_new).status_code == 204


@pytest.mark.plan("SEC-A6")
def test_its_file_is_not_found_by_the_requester(login, alice, carol, ticket, note):
    """Word for word like a file that does not exist."""
    nowhere = "/tickets/files/00000000-0000-4000-8000-000000000000/"
    page, nothing = (login(alice).get(path) for path in (note.file.get_absolute_url(), nowhere))

    assert [page.status_code, nothing.status_code] == [404, 404]
    assert main_of(page) == main_of(nothing)


@pytest.mark.plan("SEC-D20")
def test_no_mail_to_the_requester_knows_of_it(login, alice, bob, ticket, note):
    ticket.refresh_from_db()
    write(login(bob), ticket, "Here is what I found", seen=note.number)
    login(bob).post(f"{ticket.workspace_url}move/", {"status": "waiting"})
    reply(login(alice), ticket, "And now?")
    ticket.refresh_from_db()
    write(login(bob), ticket, "Done", then="resolved", resolution="replaced")
    login(alice).post(f"{ticket.get_absolute_url()}close/")

    outbox.drain()

    to_alice = [
        sent.message().as_string() + sent.body for sent in mail.outbox if alice.email in sent.to
    ]
    assert len(to_alice) >= 5
    assert note.found_in(*to_alice) == []


@pytest.mark.plan("SEC-A3")
def test_an_agent_on_a_ticket_of_their_own_reads_no_notes(login, bob, dave, ticket, note, client):
    """They are its requester, and nothing more."""
    Ticket.objects.filter(pk=ticket.pk).update(requester=dave)
    ticket.refresh_from_db()

    seen = pages_of(login(dave), ticket)
    seen.append(login(dave).get(ticket.workspace_url, follow=True).text)
    seen.append(login(dave).get(f"{ticket.workspace_url}lines/?after=0").text)

    assert note.words not in "".join(seen)
    assert note.file_name not in "".join(seen)
    assert login(dave).get(note.file.get_absolute_url()).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_no_frame_to_the_requester_knows_of_it(browsers, ticket, client, monkeypatch):
    """Neither at the page nor at the list, nor when both sides go on writing."""
    monkeypatch.setattr(live, "LOOK_EVERY", 60)  # it would ring for the ticket that is so new
    path = f"/ws/tickets/{ticket}/"
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket("/ws/tickets/", browsers["alice"]) as alices_list,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        note = await in_thread(Note)(client, ticket)
        await bobs.frame("bell")
        frames = await alices.frames() + await alices_list.frames()
        assert "bell" not in [frame["type"] for frame in frames]

        await in_thread(reply)(browsers["alice"], ticket, "Any news?")
        await bobs.say({"type": "typing"})
        frames += [await alices.frame("bell"), await alices_list.frame("bell")]
        frames += [await alices.frame("typing")]

    assert note.found_in(str(frames)) == []

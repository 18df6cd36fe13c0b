"""A customer on somebody else's ticket: reads, writes and attaches like the owner, and no more."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from channels.db import database_sync_to_async as in_thread
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.doors import sign_in
from messaging import live
from messaging.actions import post_message, post_note
from tickets import actions
from tickets.automation import clockwork
from tickets.models import Attachment, Ticket
from tickets.parties import calls, participants
from tickets.tests.factories import make_policy, make_ticket
from tickets.tests.files import download, file
from tickets.tests.racing import race
from tickets.tests.reading import text, texts
from tickets.workflow import Part, ResolutionKind, Status

from .sockets import LIST, PageSocket
from .talking import reply, say, talk


def page_of(login, person, ticket):
    return login(person).get(ticket.url_for(person))


def events(page):
    """The lines between the messages, without their times."""
    return [words.rsplit(" ", 1)[0] for words in texts(page, ".ccr-log__event")]


# --- Reads ------------------------------------------------------------------------------


def test_the_page_says_whose_ticket_it_is(login, shared, alice, bob, dan):
    """D0-21: the same conversation, with the name of each speaker."""
    talk(shared, alice, "Any news?")
    talk(shared, dan, "We share the kitchen.")
    talk(shared, bob, "Soon.")

    page = page_of(login, dan, shared)

    assert "The ticket of Alice Archer. You take part in it." in text(page, "#ticket-stub")
    speakers = [words[:-5].strip() for words in texts(page, ".ccr-msg__by")]  # without the time
    assert speakers == ["Alice Archer", "Alice Archer", "You", "Bob Baker"]
    assert texts(page, ".ccr-msg__text")[1:] == ["Any news?", "We share the kitchen.", "Soon."]
    assert text(page, "#taking-part") == "Who takes part Alice Archer, whose ticket it is You"


def test_everybody_reads_who_takes_part(login, shared, alice, bob, dan):
    """Names only: addresses of others are nothing for customers."""
    talk(shared, dan, "We share the kitchen.")

    page = page_of(login, alice, shared)
    assert "Dan Drew" in text(page, "#taking-part")
    assert f"{bob} added {dan} to this ticket." in events(page)
    assert dan.email not in page.text

    page = page_of(login, bob, shared)
    assert "Take part Dan Drew" in text(page, "#ticket-facts")
    assert "to Alice" not in next(words for words in texts(page, ".ccr-copy") if "kitchen" in words)


@pytest.mark.plan("SEC-A5")
def test_what_is_the_owners_alone_is_not_shown(login, shared, alice, bob, dan):
    """No address, number, note or button of theirs."""
    shared.contact_phone = "+441134960888"
    shared.save()
    post_note(shared, by=bob, body="zqnotezq")
    calls.ask_for_call(shared, by=alice, phone="+441134960999")
    owners, theirs = page_of(login, alice, shared).text, page_of(login, dan, shared).text

    for own in (alice.email, "113 496 0888", "113 496 0999", 'id="close"', 'id="withdraw"'):
        assert own in owners
        assert own not in theirs
    assert "zqnotezq" in page_of(login, bob, shared).text
    assert "zqnotezq" not in theirs + owners
    assert 'id="leave"' in theirs
    assert 'id="leave"' not in owners


def test_what_happens_is_told_in_their_sense(login, shared, alice, bob, dan, dave):
    """D3-2: where the owner reads "you", they read the owner's name."""
    actions.change_status(shared, Status.WAITING, by=bob)
    page = page_of(login, dan, shared)
    assert "Bob needs an answer." in text(page, "#ticket-now")
    assert "Alice or you can give it. The clock is stopped until then." in text(page, "#ticket-now")
    talk(shared, dan, "It is the K2.")
    actions.assign(shared, to=dave, by=bob)
    solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(shared, Status.RESOLVED, by=dave, **solved)
    page = page_of(login, dan, shared)
    assert "If it isn’t fixed, Alice can open it again." in text(page, "#ticket-now")
    assert texts(page, "#feedback") == []
    actions.rate(shared, by=alice, rating=4)

    page = page_of(login, dan, shared)

    assert events(page) == [
        "Bob Baker has the ticket now.",
        "Bob Baker added you to this ticket.",
        "Bob Baker waits for your answer.",
        "Dave Dunn has the ticket now.",
        "Dave Dunn marked the ticket resolved: Replaced.",
        "Alice Archer rated it 4 of 5.",
        "Alice Archer closed the ticket.",
    ]
    assert "Alice can open it again until" in text(page, "#ticket-now")
    assert "You answered" in text(page, "#ticket-aside")
    assert f"{dan} answered" in text(page_of(login, alice, shared), "#ticket-aside")


@pytest.mark.parametrize(
    ("status", "form", "words"),
    [
        (
            Status.WAITING, {},
            [
                "Alice was reminded that we wait for an answer.",
                "No answer came, so the registry marked the ticket resolved.",
            ],
        ),
        (
            Status.RESOLVED, {"text": "Replaced.", "resolution": ResolutionKind.REPLACED},
            [
                "Alice was reminded that the ticket closes soon.",
                "Nobody wrote any more, so the registry closed the ticket.",
            ],
        ),
    ],
)  # fmt: skip
def test_what_time_did_is_told_in_their_sense(client, shared, bob, dan, status, form, words):
    """D0-12"""
    actions.change_status(shared, status, by=bob, **form)
    for days in (5, 7):
        with time_machine.travel(timezone.now() + timedelta(days=days, minutes=1), tick=False):
            clockwork.run()
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=2), tick=False):
        sign_in(client, dan.email)

        assert events(client.get(shared.get_absolute_url()))[-2:] == words


def test_what_nobody_has_is_not_theirs(login, alice, ada, dan, kettles):
    ticket = make_ticket(alice, category=kettles)
    participants.add(ticket, dan.email, by=ada)

    assert "We have your ticket." in text(page_of(login, alice, ticket), "#ticket-now")
    page = page_of(login, dan, ticket)
    assert "We have the ticket. An agent will answer by" in text(page, "#ticket-now")
    assert "The agent N/A" in text(page, "#ticket-aside")


@pytest.mark.parametrize(("reader", "whose"), [("alice", "your"), ("dan", "the")])
def test_who_has_it_while_nobody_is_there(
    login, request, alice, bob, ada, dan, kettles, reader, whose
):
    make_policy()
    with time_machine.travel("2026-11-21T12:00:00+00:00", tick=False):  # a Saturday
        ticket = make_ticket(alice, bob, category=kettles, by=ada)
        participants.add(ticket, dan.email, by=ada)
        page = page_of(login, request.getfixturevalue(reader), ticket)

        assert f"Bob has {whose} ticket. You’ll hear by" in text(page, "#ticket-now")


# --- Writes -------------------------------------------------------------------------------


def test_their_answer_is_the_customers(login, shared, bob, dan):
    """D4-4: it opens what waits, and the agent owes the next step."""
    actions.change_status(shared, Status.WAITING, by=bob)

    answer = reply(login(dan), shared, "It is the K2.", files=[file()])

    assert answer.status_code == 302
    shared.refresh_from_db()
    line = shared.events.get(kind="message")
    assert (line.actor, line.text, line.audience) == (dan, "It is the K2.", "everyone")
    assert (shared.status, shared.last_message_by) == (Status.OPEN, Part.REQUESTER)
    assert shared.first_responded_at is None


@pytest.mark.plan("SEC-A6")
def test_files_go_both_ways_as_long_as_they_take_part(login, shared, alice, bob, dan):
    reply(login(dan), shared, "My photo.", files=[file()])
    reply(login(alice), shared, "The bill.", files=[file("bill.png")])
    photo, bill = Attachment.objects.order_by("created_at")
    noted = Attachment.objects.create(
        uploader=bob, name="n.png", size=1, event=post_note(shared, by=bob, body="Note")
    )
    assert download(login(alice), photo).status_code == 200
    assert download(login(dan), bill).status_code == 200
    assert download(login(dan), noted).status_code == 404

    participants.remove(shared, person=dan.pk, by=bob)

    assert download(login(dan), bill).status_code == 404
    assert download(login(dan), photo).status_code == 404


@pytest.mark.plan("SEC-A12")
def test_nobody_writes_on_what_is_closed(login, shared, alice, dan):
    actions.change_status(shared, Status.CLOSED, by=alice)

    answer = reply(login(dan), shared, "Wait!")

    assert answer.status_code == 403
    assert text(answer, "#composer").startswith(
        "Alice Archer closed this ticket. Chats are disabled"
    )
    assert not shared.events.filter(kind="message").exists()


OWNERS = [
    ("messaging:close", {}, Status.OPEN),
    ("messaging:withdraw", {}, Status.OPEN),
    ("messaging:reopen", {}, Status.CLOSED),
    ("messaging:rate", {"rating": "5"}, Status.RESOLVED),
    ("tickets:ask_for_call", {"phone": "+441134960999"}, Status.OPEN),
]


@pytest.mark.plan("SEC-A2")
@pytest.mark.parametrize(("route", "form", "status"), OWNERS)
def test_what_only_the_owner_does_is_not_there(login, ticket, alice, bob, dan, route, form, status):
    """Section 4: closing, reopening, withdrawing, rating and calls answer like nothing at all."""
    participants.add(ticket, dan.email, by=bob)
    if status == Status.CLOSED:
        actions.change_status(ticket, status, by=alice)
    elif status == Status.RESOLVED:
        solved = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
        actions.change_status(ticket, status, by=bob, **solved)
    lines = ticket.event_count

    refused = login(dan).post(reverse(route, args=[ticket.reference]), form)
    nothing = login(dan).post(reverse(route, args=["CCR-2026-99999"]), form)

    ticket.refresh_from_db()
    assert (refused.status_code, nothing.status_code) == (404, 404)
    assert texts(refused, "body") == texts(nothing, "body")
    assert ticket.event_count == lines
    assert login(alice).post(reverse(route, args=[ticket.reference]), form).status_code == 302
    ticket.refresh_from_db()
    assert ticket.event_count > lines


def test_the_verbs_refuse_as_the_pages_do(shared, dan):
    with pytest.raises(PermissionDenied):
        calls.ask_for_call(shared, by=dan, phone="+441134960999")
    with pytest.raises(PermissionDenied):
        actions.rate(shared, by=dan, rating=5)
    assert shared.next_statuses(dan) == []


@pytest.mark.plan("SEC-A10")
@pytest.mark.django_db(transaction=True)
def test_who_is_removed_while_they_write(shared, bob, dan):
    """Just in time or too late; a word is kept only of who took part."""
    for _round in range(5):
        mine, theirs = (Ticket.objects.get(pk=shared.pk) for _each in range(2))
        said, _gone = race(
            lambda t=mine: post_message(t, by=dan, body="Wait", key=uuid4()),
            lambda t=theirs: participants.remove(t, person=dan.pk, by=bob),
        )
        left = shared.events.filter(kind="left").latest("number")
        if isinstance(said, Exception):
            assert isinstance(said, PermissionDenied)
        else:
            assert said.number < left.number
        participants.add(Ticket.objects.get(pk=shared.pk), dan.email, by=bob)


# --- Open pages ---------------------------------------------------------------------------


@pytest.fixture
def dans(dan):
    browser = Client()
    sign_in(browser, dan.email)
    return browser


@in_thread
def take_off(ticket, person, by):
    participants.remove(Ticket.objects.get(pk=ticket.pk), person=person.pk, by=by)


@pytest.mark.plan("SEC-A5")
@pytest.mark.django_db(transaction=True)
async def test_their_pages_ring_and_hear_no_note(browsers, shared, dans, alice, bob, monkeypatch):
    """D4-3: the ticket's page and the list of what is shared."""
    monkeypatch.setattr(live, "LOOK_EVERY", 60)  # it would ring for the ticket that is so new
    async with PageSocket(f"{LIST}{shared}/", dans) as page, PageSocket(LIST, dans) as their_list:
        await say(shared, bob, "For us.", post_note)
        assert [each["type"] for each in await page.frames() if each["type"] == "bell"] == []
        line = await say(shared, alice)

        bell = {"type": "bell", "ticket": shared.reference, "line": line.number}
        assert await page.frame("bell") == bell
        assert await their_list.frame("bell") == bell


@pytest.mark.django_db(transaction=True)
async def test_staff_see_them_write_and_they_see_the_agent(browsers, shared, dans):
    path = f"{LIST}{shared}/"
    async with (
        PageSocket(path, dans) as theirs,
        PageSocket(path, browsers["bob"]) as bobs,
        PageSocket(path, browsers["alice"]) as alices,
    ):
        await theirs.frames()
        await alices.frames()
        await theirs.say({"type": "typing"})
        assert (await bobs.frame("typing"))["name"] == "Dan"
        await bobs.say({"type": "typing"})
        assert (await theirs.frame("typing"))["name"] == "Bob"
        heard = await alices.frames()
        assert [each["name"] for each in heard if each["type"] == "typing"] == ["Bob"]


@pytest.mark.plan("SEC-A13")
@pytest.mark.django_db(transaction=True)
async def test_the_socket_of_who_is_removed_is_closed(browsers, shared, dans, dan, alice, bob):
    """P7: no frame of what is said afterwards."""
    async with PageSocket(f"{LIST}{shared}/", dans) as page:
        await page.frames()
        await take_off(shared, dan, bob)

        assert await page.code() == 4403
    socket = PageSocket(f"{LIST}{shared}/", dans)
    assert await socket.open() == 4404

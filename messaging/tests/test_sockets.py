"""What a socket lets in, what it says and what it can't be made to do."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest
from channels.db import database_sync_to_async as in_thread
from django.test import Client

from accounts.tests.doors import sign_in
from messaging import consumers, live
from messaging.actions import post_message, post_note
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .sockets import PATIENCE, PageSocket

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/ws/tickets/"


@pytest.fixture(autouse=True)
def unwatched(monkeypatch):
    """Only who writes rings. The watch rings for the new ticket too, if sockets open slowly."""
    monkeypatch.setattr(live, "LOOK_EVERY", 3600)


@pytest.fixture
def path(ticket):
    """Of Alice's ticket, which Bob has."""
    return f"{LIST}{ticket}/"


@pytest.fixture
def healthy(carol, dave, ada, kettles):
    """Another ticket, of Carol with Dave, whose page must not notice anything."""
    return make_ticket(requester=carol, assignee=dave, category=kettles, by=ada)


@in_thread
def say(ticket, by, body="Any news?", post=post_message):
    return post(Ticket.objects.get(pk=ticket.pk), by=by, body=body)


# --- Who comes in -----------------------------------------------------------------


@pytest.mark.plan("SEC-C15")
@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("http://localhost:8000", None),
        ("http://evil.example", 0),
        ("http://localhost.evil.example", 0),
        ("http://evil.example/localhost", 0),
        ("http://evil.example#@localhost", 0),
        ("null", 0),
        ("", 0),
    ],
)
async def test_a_page_of_another_site_gets_no_socket(browsers, path, origin, code):
    """It would come with the person's cookie."""
    socket = PageSocket(path, browsers["alice"], origin=origin)

    assert await socket.open() == code
    await socket.leave()


@pytest.mark.plan("SEC-C15")
async def test_the_session_of_the_sign_in_page_opens_it(alice, path):
    browser = Client()
    await in_thread(sign_in)(browser, alice.email)

    async with PageSocket(path, browser):
        pass


@pytest.mark.plan("SEC-C15")
@pytest.mark.plan("P8")
async def test_nothing_but_the_session_says_who_one_is(browsers, alice, path):
    """No token in the address, no header of the client's."""
    key = browsers["alice"].cookies["sessionid"].value.encode()
    headers = [(b"authorization", b"Bearer " + key), (b"x-user", str(alice.pk).encode())]
    with_query = f"{path}?sessionid={key.decode()}&token={key.decode()}&user={alice.pk}"
    socket = PageSocket(with_query, browsers["visitor"], headers=headers)

    assert await socket.open() == 4401


@pytest.mark.plan("SEC-A2")
@pytest.mark.plan("SEC-A3")
@pytest.mark.plan("SEC-A4")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("visitor", 4401),
        ("pete", 4403),
        ("carol", 4404),
        ("dave", 4404),
        ("alice", None),
        ("bob", None),
        ("ada", None),
    ],
)
async def test_only_who_may_talk_joins(browsers, path, name, code):
    """D1-8: a stranger's ticket is closed with the code of one that does not exist."""
    socket = PageSocket(path, browsers[name])
    answers = [await socket.open()]
    await socket.leave()
    answers.append(await PageSocket(f"{LIST}CCR-2026-99999/", browsers[name]).open())

    assert answers == [code, code or 4404]


async def test_who_misses_to_be_cancelled_is_cancelled_again(monkeypatch):
    """As a client of Redis may while it connects."""
    monkeypatch.setattr(consumers, "LET_GO", 0)
    monkeypatch.setattr(consumers, "CANCEL_EVERY", 0)
    missed = []

    async def listen(scope, receive, send):
        await receive()
        while len(missed) < 2:
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                missed.append(None)
        await asyncio.sleep(PATIENCE)

    async def leave():
        return {"type": "websocket.disconnect"}

    async with asyncio.timeout(PATIENCE):
        await consumers._until_gone(listen, {}, leave, None)

    assert len(missed) == 2


@pytest.mark.plan("SEC-A3")
async def test_the_pool_is_looked_at_without_a_socket(browsers, alice, dave, ada, kettles):
    """Who may take a ticket reads it, and joins once it is theirs."""
    unassigned = await in_thread(make_ticket)(requester=alice, category=kettles)
    path = f"{LIST}{unassigned}/"

    assert (await in_thread(browsers["dave"].get)(unassigned.workspace_url)).status_code == 200
    assert await PageSocket(path, browsers["dave"]).open() == 4404

    take = f"{unassigned.workspace_url}take/"
    assert (await in_thread(browsers["dave"].post)(take)).status_code == 302
    async with PageSocket(path, browsers["dave"]):
        pass


# --- Bells ------------------------------------------------------------------------


async def test_a_new_line_rings_at_both_sides_and_in_their_lists(
    browsers, ticket, path, alice, bob
):
    """D1-7, D4-3, D4-4"""
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(path, browsers["bob"]) as bobs,
        PageSocket(LIST, browsers["alice"]) as alices_list,
        PageSocket(LIST, browsers["bob"]) as bobs_list,
        PageSocket(LIST, browsers["carol"]) as carols_list,
    ):
        line = await say(ticket, alice)
        bell = {"type": "bell", "ticket": ticket.reference, "line": line.number}

        for socket in (alices, bobs, alices_list, bobs_list):
            assert await socket.frame("bell") == bell
        assert await carols_list.frames() == []


@pytest.mark.plan("SEC-A5")
async def test_an_internal_note_rings_for_staff_only(browsers, ticket, path, ada):
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(LIST, browsers["alice"]) as alices_list,
        PageSocket(path, browsers["bob"]) as bobs,
        PageSocket(LIST, browsers["bob"]) as bobs_list,
    ):
        await alices.frame("here")
        line = await say(ticket, ada, post=post_note)

        assert (await bobs.frame("bell"))["line"] == line.number
        assert (await bobs_list.frame("bell"))["line"] == line.number
        assert await alices.frames() == []
        assert await alices_list.frames() == []


# --- Here, gone and writing -------------------------------------------------------


async def test_typing_is_seen_on_the_other_side(browsers, path):
    """D1-7: and not on the writer's own pages."""
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(path, browsers["alice"]) as alices_other_page,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        await alices.say({"type": "typing"})
        assert await bobs.frame("typing") == {"type": "typing", "name": "Alice"}
        await bobs.say({"type": "typing", "name": "Mallory"})

        for socket in (alices, alices_other_page):
            assert await socket.frame("typing") == {"type": "typing", "name": "Bob"}


async def test_the_requester_learns_only_of_the_agent_who_has_the_ticket(browsers, path):
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        assert await bobs.frame("here") == {"type": "here", "name": "Alice"}
        async with PageSocket(path, browsers["ada"]) as adas:
            await adas.say({"type": "typing"})
            for seen in ("here", "typing"):
                assert await bobs.frame(seen) == {"type": seen, "name": "Ada"}
        assert await bobs.frame("gone") == {"type": "gone", "name": "Ada"}
        assert await alices.frame("here") == {"type": "here", "name": "Bob"}
        await bobs.say({"type": "typing"})
        since = await alices.frames_to("typing")
        assert {frame["name"] for frame in since} == {"Bob"}


async def test_who_opens_a_page_learns_who_is_here(browsers, path):
    async with PageSocket(path, browsers["alice"]), PageSocket(path, browsers["bob"]) as bobs:
        assert await bobs.frame("here") == {"type": "here", "name": "Alice"}


async def test_one_is_gone_with_the_last_page(browsers, path):
    async with PageSocket(path, browsers["alice"]) as alices:
        async with PageSocket(path, browsers["bob"]):
            async with PageSocket(path, browsers["bob"]):
                pass
            await alices.frame("gone")
            assert await alices.frame("here") == {"type": "here", "name": "Bob"}
        assert await alices.frame("gone") == {"type": "gone", "name": "Bob"}
        assert await alices.frames() == []


# --- What can be done to it ---------------------------------------------------------


@pytest.mark.plan("SEC-B19")
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(b"\x00\x01", 1003, id="binary"),
        pytest.param("typing", 1003, id="not JSON"),
        pytest.param('{"type": "typing"', 1003, id="cut off"),
        pytest.param("[" * 60_000, 1003, id="deep"),
        pytest.param('{"a":' * 10_000, 1003, id="deep and cut off"),
        pytest.param('"' + "x" * 64 * 1024 + '"', 1009, id="too long"),
        pytest.param({"type": "say", "body": "hello"}, None, id="unknown"),
        pytest.param({"type": "bell", "ticket": "CCR-2026-00001", "line": 1}, None, id="bell"),
        pytest.param({"type": "presence", "what": "here"}, None, id="inner"),
        pytest.param({}, None, id="no type"),
        pytest.param({"type": None}, None, id="null"),
        pytest.param({"type": ["typing"]}, None, id="a list for a type"),
        pytest.param({"type": {"typing": 1}}, None, id="an object for a type"),
        pytest.param(["typing"], None, id="a list"),
        pytest.param(7, None, id="a number"),
        pytest.param("NaN", None, id="not a number"),
    ],
)
async def test_a_broken_frame_harms_nobody_else(browsers, path, healthy, alice, carol, frame, code):
    async with (
        PageSocket(f"{LIST}{healthy}/", browsers["dave"]) as other,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        socket = PageSocket(path, browsers["alice"])
        await socket.open()

        await socket.say(frame)

        if code:
            assert await socket.code() == code
        else:
            assert await socket.frame("error") == {"type": "error", "error": "unknown frame"}
            await socket.leave()
        assert await bobs.frame("gone") == {"type": "gone", "name": "Alice"}
        await say(healthy, carol)
        await other.frame("bell")


@pytest.mark.plan("SEC-B19")
@pytest.mark.plan("P10")
async def test_a_flood_closes_the_socket_and_no_other(browsers, path, healthy, carol):
    async with (
        PageSocket(f"{LIST}{healthy}/", browsers["dave"]) as other,
        PageSocket(path, browsers["alice"]) as patient,
    ):
        flooding = PageSocket(path, browsers["bob"])
        await flooding.open()
        for socket in (patient, flooding):
            for _ in range(consumers.FRAMES_A_MINUTE):
                await socket.say({"type": "noise"})
                await socket.frame("error")

        for _ in range(20):  # what was on its way when the limit was met
            await flooding.say({"type": "noise"})

        assert await flooding.code() == 4429
        await patient.frame("gone")
        await say(healthy, carol)
        await other.frame("bell")


@pytest.mark.plan("SEC-B19")
async def test_the_limit_is_for_a_minute(browsers, path, monkeypatch):
    clock = count(step=2)  # a frame each two seconds
    monkeypatch.setattr(consumers, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    async with PageSocket(path, browsers["alice"]) as socket:
        for _ in range(2 * consumers.FRAMES_A_MINUTE):
            await socket.say({"type": "typing"})

        assert await socket.frames() == []


@pytest.mark.plan("P10")
async def test_one_person_holds_ten_sockets(browsers, path):
    held = [PageSocket(LIST, browsers["alice"]) for _ in range(live.SOCKETS_EACH)]
    assert [await socket.open() for socket in held] == [None] * live.SOCKETS_EACH

    assert await PageSocket(path, browsers["alice"]).open() == 4429
    async with PageSocket(path, browsers["bob"]):
        pass
    await held.pop().leave()
    async with PageSocket(path, browsers["alice"]):
        pass
    for socket in held:
        await socket.leave()


@pytest.mark.plan("P10")
async def test_opening_them_at_once_helps_nobody(browsers, path):
    sockets = [PageSocket(path, browsers["alice"]) for _ in range(2 * live.SOCKETS_EACH)]

    codes = await asyncio.gather(*(socket.open() for socket in sockets))

    assert codes.count(None) == live.SOCKETS_EACH
    for socket in sockets:
        await socket.leave()

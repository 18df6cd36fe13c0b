"""What is live stays true: bells from everywhere."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import live
from messaging.actions import post_note
from messaging.models import Message
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .sockets import LIST, PageSocket
from .talking import fresh, say

pytestmark = pytest.mark.django_db(transaction=True)


DEAD_REDIS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
    }
}
no_redis = pytest.mark.skipif(bool(settings.REDIS_URL), reason="with Redis the bells cross alone")


@pytest.fixture
def another_process(monkeypatch):
    """Lines are written where nobody holds a socket: no bell is rung here."""
    monkeypatch.setattr(live, "ring", lambda ticket, event: None)


# --- Written elsewhere --------------------------------------------------------------


@no_redis
async def test_a_line_of_another_process_rings_within_two_seconds(
    browsers, ticket, path, alice, another_process
):
    """D4-3: the worker and the command line have no sockets to ring at. It looks each second."""
    assert live.LOOK_EVERY <= 1
    async with (
        PageSocket(path, browsers["bob"]) as bobs,
        PageSocket(LIST, browsers["alice"]) as alices_list,
        PageSocket(LIST, browsers["bob"]) as bobs_list,
        PageSocket(LIST, browsers["carol"]) as carols_list,
    ):
        line = await say(ticket, alice)

        for socket in (bobs, alices_list, bobs_list):
            bell = await socket.frame("bell")
            while bell["line"] < line.number:  # of the new ticket, where sockets open slowly
                bell = await socket.frame("bell")
            assert (bell["ticket"], bell["line"]) == (ticket.reference, line.number)
        assert await carols_list.frames() == []


@no_redis
@pytest.mark.plan("SEC-A5")
async def test_a_note_of_another_process_rings_for_staff_only(
    browsers, ticket, path, ada, quick, another_process, monkeypatch
):
    """Looking again must not tell the requester of what the bell kept from them."""
    monkeypatch.setattr(live, "LOOK_BACK", live.timedelta(seconds=0.5))
    await asyncio.sleep(0.6)  # the ticket itself is no news any more
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(LIST, browsers["alice"]) as alices_list,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        await alices.frame("here")
        note = await say(ticket, ada, post=post_note)

        assert (await bobs.frame("bell"))["line"] == note.number
        assert await alices.frames(quiet=0.2) == []
        assert await alices_list.frames(quiet=0.2) == []


@no_redis
@pytest.mark.plan("SEC-B19")
async def test_a_socket_that_breaks_does_not_stop_the_watch(
    browsers, ticket, path, alice, quick, another_process, monkeypatch
):
    """Its client went away while it was rung at."""
    async with PageSocket(path, browsers["ada"]), PageSocket(path, browsers["bob"]) as bobs:
        (adas,) = (held for held in live.sockets if held.person["name"] == "Ada")

        async def break_down(*args):
            live.unregister(adas)
            raise OSError("the client is gone")

        monkeypatch.setattr(adas, "ring", break_down)
        await say(ticket, alice)

        await bobs.frame("bell")


async def test_a_consumer_that_breaks_is_forgotten(browsers, path, monkeypatch):
    """Otherwise ten of them would shut its owner out."""
    socket = PageSocket(path, browsers["alice"])
    await socket.open()
    (held,) = live.sockets
    monkeypatch.setattr(held, "understands", {"typing": None})

    await socket.say({"type": "typing"})
    with pytest.raises(TypeError):
        await socket.wait()

    assert not live.sockets


# --- Redis is away --------------------------------------------------------------------


@pytest.mark.plan("SEC-F5")
def test_without_redis_words_are_kept_at_once(browsers, ticket, settings, monkeypatch):
    """Whoever writes waits for one try, not for one after the other."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # so somebody may hear it elsewhere
    settings.CHANNEL_LAYERS = DEAD_REDIS
    tries, connect = [], asyncio.open_connection
    monkeypatch.setattr(
        asyncio, "open_connection", lambda **where: tries.append(where) or connect(**where)
    )

    response = browsers["alice"].post(f"{ticket.get_absolute_url()}reply/", {"body": "Hello?"})

    assert response.status_code == 302
    assert len(tries) == 1
    assert Message.objects.get().text == "Hello?"


@pytest.mark.plan("SEC-F5")
async def test_without_redis_the_socket_says_come_later(browsers, path, settings):
    layers = settings.CHANNEL_LAYERS
    settings.CHANNEL_LAYERS = DEAD_REDIS
    assert await PageSocket(path, browsers["alice"]).open() == 1013
    assert await PageSocket(path, browsers["visitor"]).open() == 4401  # nothing listens for it
    assert not live.sockets

    settings.CHANNEL_LAYERS = layers
    async with PageSocket(path, browsers["alice"]):
        pass


# --- Many pages -----------------------------------------------------------------------


@no_redis
async def test_the_watch_asks_as_much_for_many_pages_as_for_one(
    browsers, ticket, path, alice, carol, bob, ada, kettles, django_assert_num_queries
):
    """One query for the lines, three for the rights, however many sockets are held."""
    others = [
        await in_thread(make_ticket)(requester=carol, assignee=bob, category=kettles, by=ada)
        for _ in range(2)
    ]
    async with AsyncExitStack() as stack:
        counts = []
        for held in (path, *(f"{LIST}{other}/" for other in others)):
            await stack.enter_async_context(PageSocket(held, browsers["bob"]))
            counts.append(await queries_of_a_look())

    assert counts[0] == counts[2] <= 4


async def queries_of_a_look() -> int:
    held = list(live.sockets)
    tickets = {socket.ticket_id for socket in held}

    def look():
        with CaptureQueriesContext(connection) as queries:
            live.without_rights.func(held)
            live._watched.func(tickets, set(), timezone.now())
        return len(queries)

    return await in_thread(look)()


async def test_status_moves_ring_in_the_requesters_list(browsers, ticket, bob):
    """D4-3: "My complaints" shows each status live."""
    async with PageSocket(LIST, browsers["alice"]) as alices_list:
        move = {"to": Status.WAITING, "by": bob}
        await in_thread(lambda: actions.change_status(fresh(ticket), **move))()

        assert (await alices_list.frame("bell"))["ticket"] == ticket.reference

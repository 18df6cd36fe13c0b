"""What is live stays true: bells from everywhere, and no socket outlives the right to it."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import people
from accounts.models import Role, Standing, User
from accounts.tests.doors import sign_in
from accounts.tests.factories import PASSWORD
from messaging import live
from messaging.actions import post_message, post_note
from messaging.models import Message
from notifications.mail import outbox
from tickets import actions
from tickets.models import Ticket
from tickets.parties import requesters
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .sockets import PageSocket

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/ws/tickets/"
DEAD_REDIS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
    }
}
no_redis = pytest.mark.skipif(bool(settings.REDIS_URL), reason="with Redis the bells cross alone")


@pytest.fixture
def path(ticket):
    """Of Alice's ticket, which Bob has."""
    return f"{LIST}{ticket}/"


@pytest.fixture
def quick(monkeypatch):
    """The watch looks twenty times a second."""
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)


@pytest.fixture
def another_process(monkeypatch):
    """Lines are written where nobody holds a socket: no bell is rung here."""
    monkeypatch.setattr(live, "ring", lambda ticket, event: None)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


@in_thread
def say(ticket, by, body="Any news?", post=post_message):
    return post(fresh(ticket), by=by, body=body)


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


# --- The right to it is lost ----------------------------------------------------------


@in_thread
def change_user(person, **changes):
    User.objects.filter(pk=person.pk).update(**changes)


async def sign_out(browsers, **cast):
    await in_thread(browsers["bob"].post)(reverse("account_logout"))


async def end_the_session(browsers, **cast):
    await in_thread(browsers["bob"].session.flush)()


async def change_password(browsers, bob, **cast):
    """In another browser."""

    def change():
        other = Client()
        sign_in(other, bob.email)
        new = {"password1": "four quite small words", "password2": "four quite small words"}
        other.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new})

    await in_thread(change)()


async def suspend(bob, ada, **cast):
    await in_thread(people.suspend)(bob, by=ada, reason="Left us.")


async def decline(bob, **cast):
    await change_user(bob, standing=Standing.DECLINED)


async def send_back_to_waiting(bob, **cast):
    await change_user(bob, standing=Standing.PENDING)


async def delete(bob, ada, **cast):
    await in_thread(people.bin_user)(bob, by=ada)


async def change_the_role(bob, ada, **cast):
    await in_thread(people.change_role)(bob, Role.CUSTOMER, by=ada)


async def reassign(ticket, dave, ada, **cast):
    await in_thread(lambda: actions.assign(fresh(ticket), to=dave, by=ada))()


async def bin_the_ticket(ticket, ada, **cast):
    await in_thread(lambda: actions.bin_ticket(fresh(ticket), by=ada))()


LOSSES_OF_THE_PERSON = [
    sign_out,
    end_the_session,
    change_password,
    suspend,
    change_the_role,
    decline,
    send_back_to_waiting,
    delete,
]
LOSSES_OF_THE_TICKET = [reassign, bin_the_ticket]


@pytest.fixture
def cast(browsers, ticket, alice, bob, dave, ada):
    return {
        "browsers": browsers,
        "ticket": ticket,
        "alice": alice,
        "bob": bob,
        "dave": dave,
        "ada": ada,
    }


@pytest.mark.plan("SEC-A13")
@pytest.mark.plan("SEC-C6")
@pytest.mark.plan("SEC-C7")
@pytest.mark.plan("P7")
@pytest.mark.parametrize("lose", [*LOSSES_OF_THE_PERSON, *LOSSES_OF_THE_TICKET])
async def test_the_socket_of_the_ticket_closes(cast, browsers, path, quick, lose):
    """And nobody else's."""
    async with PageSocket(LIST, browsers["ada"]) as adas:
        socket = PageSocket(path, browsers["bob"])
        await socket.open()
        await asyncio.sleep(0.5)  # three checks that find nothing wrong
        assert socket.is_held

        await lose(**cast)

        assert await socket.code() == 4403
        assert adas.is_held


@pytest.mark.plan("SEC-A13")
@pytest.mark.plan("P7")
async def test_the_socket_of_a_customer_it_was_not_about_closes(
    browsers, path, ticket, alice, bob, carol, quick
):
    """And Bob's stays open."""
    async with PageSocket(path, browsers["bob"]) as bobs:
        socket = PageSocket(path, browsers["alice"])
        await socket.open()

        correct = in_thread(requesters.correct_requester)
        await correct(ticket, carol.email, first_name="", by=bob)

        assert await socket.code() == 4403
        assert bobs.is_held


@pytest.mark.plan("SEC-A13")
@pytest.mark.plan("SEC-C7")
@pytest.mark.parametrize("lose", LOSSES_OF_THE_PERSON)
async def test_the_socket_of_the_list_closes(cast, browsers, quick, lose):
    socket = PageSocket(LIST, browsers["bob"])
    await socket.open()

    await lose(**cast)

    assert await socket.code() == 4403


@pytest.mark.plan("P7")
def test_five_seconds_are_enough():
    """The tests above look more often than the product does."""
    assert live.LOOK_EVERY * live.CHECK_RIGHTS_EVERY <= 4


@pytest.mark.plan("SEC-A10")
@pytest.mark.plan("SEC-A13")
@pytest.mark.parametrize("lose", [*LOSSES_OF_THE_PERSON, *LOSSES_OF_THE_TICKET])
async def test_no_bell_is_heard_after_the_change(cast, browsers, path, ticket, alice, lose):
    """Not even before the watch has looked: the right is asked for when it rings."""
    async with PageSocket(path, browsers["alice"]) as alices:
        socket = PageSocket(path, browsers["bob"])
        await socket.open()
        await socket.frame("here")
        await lose(**cast)

        if lose is not bin_the_ticket:
            await say(ticket, alice)
        await alices.say({"type": "typing"})

        assert not [frame["type"] for frame in await frames_before_the_close(socket)]
        await socket.leave()


async def frames_before_the_close(socket):
    found = []
    while not await socket.receive_nothing(0.2):
        message = await socket.receive_output()
        if message["type"] == "websocket.close":
            break
        found.append(message)
    return found


@pytest.mark.plan("SEC-A10")
async def test_a_reassigned_ticket_is_gone_for_its_agent(
    browsers, ticket, path, alice, bob, dave, ada, quick
):
    """On the page that is open, on the socket, and in the mail that was owed already."""
    get, post = in_thread(browsers["bob"].get), in_thread(browsers["bob"].post)
    page, lines = ticket.workspace_url, f"{ticket.workspace_url}lines/?after=0"
    words = {"body": "Still mine?", "kind": "reply"}
    socket = PageSocket(path, browsers["bob"])
    await socket.open()
    assert [(await get(page)).status_code, (await get(lines)).status_code] == [200, 200]
    assert (await post(f"{page}write/", words)).status_code == 302
    await say(ticket, alice, "A secret for who has it")

    await reassign(ticket, dave, ada)

    assert await socket.code() == 4403
    answers = [await get(page), await get(lines), await post(f"{page}write/", words)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    await in_thread(outbox.drain)()
    to_bob = [sent for sent in mail.outbox if sent.to == [bob.email]]
    assert not [sent for sent in to_bob if ticket.reference in sent.subject]
    to_dave = [sent.subject for sent in mail.outbox if sent.to == [dave.email]]
    assert any(ticket.reference in subject for subject in to_dave)
    async with PageSocket(path, browsers["dave"]):
        pass


@pytest.mark.plan("SEC-A12")
async def test_a_closed_ticket_is_silent_until_it_is_opened_again(browsers, ticket, path):
    """D1-9: for both sides, on pages that were open before."""
    at_alices, at_bobs = ticket.get_absolute_url(), ticket.workspace_url
    alices_post, bobs_post = (in_thread(browsers[name].post) for name in ("alice", "bob"))
    words = {"body": "One more thing", "kind": "reply"}
    async with (
        PageSocket(path, browsers["alice"]) as alices,
        PageSocket(path, browsers["bob"]) as bobs,
    ):
        await alices_post(f"{at_alices}close/")
        await alices.frame("bell")
        await bobs.frame("bell")

        refused = [
            await alices_post(f"{at_alices}reply/", words),
            await bobs_post(f"{at_bobs}write/", words),
        ]
        assert [answer.status_code for answer in refused] == [403, 403]
        assert "You closed this ticket. Chats are disabled" in refused[0].text
        assert "Alice Archer closed this ticket. Chats are disabled" in refused[1].text
        assert not await in_thread(Message.objects.exists)()
        assert (await in_thread(browsers["alice"].get)(at_alices)).status_code == 200

        await alices_post(f"{at_alices}reopen/")
        assert (await alices_post(f"{at_alices}reply/", words)).status_code == 302
        assert (await bobs_post(f"{at_bobs}write/", words)).status_code == 302
        assert await in_thread(Message.objects.count)() == 2


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

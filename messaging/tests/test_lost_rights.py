"""No socket outlives the right to it."""

import asyncio

import pytest
from channels.db import database_sync_to_async as in_thread
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import people
from accounts.models import Role, Standing, User
from accounts.tests.doors import sign_in
from accounts.tests.factories import PASSWORD
from messaging import live
from messaging.models import Message
from notifications.mail import outbox
from tickets import actions
from tickets.parties import requesters

from .sockets import LIST, PageSocket
from .talking import fresh, say

pytestmark = pytest.mark.django_db(transaction=True)


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

"""The bell rings on open pages of whoever is told something, also of other processes."""

import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import live
from messaging.actions import post_message
from notifications import bell
from notifications.owing import owe
from tickets.models import Follower, Ticket

from .sockets import PageSocket

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/ws/tickets/"
no_redis = pytest.mark.skipif(bool(settings.REDIS_URL), reason="with Redis the bells cross alone")


@pytest.fixture
def another_process(monkeypatch):
    """What is owed is written where nobody holds a socket: no bell is rung here."""
    monkeypatch.setattr(live, "_ring", lambda bells: None)


@pytest.fixture
def slow(monkeypatch):
    """The watch never looks: what rings was rung at once."""
    monkeypatch.setattr(live, "LOOK_EVERY", 60)


@in_thread
def welcome(person):
    owe("welcome", person, cause=f"user:{person.pk}")


def told(person):
    return person.notifications.get()


@in_thread
def say(ticket, by):
    return post_message(Ticket.objects.get(pk=ticket.pk), by=by, body="Any news?")


async def test_news_of_the_account_ring_for_their_person_alone(browsers, ticket, alice, slow):
    async with (
        PageSocket(LIST, browsers["alice"]) as alices,
        PageSocket(f"{LIST}{ticket}/", browsers["alice"]) as on_a_ticket,
        PageSocket(LIST, browsers["bob"]) as bobs,
    ):
        await welcome(alice)

        assert await alices.frame("told") == {"type": "told"}
        await on_a_ticket.frame("told")
        assert await bobs.frames() == []


async def test_followers_hear_of_what_is_not_theirs(browsers, ticket, alice, ada, slow):
    """The bell of a ticket's lines rings for requester and agent only."""
    await in_thread(Follower.objects.create)(ticket=ticket, person=ada)
    async with PageSocket(LIST, browsers["ada"]) as adas:
        await say(ticket, alice)

        await adas.frame("told")


@pytest.mark.parametrize("read", [bell.read_all, lambda person: bell.read(told(person))])
async def test_what_is_read_on_one_page_rings_on_the_others(browsers, alice, bob, slow, read):
    """Once: what was read already is no news."""
    await welcome(alice)
    async with (
        PageSocket(LIST, browsers["alice"]) as alices,
        PageSocket(LIST, browsers["bob"]) as bobs,
    ):
        await in_thread(read)(alice)
        await in_thread(read)(alice)

        assert await alices.frames_to("told") == [{"type": "told"}]
        assert await alices.frames() == []
        assert await bobs.frames() == []


@no_redis
async def test_what_another_process_owes_rings_at_the_next_look_once(
    browsers, alice, another_process, monkeypatch
):
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)
    async with (
        PageSocket(LIST, browsers["alice"]) as alices,
        PageSocket(LIST, browsers["bob"]) as bobs,
    ):
        await welcome(alice)

        await alices.frame("told")
        assert await alices.frames(quiet=0.3) == []
        assert await bobs.frames() == []


async def test_what_is_undone_rings_for_nobody(browsers, alice, slow):
    @in_thread
    def owe_in_vain():
        with transaction.atomic():
            owe("welcome", alice, cause="vain")
            transaction.set_rollback(True)

    async with PageSocket(LIST, browsers["alice"]) as alices:
        await owe_in_vain()
        assert await alices.frames() == []

        await welcome(alice)
        await alices.frame("told")


async def test_many_things_at_once_ring_once(browsers, alice, slow):
    @in_thread
    def owe_three():
        with transaction.atomic():
            for number in range(3):
                owe("welcome", alice, cause=f"many:{number}")

    async with PageSocket(LIST, browsers["alice"]) as alices:
        await owe_three()

        assert await alices.frames_to("told") == [{"type": "told"}]
        assert await alices.frames() == []


@pytest.mark.plan("SEC-A13")
@pytest.mark.plan("P7")
async def test_who_may_not_hold_the_socket_any_more_hears_nothing(browsers, bob, ada, slow):
    socket = PageSocket(LIST, browsers["bob"])
    await socket.open()
    await in_thread(browsers["bob"].session.flush)()

    await welcome(bob)

    assert await socket.code() == 4403


@no_redis
def test_the_look_is_one_query_for_all(alice, bob, ada, ticket):
    people = {alice.pk, bob.pk, ada.pk}

    with CaptureQueriesContext(connection) as queries:
        told = live._told.func(people, timezone.now() - live.LOOK_BACK)

    assert len(queries) == 1
    assert set(told) == people
    assert live._told.func(people, timezone.now()) == {}

"""The live layer: doorbells for open pages. Push is an optimisation, asking is the truth.

A socket carries only "ticket X is at line N", "you were told something", presence and typing. With
Redis the bells cross processes by themselves. Without it, each process that holds sockets asks the
database once a second, in two queries for all of them, so that changes made by the worker or the
command line ring too. Ringing twice is harmless.

The same watch closes sockets whose owner lost the right to them: signed out, password changed,
suspended, ticket reassigned.
"""

import asyncio
import logging
import threading
from datetime import timedelta

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import Q, prefetch_related_objects
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from redis.exceptions import RedisError

from accounts.models import User
from tickets.belongings import belongings_of
from tickets.models import Audience, Participant, Ticket
from tickets.workflow import Part

from .signals import news_asked

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
LOOK_BACK = timedelta(seconds=5)  # covers transactions that commit out of order
CHECK_RIGHTS_EVERY = 3  # looks
SOCKETS_EACH = 10
PATIENCE = 2  # seconds for one client

sockets: set = set()  # the open consumers of this process
_watch: asyncio.Task | None = None
_waiting = threading.local()  # its ``people`` were told something in the transaction that runs


def ticket_group(ticket_id: int) -> str:
    return f"ticket.{ticket_id}"


def staff_group(ticket_id: int) -> str:
    return f"ticket.{ticket_id}.staff"


def person_group(user_id: int) -> str:
    return f"person.{user_id}"


def told_group(user_id: int) -> str:
    return f"told.{user_id}"


def tell(people) -> None:
    """Ring at all that ``people`` hold open, once what is being done has been kept: they were told
    something. Asked for often it rings once."""
    _waiting.people = getattr(_waiting, "people", set()) | set(people)
    transaction.on_commit(_tell, robust=True)


def _tell():
    _ring(_told_bells())


def _told_bells():
    people, _waiting.people = getattr(_waiting, "people", set()), set()
    return [(told_group(pk), {"type": "told"}) for pk in people]


def ring(ticket: Ticket, event) -> None:
    """Tell the open pages of ``ticket`` that it has a new line. After the commit; best effort."""
    if not (settings.REDIS_URL or sockets):
        return  # only this process would hear, and it holds no page
    if event.audience == Audience.EVERYONE and event.at < ticket.last_event_at:
        return  # what was said in the same breath rings for both
    if event.audience == Audience.STAFF:
        groups = [staff_group(ticket.pk)]
    else:
        takers = ()
        if "participants" in belongings_of(ticket):
            takers = ticket.participants.in_force().values_list("person", flat=True)
        groups = [ticket_group(ticket.pk), *map(person_group, (ticket.requester_id, *takers))]
    if ticket.assignee_id:
        groups.append(person_group(ticket.assignee_id))
    bell = {"type": "bell", "ticket": ticket.reference, "line": event.number}
    _ring([(group, bell) for group in groups] + _told_bells())


def _ring(bells):
    if not bells or not (settings.REDIS_URL or sockets):
        return
    try:
        async_to_sync(_send)(bells)
    except RedisError as error:  # Redis is away: pages go on asking
        logger.warning("Nobody hears %s: %s", bells, error)


async def _send(bells):
    layer = get_channel_layer()
    for group, message in bells:
        await layer.group_send(group, message)


def is_full(user_id: int) -> bool:
    return sum(socket.user_id == user_id for socket in sockets) >= SOCKETS_EACH


def register(socket) -> None:
    global _watch
    sockets.add(socket)
    if _watch is None or _watch.done() or _watch.get_loop() is not asyncio.get_running_loop():
        _watch = asyncio.create_task(_look_after_sockets())


def unregister(socket) -> None:
    sockets.discard(socket)


async def _look_after_sockets():
    """Runs while this process holds a socket."""
    looks = 0
    while sockets:
        await asyncio.sleep(LOOK_EVERY)
        looks += 1
        try:
            if not settings.REDIS_URL:
                await _ring_new_lines()
                await _ring_for_the_told()
            if looks % CHECK_RIGHTS_EVERY == 0:
                await _close_lost_rights()
        except (DatabaseError, RedisError, OSError, RuntimeError) as error:
            # The last two: a server says so of a socket that went away meanwhile.
            logger.warning("The watch over open pages missed a look: %s", error)


async def _ring_new_lines():
    held = list(sockets)
    tickets = {socket.ticket_id for socket in held if socket.ticket_id}
    people = {socket.user_id for socket in held if not socket.ticket_id}
    since = timezone.now() - LOOK_BACK
    watched = await _watched(tickets, people, since)
    await _together(
        socket.ring(ticket.reference, ticket.event_count)
        for ticket in watched
        for socket in held
        if socket.has_news(ticket, since)
    )


async def _ring_for_the_told():
    held = list(sockets)
    since = timezone.now() - LOOK_BACK
    told = await _told({socket.user_id for socket in held}, since)
    await _together(
        socket.told() for socket in held if socket.is_news(told.get(socket.user_id, frozenset()))
    )


@database_sync_to_async
def _told(people, since) -> dict[int, frozenset]:
    """The keys of what each of ``people`` was told lately, in the apps to our right."""
    found = {}
    for _receiver, news in news_asked.send(sender=None, people=people, since=since):
        for person, keys in news.items():
            found[person] = found.get(person, frozenset()) | keys
    return found


async def _together(sends):
    """All at once and none for long: a client that stalls holds up nobody else."""
    bounded = [asyncio.wait_for(send, PATIENCE) for send in sends]
    for outcome in await asyncio.gather(*bounded, return_exceptions=True):
        if isinstance(outcome, Exception):
            logger.warning("A socket did not hear us: %s", outcome)


@database_sync_to_async
def _watched(tickets, people, since):
    """The tickets that are open somewhere, and the ones of ``people`` that moved lately."""
    shared = Participant.objects.in_force().filter(person__in=people)
    theirs = Q(requester__in=people) | Q(assignee__in=people) | Q(pk__in=shared.values("ticket"))
    found = Ticket.objects.filter(Q(pk__in=tickets) | (theirs & Q(last_event_at__gte=since)))
    if people:
        found = found.prefetch_related("participants")
    return list(
        found.only("reference", "event_count", "last_event_at", "requester_id", "assignee_id")
    )


async def _close_lost_rights():
    lost = await without_rights(list(sockets))
    await _together(socket.close(code=4403) for socket in lost)


@database_sync_to_async
def without_rights(held):
    """The sockets of ``held`` whose owner may not hold them any more; three queries for all, one
    more if somebody takes part in another's ticket."""
    people = User.objects.in_bulk({socket.user_id for socket in held})
    sessions = set(
        Session.objects.filter(
            session_key__in={socket.session_key for socket in held},
            expire_date__gt=timezone.now(),
        ).values_list("session_key", flat=True)
    )
    tickets = Ticket.objects.in_bulk({socket.ticket_id for socket in held if socket.ticket_id})
    shared = {socket.ticket_id for socket in held if socket.part == Part.PARTICIPANT}
    prefetch_related_objects([tickets[pk] for pk in shared & tickets.keys()], "participants")
    return [
        socket
        for socket in held
        if socket.session_key not in sessions
        or not _may_hold(socket, people.get(socket.user_id), tickets.get(socket.ticket_id))
    ]


def _may_hold(socket, user, ticket) -> bool:
    if user is None or not user.is_approved:
        return False
    if not constant_time_compare(socket.session_hash, user.get_session_auth_hash()):
        return False
    if socket.ticket_id:
        is_here = ticket is not None and ticket.merged_into_id is None
        return is_here and ticket.part_of(user) == socket.part
    return True


def session_of(scope) -> tuple[str, str]:
    """The key of the session that opened a socket, and the proof of its password."""
    session = scope["session"]
    return session.session_key, session.get(HASH_SESSION_KEY, "")

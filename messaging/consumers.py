"""The sockets of open pages. They ring; content comes over HTTP.

Refusals are close codes: 4401 sign in first, 4403 not (any more) allowed, 4404 no such ticket,
4429 too many sockets or frames.
"""

import asyncio
import json
import time
from collections import deque
from types import SimpleNamespace

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from accounts.gates import first_shut
from tickets.models import Ticket
from tickets.workflow import CUSTOMERS, HANDLERS, Part

from . import live

FRAMES_A_MINUTE = 100
MAX_FRAME = 64 * 1024
LET_GO = 2  # seconds to leave in
CANCEL_EVERY = 0.1  # seconds, of who did not


class RegistryConsumer(AsyncWebsocketConsumer):
    """What both sockets share: who holds it, its groups, its bell."""

    ticket_id: int | None = None
    part: Part | None = None
    user_id: int | None = None
    groups_joined: tuple[str, ...] = ()
    known: frozenset = frozenset()  # what its person had been told when we looked last
    is_closed = False

    async def __call__(self, scope, receive, send):
        self.scope = scope
        try:
            self.refusal = await self._refusal()
            if self.refusal:
                self.channel_layer_alias = None  # nobody rings for it, so it need not listen
            await _until_gone(super().__call__, scope, receive, send)
        except RedisError:  # Redis is away: the page asks by itself
            await self.close(code=1013)
        finally:
            live.unregister(self)  # however it ended: the watch must not stumble over it

    async def _refusal(self) -> int:
        """A close code, or 0 for who may hold this socket."""
        user = self.scope["user"]
        if not user.is_authenticated:
            return 4401
        if not user.is_approved or await self._stands_at_a_gate():
            return 4403
        return await self.enter(user)

    async def connect(self):
        await self.accept()  # so that the browser learns the close code
        if self.refusal:
            return await self.close(code=self.refusal)
        user = self.scope["user"]
        self.user_id = user.pk
        self.groups_joined += (live.told_group(user.pk),)
        self.session_key, self.session_hash = live.session_of(self.scope)
        self.frames = deque()
        for group in self.groups_joined:
            await self.channel_layer.group_add(group, self.channel_name)
        if live.is_full(user.pk):  # asked last: nothing is awaited before it counts
            return await self.close(code=4429)
        live.register(self)
        await self.entered()

    @database_sync_to_async
    def _stands_at_a_gate(self) -> bool:
        return first_shut(SimpleNamespace(**self.scope)) is not None

    async def enter(self, user) -> int:
        """Finds what the socket is for and sets its groups; a close code to refuse."""
        raise NotImplementedError

    async def entered(self):
        pass

    async def disconnect(self, code):
        live.unregister(self)
        if self.user_id is None:
            return
        try:
            await self.left()
            for group in self.groups_joined:
                await self.channel_layer.group_discard(group, self.channel_name)
        except RedisError:  # Redis is away, and its groups with it
            pass

    async def left(self):
        pass

    async def receive(self, text_data=None, bytes_data=None):
        if self.user_id is None or self.is_closed:
            return
        now = time.monotonic()
        self.frames.append(now)
        while now - self.frames[0] > 60:
            self.frames.popleft()
        if len(self.frames) > FRAMES_A_MINUTE:
            return await self.close(code=4429)
        if text_data is None:
            return await self.close(code=1003)
        if len(text_data) > MAX_FRAME:
            return await self.close(code=1009)
        try:
            frame = json.loads(text_data)
        except (ValueError, RecursionError):  # deep brackets overflow the parser
            return await self.close(code=1003)
        if not isinstance(frame, dict) or str(frame.get("type")) not in self.understands:
            return await self.tell({"type": "error", "error": "unknown frame"})
        await self.understands[frame["type"]](self)

    understands: dict = {}

    async def bell(self, event):
        await self.ring(event["ticket"], event["line"])

    async def ring(self, reference, line):
        await self.tell({"type": "bell", "ticket": reference, "line": line})

    def is_news(self, keys) -> bool:
        """Whether ``keys`` of what its person was told name more than at the last look."""
        before, self.known = self.known, keys
        return bool(keys - before)

    async def told(self, event=None):
        await self.tell({"type": "told"})

    async def tell(self, frame):
        """Send ``frame``, if its reader may still hold this socket at this moment."""
        if await live.without_rights([self]):
            await self.close(code=4403)
        elif not self.is_closed:
            await self.send(json.dumps(frame))

    async def close(self, code=None, reason=None):
        if not self.is_closed:
            self.is_closed = True
            await super().close(code, reason)


async def _until_gone(app, scope, receive, send):
    """``app``, but not for long once its client has gone: whoever listens to Redis may miss that it
    is cancelled while it connects, more than once, and would listen for ever."""
    gone = asyncio.Event()

    async def heard():
        message = await receive()
        if message["type"] == "websocket.disconnect":
            gone.set()
        return message

    running = asyncio.ensure_future(app(scope, heard, send))
    leaving = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running}, timeout=LET_GO)
    finally:
        leaving.cancel()
        running.cancel()
    while not running.done():
        await asyncio.wait({running}, timeout=CANCEL_EVERY)
        running.cancel()
    if not running.cancelled():
        running.result()


class TicketListConsumer(RegistryConsumer):
    """Rings when any ticket of the person has a new line: lists follow each status live (D4-3)."""

    async def enter(self, user):
        self.groups_joined = (live.person_group(user.pk),)
        return 0

    def has_news(self, ticket, since):
        takers = (each.person_id for each in ticket.participants.all())
        is_theirs = self.user_id in (ticket.requester_id, ticket.assignee_id, *takers)
        return is_theirs and ticket.last_event_at >= since


class TicketConsumer(RegistryConsumer):
    """Rings for one ticket, and says who is here and who is writing."""

    async def enter(self, user):
        reference = self.scope["url_route"]["kwargs"]["reference"]
        await self._look_up(user, reference)
        if self.part not in HANDLERS | CUSTOMERS:
            return 4404
        self.person = {"id": user.pk, "name": user.first_name, "part": self.part}
        self.groups_joined = (live.ticket_group(self.ticket_id),)
        if self.part in HANDLERS:
            self.groups_joined += (live.staff_group(self.ticket_id),)
        return 0

    @database_sync_to_async
    def _look_up(self, user, reference):
        ticket = Ticket.objects.visible_to(user).filter(reference=reference).first()
        if ticket:
            self.ticket_id, self.part = ticket.pk, ticket.part_of(user)
            self.newest = self._newest_in(ticket)

    def has_news(self, ticket, since):
        """Whether ``ticket`` has a line this reader may know of, since we looked last."""
        if ticket.pk != self.ticket_id:
            return False
        before, self.newest = self.newest, self._newest_in(ticket)
        return before != self.newest

    def _newest_in(self, ticket):
        """What changes with each line this reader may know of."""
        return ticket.last_event_at if self.part in CUSTOMERS else ticket.event_count

    async def entered(self):
        await self._tell("here", answer=True)

    async def left(self):
        await self._tell("gone")

    async def typing(self):
        await self._tell("typing")

    understands = {"typing": typing}

    async def _tell(self, what, **more):
        await self.channel_layer.group_send(
            live.ticket_group(self.ticket_id),
            {"type": "presence", "what": what, "person": self.person, **more},
        )

    async def presence(self, event):
        """Customers learn only of the agent who has the ticket; staff of everybody."""
        person = event["person"]
        if person["id"] == self.user_id:
            if event["what"] == "gone":  # another page of this person is still open: this one
                await self._tell("here")
            return
        if self.part in CUSTOMERS and person["part"] != Part.ASSIGNEE:
            return
        await self.tell({"type": event["what"], "name": person["name"]})
        if event.get("answer"):
            await self._tell("here")

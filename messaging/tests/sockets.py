"""The socket of an open page as a browser holds it: with the page's cookie and origin."""

import asyncio
import json
import uuid
from itertools import count

from asgiref.testing import ApplicationCommunicator

from careregistry.asgi import application
from messaging import live

LIST = "/ws/tickets/"
ORIGIN = "http://localhost:8000"
QUIET = 0.05  # seconds without a frame after which we believe that none comes
PATIENCE = 60  # seconds for what must come; a busy machine is no failure
_ports = count(10_000)


async def like_a_server(scope, receive, send):
    """The product behind what every server insists on: nothing is sent after the close."""
    is_closed = False

    async def pass_on(message):
        nonlocal is_closed
        if is_closed:
            raise RuntimeError(f"{message['type']} after the close")
        is_closed = message["type"] == "websocket.close"
        await send(message)

    await application(scope, receive, pass_on)


class PageSocket(ApplicationCommunicator):
    """``async with PageSocket(path, client) as socket`` opens it, and leaves in the end.

    Without ``with``, ``open`` tells the close code of one that is refused.
    """

    def __init__(self, path, client=None, *, origin=ORIGIN, headers=()):
        cookies = client.cookies.values() if client else ()
        cookie = "; ".join(f"{each.key}={each.value}" for each in cookies)
        headers = [(b"cookie", cookie.encode()), *headers]
        if origin:
            headers.append((b"origin", origin.encode()))
        scope = {
            "type": "websocket",
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "headers": headers,
            "subprotocols": [],
            "client": ("127.0.0.1", next(_ports)),
        }
        super().__init__(like_a_server, scope)

    async def __aenter__(self):
        code = await self.open()
        assert code is None, f"closed with {code}"
        return self

    async def __aexit__(self, *error):
        await self.leave()

    async def open(self) -> int | None:
        """None once it rings, otherwise the code it was closed with; 0 if it never opened."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(PATIENCE)
        if answer["type"] == "websocket.close":
            return 0
        async with asyncio.timeout(PATIENCE):
            while not self.is_held:
                if not self.output_queue.empty():
                    return await self.code()
                await asyncio.sleep(0.005)
        return None

    @property
    def is_held(self) -> bool:
        """Whether the product has this socket among its open ones."""
        return any(held.scope["client"] == self.scope["client"] for held in live.sockets)

    async def say(self, frame):
        """Send ``frame``: text or bytes as they are, anything else as JSON."""
        if isinstance(frame, bytes):
            return await self.send_input({"type": "websocket.receive", "bytes": frame})
        text = frame if isinstance(frame, str) else json.dumps(frame)
        return await self.send_input({"type": "websocket.receive", "text": text})

    async def frames(self, quiet=QUIET) -> list[dict]:
        """What has come until it is quiet."""
        found = []
        while not await self.receive_nothing(quiet):
            message = await self.receive_output()
            assert message["type"] == "websocket.send", message
            found.append(json.loads(message["text"]))
        return found

    async def frame(self, kind, within=PATIENCE) -> dict:
        """The next frame of ``kind``."""
        return (await self.frames_to(kind, within))[-1]

    async def frames_to(self, kind, within=PATIENCE) -> list[dict]:
        """What comes up to the next frame of ``kind``, which is the last."""
        found = []
        async with asyncio.timeout(within):
            while not found or found[-1]["type"] != kind:
                message = await self.output_queue.get()
                assert message["type"] == "websocket.send", message
                found.append(json.loads(message["text"]))
        return found

    async def code(self) -> int:
        """The code it is closed with; frames before it are passed over."""
        async with asyncio.timeout(PATIENCE):
            while (message := await self.output_queue.get())["type"] != "websocket.close":
                pass
        await self.leave()
        return message["code"]

    async def leave(self):
        if not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(PATIENCE):  # one that stays behind is a leak
            while not self.future.done():
                await asyncio.sleep(0.005)
        self.future.result()


def use_a_layer_of_its_own(settings):
    """Tests that run side by side share a Redis, and their tickets have the same keys."""
    if settings.REDIS_URL:
        layer = settings.CHANNEL_LAYERS["default"]
        config = layer["CONFIG"] | {"prefix": str(uuid.uuid4())}
        settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": config}}

"""Pages and sockets. ``wsgi.py`` serves pages alone, for sites that split the two."""

import gc
import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")
pages = get_asgi_application()  # loads the apps, so it comes before what imports models

from messaging.routing import websocket_urlpatterns  # noqa: E402

from .checks import stop_if_unsafe  # noqa: E402
from .views import bare_page  # noqa: E402

stop_if_unsafe()
gc.freeze()  # what is loaded by now stays for good: the collector need not look at it again


def bounded(app, limit: int):
    """``app``, but no request brings more than ``limit`` bytes: they would all go to the disk
    before any form could refuse them."""
    page = bare_page("413.html").encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]

    async def bounded_app(scope, receive, send):
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if int(length) > limit:
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            await send({"type": "http.response.body", "body": page})
            return
        came = 0

        async def bounded_receive():
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return message if came <= limit else {"type": "http.disconnect"}

        await app(scope, bounded_receive, send)

    return bounded_app


# Who is turned away hears no bells; with Redis the ear for them would stay behind for ever.
WebsocketDenier.channel_layer_alias = None

application = ProtocolTypeRouter(
    {
        "http": bounded(pages, settings.MAX_REQUEST_BYTES),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)

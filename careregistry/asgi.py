"""Pages and sockets. ``wsgi.py`` serves pages alone, for sites that split the two."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")
pages = get_asgi_application()  # loads the apps, so it comes before what imports models

from messaging.routing import websocket_urlpatterns  # noqa: E402

from .checks import stop_if_unsafe  # noqa: E402

stop_if_unsafe()

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)

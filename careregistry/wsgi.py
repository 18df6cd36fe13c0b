"""Pages without sockets."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careregistry.settings")
application = get_wsgi_application()

from .checks import stop_if_unsafe  # noqa: E402

stop_if_unsafe()

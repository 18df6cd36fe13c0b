import pytest

from .smtp import Sink


@pytest.fixture
def sink(settings):
    """A real SMTP server on a free port, which the outbox talks to."""
    with Sink() as server:
        settings.EMAIL_BACKEND = "notifications.backends.SmtpBackend"
        settings.EMAIL_HOST = server.hostname
        settings.EMAIL_PORT = server.port
        yield server

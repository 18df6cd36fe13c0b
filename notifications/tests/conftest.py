import pytest
import time_machine
from django.utils import timezone

from notifications.models import Notification
from notifications.webhooks.models import Event

from .receiver import Receiver, make_webhook
from .smtp import Sink
from .telephones import PUSH_KEY


@pytest.fixture
def sink(settings):
    """A real SMTP server on a free port, which the outbox talks to."""
    with Sink() as server:
        settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
        settings.EMAIL_HOST = server.hostname
        settings.EMAIL_PORT = server.port
        yield server


@pytest.fixture
def receiver(settings):
    """A real server that webhooks may call."""
    settings.WEBHOOK_INTERNAL_HOSTS = ["127.0.0.1"]
    with Receiver() as server:
        yield server


@pytest.fixture
def desk(receiver, ticket):
    """A webhook that hears of everything, from now on."""
    webhook, webhook.known_secret = make_webhook(receiver.url, *Event)
    return webhook


@pytest.fixture
def clock():
    """Stands still until it is moved."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def service(receiver, settings):
    """A push service that answers as they do."""
    settings.PUSH_KEY = PUSH_KEY
    settings.PUSH_INTERNAL_HOSTS = ["127.0.0.1"]
    receiver.answers = [201] * 50
    return receiver


@pytest.fixture
def quiet_ticket(ticket):
    """Alice's ticket with Bob; nothing is owed because of what happened so far."""
    Notification.objects.all().delete()
    return ticket


@pytest.fixture
def kettle(ticket):
    """Of which everybody has heard what there was so far."""
    ticket.subject = "Kettle stopped heating"
    ticket.save()
    Notification.objects.all().delete()
    return ticket

"""The dashboard says that mail does not go out, since when, and why."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Circuit, OutgoingMail
from tickets.tests.reading import texts
from tickets.wording import when

from .outgoing import owe_welcome
from .smtp import Sink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

HOME = reverse("admin:index")
OUTBOX = reverse("admin:notifications_outgoingmail_changelist")


def run_worker(clock, minutes):
    for _minute in range(minutes):
        outbox.drain()
        clock.shift(60)


@pytest.mark.plan("SEC-F3")
def test_nobody_answers_at_the_mail_server(login, ada, alice, settings, clock):
    """And nothing stands there any more once it answers."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    client, began = login(ada), timezone.now()
    owe_welcome(alice)

    run_worker(clock, 10)
    early = texts(client.get(HOME), ".ccr-banner")
    run_worker(clock, 1)
    owe_welcome(ada)  # new ones are due before those that were put off
    late = client.get(HOME)
    with Sink(settings.EMAIL_PORT):
        run_worker(clock, 6)

    where = f"127.0.0.1:{settings.EMAIL_PORT}"
    assert early == []
    assert texts(late, ".ccr-banner") == [
        f"Mail has been waiting to be sent since {when(began)}. "
        f"The last answer: “Nobody answers at {where}: connection refused”. "
        "Look at what waits · Is everything well?"
    ]
    assert [f"{OUTBOX}?state=owed" in late.text, reverse("admin:doctor") in late.text] == [True] * 2
    assert texts(client.get(HOME), ".ccr-banner") == []


def test_no_worker_sends_it(login, ada, alice, clock):
    outbox.drain()
    owe_welcome(alice)
    outbox.address_notifications()
    client, began = login(ada), timezone.now()

    clock.shift(timedelta(minutes=10))
    early = texts(client.get(HOME), ".ccr-banner")
    clock.shift(timedelta(seconds=1))
    late = texts(client.get(HOME), ".ccr-banner")

    assert early == []
    assert late == [
        f"Mail has been waiting to be sent since {when(began)}. Nothing has tried to send it: "
        "does the worker run? Look at what waits · Is everything well?"
    ]


def test_what_one_mail_waits_for_is_no_news_of_the_server(
    login, ada, alice, bob, sink, clock, quiet_ticket
):
    """Nor what waits behind it, with its first try in the past."""
    sink.handler.answers[alice.email] = ["451 Later"] * 10
    post_message(quiet_ticket, by=bob, body="Hello")
    run_worker(clock, 5)
    post_message(quiet_ticket, by=bob, body="And another thing")

    run_worker(clock, 15)

    waiting = OutgoingMail.objects.filter(state="owed", recipient=alice)
    assert [mail.tries > 0 for mail in waiting.order_by("pk")] == [True, False]
    assert texts(login(ada).get(HOME), ".ccr-banner") == []


@pytest.mark.plan("SEC-H6")
def test_a_server_that_refuses_everything_is_tried_with_one_press(login, ada, settings, clock):
    """It is called as the operator named it."""
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example.org", 587
    now = timezone.now()
    stopped = {
        "opened_at": now,
        "next_try_at": now + timedelta(minutes=15),
        "last_answer": "550 No",
    }
    circuit = Circuit.objects.create(name="smtp", **stopped)
    client = login(ada)

    (banner,) = texts(client.get(HOME), ".ccr-banner")
    page = reverse("admin:notifications_circuit_changelist")
    pressed = client.post(page, {"action": "try_now", "_selected_action": circuit.pk})
    listed = texts(client.get(page), ".field-__str__")

    circuit.refresh_from_db()
    assert banner == (
        "The mail server mail.example.org:587 refuses everything, so no mail goes out: 550 No "
        "Try it again"
    )
    assert circuit.next_try_at == now
    assert [str(words) for words in get_messages(pressed.wsgi_request)] == [
        "A few mails try it now. Look here in a moment for what came of it."
    ]
    assert listed == ["mail.example.org:587"]
    lines = LogEntry.objects.values_list("object_id", "change_message")
    assert list(lines) == [(str(circuit.pk), "Tried now.")]

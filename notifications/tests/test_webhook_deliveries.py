"""Deliveries are tried again, given up, switched off and sent again; against a real server."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Role, User
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail, WebhookDelivery
from notifications.webhooks import delivering
from notifications.webhooks.events import owe_test, owe_to
from notifications.webhooks.models import Event
from notifications.webhooks.tasks import call_webhooks
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .receiver import call_all, make_webhook, rows
from .smtp import free_port
from .workers import two_workers

pytestmark = pytest.mark.django_db(transaction=True)

State = WebhookDelivery.State


# --- Tried again ------------------------------------------------------------------


@pytest.mark.plan("SEC-F14")
@pytest.mark.parametrize("status", [500, 404, 302, 307])
def test_what_is_not_accepted_is_tried_again_with_the_same_id(
    desk, receiver, ticket, bob, clock, status
):
    """A redirect is no acceptance, and is not followed."""
    receiver.answers = [status, status]
    post_message(ticket, by=bob, body="Hello")

    call_all()
    (first,) = WebhookDelivery.objects.all()
    clock.shift(14)
    call_all()  # too early: not called again
    clock.shift(1)
    call_all()
    (second,) = WebhookDelivery.objects.all()
    clock.shift(60)
    call_all()

    assert (first.state, first.tries) == ("owed", 1)
    assert first.last_answer.startswith(f"{status} ")
    assert (second.tries, second.next_try_at - timezone.now()) == (2, timedelta(0))
    assert [call.path for call in receiver.calls] == ["/hook?for=ccr"] * 3
    assert {call.told["id"] for call in receiver.calls} == {str(first.event_id)}
    assert len({call.headers["X-Registry-Signature"] for call in receiver.calls}) == 3
    assert rows("state", "tries", "last_answer") == [("sent", 2, "200 OK")]


def test_a_delivery_is_given_up_after_ten_tries(desk, receiver, ticket, bob, clock, settings):
    receiver.answers = [500] * 20
    post_message(ticket, by=bob, body="Hello")

    delays = []
    while rows("state") == [("owed",)]:
        call_all()
        (delivery,) = WebhookDelivery.objects.all()
        if delivery.state == State.OWED:
            delays.append(delivery.next_try_at - timezone.now())
            clock.move_to(delivery.next_try_at)

    assert (delivery.state, delivery.tries) == ("failed", settings.OUTBOX_MAX_TRIES)
    assert len(receiver.calls) == 10
    assert delays == sorted(delays)
    assert sum(delays, timedelta()) < settings.OUTBOX_GIVE_UP_AFTER


@pytest.mark.plan("SEC-F14")
def test_a_receiver_that_is_down_rests_and_the_tickets_go_on(receiver, ticket, bob, alice, clock):
    """However much happens, it is called once and then left alone for a while."""
    webhook, _secret = make_webhook(f"http://127.0.0.1:{free_port()}/", *Event)
    for number in range(3):
        post_message(make_ticket(alice, category=ticket.category), by=alice, body=f"No. {number}")

    call_all()
    answers = [answer for (answer,) in rows("last_answer") if answer]
    waits = []
    for _ in range(5):
        webhook.refresh_from_db()
        waits.append(round((webhook.rests_until - timezone.now()).total_seconds()))
        clock.move_to(webhook.rests_until)
        call_all()
    webhook.url = receiver.url
    webhook.save()
    clock.shift(3600)
    call_all()

    assert len(answers) == 1
    assert "ConnectionRefusedError" in answers[0]
    assert waits == [15, 15, 30, 60, 120]
    assert set(rows("state")) == {("sent",)}
    assert sorted(receiver.heard) == ["ticket.message"] * 3 + ["ticket.raised"] * 3


@pytest.mark.plan("SEC-F14")
@pytest.mark.parametrize("way", ["silent", "trickling"])
def test_a_slow_receiver_is_hung_up_on(desk, receiver, ticket, bob, settings, way):
    """Whatever trickles in: a socket's own patience begins anew with each byte."""
    settings.WEBHOOK_ANSWER_SECONDS = 0.6
    over, has_waited = threading.Event(), []

    def dawdle(request):
        for _ in range(600):
            if over.wait(0.1):
                return
            if way == "trickling":
                request.wfile.write(b"H")
        has_waited.append("a minute")

    receiver.answers = [dawdle]
    post_message(ticket, by=bob, body="Hello")

    call_all()
    over.set()

    assert not has_waited
    assert rows("state", "tries") == [("owed", 1)]


@pytest.mark.plan("SEC-B17")
def test_what_a_receiver_writes_is_not_shown(desk, receiver, ticket, bob):
    """Nor is it read: endless words cost nothing. A broken answer is not quoted either."""

    def babble(request):
        request.wfile.write(b"What only the receiver should know.\r\n\r\n")

    def go_on_for_ever(request):
        request.send_response(200)
        request.end_headers()
        with_patience = time.monotonic() + 60
        try:
            while time.monotonic() < with_patience:
                request.wfile.write(b"x" * 65536)
        except OSError:
            hung_up.set()

    hung_up = threading.Event()
    receiver.answers = [babble, go_on_for_ever]
    post_message(ticket, by=bob, body="Hello")

    call_all()
    (broken,) = rows("last_answer")
    delivering.replay(WebhookDelivery.objects.all())
    call_all()

    assert broken == ("BadStatusLine",)
    assert rows("last_answer") == [("200 OK",)]
    assert hung_up.wait(60)


def test_later_events_of_a_ticket_wait_and_those_of_others_do_not(
    desk, receiver, ticket, alice, bob, clock
):
    """P2: one order for each ticket."""
    receiver.answers = [500]
    post_message(ticket, by=bob, body="blue")
    actions.change_status(ticket, Status.WAITING, by=bob)
    make_ticket(alice, category=ticket.category)

    call_all()
    before = receiver.heard
    clock.shift(15)
    call_all()

    assert before == ["ticket.message", "ticket.raised"]
    assert receiver.heard[2:] == ["ticket.message", "ticket.moved"]


def test_two_workers_deliver_each_event_once(desk, receiver, ticket, alice):
    """P5: both claim at the same moment."""
    for _ in range(12):
        make_ticket(alice, category=ticket.category)

    two_workers(call_all)
    call_all()

    assert receiver.heard == ["ticket.raised"] * 12
    assert set(rows("state")) == {("sent",)}


def test_a_webhook_a_killed_worker_held_comes_back(desk, receiver, ticket, bob, clock):
    """P1"""
    post_message(ticket, by=bob, body="Hello")
    desk.__class__.objects.due(timezone.now()).claim(1)  # and the worker dies

    call_all()
    before = len(receiver.calls)
    clock.shift(outbox.LEASE + timedelta(seconds=1))
    call_all()

    assert (before, len(receiver.calls)) == (0, 1)


def test_a_mistake_of_ours_does_not_hold_up_the_others(
    desk, receiver, ticket, bob, alice, monkeypatch, caplog
):
    other = make_ticket(alice, bob, category=ticket.category)
    WebhookDelivery.objects.all().delete()
    real = delivering._told

    def broken(delivery, webhook):
        if delivery.about == f"ticket:{ticket.pk}":
            raise RuntimeError("broken")
        return real(delivery, webhook)

    monkeypatch.setattr(delivering, "_told", broken)
    for each in (ticket, other):
        post_message(each, by=bob, body="Hello")
    call_all()

    answer = "It could not be sent. The worker’s log says why."
    assert rows("state", "tries", "last_answer") == [("owed", 1, answer), ("sent", 0, "200 OK")]
    assert "can't be sent" in caplog.text


def test_one_task_is_one_turn(receiver, ticket, bob, monkeypatch):
    """A lone worker comes to its other jobs between two webhooks."""
    rung = []
    monkeypatch.setattr("notifications.webhooks.tasks.ring", rung.append)
    for name in ("CRM", "Wall"):
        make_webhook(receiver.url, Event.MESSAGE, name=name)
    post_message(ticket, by=bob, body="Hello")

    heard = []
    for _ in range(3):
        call_webhooks()
        heard.append(len(receiver.calls))

    assert heard == [1, 2, 2]
    assert rung == ["notifications.webhooks.tasks.call_webhooks"] * 2


def test_bell_to_a_broker_that_is_down_is_harmless(desk, ticket, bob, monkeypatch, caplog):
    """P2: no request waits, nor fails."""

    def unreachable(task):
        raise OSError("Connection refused")

    monkeypatch.setattr("accounts.bells.current_app.send_task", unreachable)

    post_message(ticket, by=bob, body="Hello")

    assert rows("state") == [("owed",)]
    assert "so notifications.webhooks.tasks.call_webhooks waits for its hour" in caplog.text


@pytest.mark.plan("SEC-H4")
def test_logs_do_not_name_the_address_which_may_hold_a_key(ticket, bob, clock, caplog):
    caplog.set_level("DEBUG")
    _webhook, secret = make_webhook("https://127.0.0.1/hook/27182818?key=31415926", Event.MESSAGE)
    post_message(ticket, by=bob, body="Hello")
    clock.shift(timedelta(days=2, seconds=1))

    call_all()

    assert "was given up: 127.0.0.1 is not on the public internet" in caplog.text
    assert not any(words in caplog.text for words in ("27182818", "31415926", secret))


# --- Switched off -----------------------------------------------------------------


def fail_for(desk, days, ticket, bob, clock):
    """Two events, the second given up after ``days`` of failing."""
    post_message(ticket, by=bob, body="Hello")
    call_all()
    clock.shift(timedelta(days=days))
    post_message(ticket, by=bob, body="Are you there?")
    call_all()
    desk.refresh_from_db()


@pytest.mark.plan("SEC-F14")
@pytest.mark.parametrize(("days", "is_off"), [(2.5, False), (3, True)])
def test_a_webhook_that_fails_for_days_is_switched_off_with_notice(
    desk, receiver, ticket, bob, ada, clock, sink, days, is_off
):
    Notification.objects.all().delete()
    receiver.answers = [500] * 9
    fail_for(desk, days, ticket, bob, clock)

    outbox.drain()

    assert desk.is_active is not is_off
    assert rows("state") == [("failed",), ("dropped" if is_off else "owed",)]
    mails = [(mail["Subject"], "500 Internal Server Error" in mail.text) for mail in sink.to(ada)]
    assert mails == ([("The webhook “CRM” was switched off", True)] if is_off else [])
    assert sink.to(bob) == []


def test_one_accepted_delivery_and_it_fails_no_more(desk, receiver, ticket, bob, alice, clock):
    receiver.answers = [500]
    post_message(ticket, by=bob, body="Hello")
    make_ticket(alice, category=ticket.category)

    call_all()

    desk.refresh_from_db()
    assert desk.failing_since is None


def test_switched_off_by_hand_nobody_is_told(desk, ticket, bob, ada):
    post_message(ticket, by=bob, body="Hello")

    delivering.switch_off(desk)
    post_message(ticket, by=bob, body="Hello again")

    assert rows("state", "last_answer") == [("dropped", "The webhook was switched off.")]
    assert not Notification.objects.filter(kind="webhook_off").exists()


def test_the_notice_of_what_is_long_gone_is_not_sent(desk, receiver, ticket, bob, ada, clock, sink):
    receiver.answers = [500] * 9
    fail_for(desk, 3, ticket, bob, clock)
    User.objects.filter(pk=ada.pk).update(role=Role.AGENT)

    outbox.drain()

    assert OutgoingMail.objects.get(recipient=ada, notifications__kind="webhook_off").state == (
        "dropped"
    )


# --- Again ------------------------------------------------------------------------


@pytest.mark.plan("SEC-F14")
@pytest.mark.parametrize("answers", [[200], [500]])
def test_what_is_sent_again_keeps_its_id(desk, receiver, ticket, bob, answers):
    receiver.answers = answers
    post_message(ticket, by=bob, body="Hello")
    call_all()

    count = delivering.replay(WebhookDelivery.objects.all())
    call_all()

    assert count == 1
    assert len(receiver.calls) == 2
    assert len({call.told["id"] for call in receiver.calls}) == 1
    assert rows("state", "tries") == [("sent", 0)]


def test_a_webhook_that_rests_is_called_when_somebody_asks(receiver, ticket, bob, clock):
    webhook, _secret = make_webhook(f"http://127.0.0.1:{free_port()}/", Event.MESSAGE)
    post_message(ticket, by=bob, body="Hello")
    call_all()
    webhook.url = receiver.url
    webhook.save()

    delivering.replay(WebhookDelivery.objects.all())
    owe_test(webhook)
    call_all()

    assert receiver.heard == ["ticket.message", "webhook.test"]


def send_again(webhook):
    delivering.replay(WebhookDelivery.objects.filter(state=State.FAILED))


def switch_off_and_on(webhook):
    delivering.switch_off(webhook)
    delivering.switch_on(webhook)
    owe_to([webhook], Event.CLOSED, {}, cause="later", about="later")


@pytest.mark.plan("SEC-F14")
@pytest.mark.parametrize(
    ("ask", "event"),
    [
        (owe_test, "webhook.test"),
        (send_again, "ticket.resolved"),
        (switch_off_and_on, "ticket.closed"),
    ],
)
def test_a_webhook_is_called_at_once_that_somebody_asks_for_during_a_turn_in_vain(
    desk, receiver, ticket, bob, clock, ask, event
):
    def hang_up(request):
        clock.shift(1)
        ask(desk)
        connections.close_all()

    owe_to([desk], Event.RESOLVED, {}, cause="earlier", about="earlier")
    WebhookDelivery.objects.update(state=State.FAILED)
    receiver.answers = [hang_up]
    post_message(ticket, by=bob, body="Hello")

    call_all()

    assert receiver.heard == ["ticket.message", event]


def test_nothing_is_sent_again_to_what_is_switched_off(desk, receiver, ticket, bob):
    post_message(ticket, by=bob, body="Hello")
    delivering.switch_off(desk)

    count = delivering.replay(WebhookDelivery.objects.all())
    call_all()
    delivering.switch_on(desk)
    again = delivering.replay(WebhookDelivery.objects.all())
    call_all()

    assert (count, again) == (0, 1)
    assert receiver.heard == ["ticket.message"]


def test_a_secret_whose_key_is_gone_is_said(desk, receiver, ticket, bob, settings):
    settings.SECRET_KEY = "another-" + "k" * 50
    post_message(ticket, by=bob, body="Hello")
    call_all()
    before = len(receiver.calls)

    settings.SECRET_KEY_FALLBACKS = ["test-only-" + "s" * 50]
    delivering.replay(WebhookDelivery.objects.all())
    call_all()

    assert (before, len(receiver.calls)) == (0, 1)
    assert rows("state") == [("sent",)]

"""Claiming, sending, trying again: against a real SMTP server that answers by script."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.mail.backends import KeptConnection
from notifications.mail.circuit import Breaker
from notifications.models import Notification, OutgoingMail
from notifications.tasks import send_owed_mail
from tickets.tests.factories import make_ticket

from .outgoing import owe_welcome, rows
from .workers import two_workers

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind
State = OutgoingMail.State


def test_sent_mail_is_marked_with_the_servers_answer(sink, alice):
    """P2, D2-4: state and answer are visible; drained again, nothing goes out."""
    owe_welcome(alice)

    outbox.drain()
    outbox.drain()

    (mail,) = OutgoingMail.objects.all()
    assert (mail.state, mail.tries, mail.last_answer) == ("sent", 0, "250 Ok: queued as 1")
    assert mail.sent_at is not None
    assert mail.subject == "Your account is ready"
    assert [received["Message-ID"] for received in sink.mails] == [mail.message_id]


@pytest.mark.plan("SEC-D21")
def test_deferred_mail_goes_later_with_the_same_message_id(sink, alice, clock):
    sink.handler.answers[alice.email] = ["450 4.2.1 Later", "450 4.2.1 Later"]
    owe_welcome(alice)

    outbox.drain()
    (first,) = OutgoingMail.objects.all()
    clock.shift(14)
    outbox.drain()  # too early: not asked again
    clock.shift(1)
    outbox.drain()
    (second,) = OutgoingMail.objects.all()
    clock.shift(60)
    outbox.drain()

    assert (first.state, first.tries, first.last_answer) == ("owed", 1, "450 4.2.1 Later")
    assert first.next_try_at - first.created_at == timedelta(seconds=15)
    assert (second.tries, second.next_try_at - timezone.now()) == (2, timedelta(0))
    assert rows("state", "tries") == [("sent", 2)]
    assert [mail["Message-ID"] for mail in sink.mails] == [first.message_id]


@pytest.mark.plan("SEC-D21")
def test_refused_recipient_is_shown_as_failed_and_others_go_on(sink, alice, carol):
    sink.handler.answers[alice.email] = ["550 5.1.1 No such user"]
    owe_welcome(alice, carol)

    outbox.drain()

    assert rows("email", "state", "last_answer") == [
        ("alice@example.org", "failed", "550 5.1.1 No such user"),
        ("carol@example.org", "sent", "250 Ok: queued as 1"),
    ]


@pytest.mark.plan("SEC-D21")
def test_refused_content_is_shown_as_failed(sink, alice):
    sink.handler.ends[alice.email] = ["554 5.6.0 We do not like it"]
    owe_welcome(alice)

    outbox.drain()

    assert rows("state", "last_answer") == [("failed", "554 5.6.0 We do not like it")]


def test_mail_is_given_up_after_ten_tries(sink, alice, clock, settings):
    sink.handler.answers[alice.email] = ["451 Later"] * 20
    owe_welcome(alice)

    delays = []
    while OutgoingMail.objects.exclude(state=State.FAILED).exists() or not rows("pk"):
        outbox.drain()
        (mail,) = OutgoingMail.objects.all()
        if mail.state == State.OWED:
            delays.append(mail.next_try_at - timezone.now())
            clock.move_to(mail.next_try_at)

    assert mail.tries == settings.OUTBOX_MAX_TRIES == len(delays) + 1
    assert delays == sorted(delays)
    assert sum(delays, timedelta()) < settings.OUTBOX_GIVE_UP_AFTER
    assert mail.last_answer == "451 Later"


def test_later_mail_of_a_ticket_waits_for_the_earlier(sink, clock, quiet_ticket, alice, bob):
    """P2: the order holds for each ticket and person, and others do not wait."""
    sink.handler.answers[alice.email] = ["450 Later"]
    for body in ("blue", "red", "green"):
        post_message(quiet_ticket, by=bob, body=body)
    other = make_ticket(requester=alice, category=quiet_ticket.category)

    outbox.drain()
    held_back = [mail["Subject"] for mail in sink.to(alice)]
    clock.shift(15)
    outbox.drain()

    assert held_back == [f"[{other.reference}] Kettle stopped heating"]
    assert [mail.text.count(body) for mail, body in zip(
        sink.to(alice)[1:], ("blue", "red", "green"), strict=True
    )] == [1, 1, 1]  # fmt: skip


def test_backlog_goes_over_one_connection(sink, monkeypatch):
    opened = []
    handle = sink.factory
    monkeypatch.setattr(sink, "factory", lambda: opened.append(1) or handle())
    owe_welcome(*[make_user() for _ in range(50)])

    outbox.drain()

    assert len(sink.mails) == 50
    assert len(opened) == 1


@pytest.mark.plan("SEC-E1")
@pytest.mark.parametrize("round_", range(5))
def test_two_workers_send_each_mail_once(sink, round_):
    """P5: both claim at the same moment."""
    people = [make_user() for _ in range(45)]
    owe_welcome(*people)

    two_workers(outbox.drain)

    assert sorted(mail.recipients[0] for mail in sink.mails) == sorted(p.email for p in people)
    assert set(rows("state")) == {("sent",)}
    assert OutgoingMail.objects.count() == 45


def test_leased_mail_is_left_alone_until_the_lease_ends(sink, clock, alice):
    """P1: what a killed worker had claimed comes back."""
    owe_welcome(alice)
    outbox.claim(Breaker())  # and the worker dies

    outbox.drain()
    before = len(sink.mails)
    clock.shift(outbox.LEASE + timedelta(seconds=1))
    outbox.drain()

    assert (before, len(sink.mails)) == (0, 1)


def test_worker_that_lost_its_lease_does_not_send(sink, alice):
    owe_welcome(alice)
    (mail,) = outbox.claim(Breaker())
    OutgoingMail.objects.update(lease=uuid.uuid4())  # a second worker took it over
    connection = KeptConnection()
    connection.open()

    outbox.deliver_for_a_while([mail], connection, Breaker())
    connection.close()

    assert sink.mails == []
    assert rows("state") == [("owed",)]


def test_sweep_finds_what_a_lost_bell_left(sink, quiet_ticket, bob, monkeypatch):
    """P2: the row is the promise; the task asks for nothing but the database."""
    monkeypatch.setattr("accounts.bells._ring", lambda task: None)
    post_message(quiet_ticket, by=bob, body="Hello")

    send_owed_mail()

    assert [mail.recipients for mail in sink.mails] == [["alice@example.org"]]


def test_bell_to_a_broker_that_is_down_is_harmless(quiet_ticket, bob, monkeypatch, caplog):
    """SEC-F5: the message is kept and the page goes on."""

    def unreachable(task):
        raise OSError("Connection refused")

    monkeypatch.setattr("accounts.bells.current_app.send_task", unreachable)

    post_message(quiet_ticket, by=bob, body="Hello")

    assert Notification.objects.filter(kind=Kind.MESSAGE).count() == 1
    assert "so notifications.tasks.send_owed_mail waits for its hour" in caplog.text


def test_mail_that_cannot_be_written_does_not_hold_up_the_others(
    sink, alice, carol, monkeypatch, caplog
):
    """P11: it is shown as failed, and loud in the log."""

    def compose(mail, told, write=outbox.compose):
        if mail.email == "alice@example.org":
            raise ZeroDivisionError
        return write(mail, told)

    monkeypatch.setattr(outbox, "compose", compose)
    owe_welcome(alice, carol)

    outbox.drain()

    assert rows("email", "state") == [
        ("alice@example.org", "failed"),
        ("carol@example.org", "sent"),
    ]
    assert "ZeroDivisionError" in caplog.text


def test_whoever_lost_a_mail_to_another_worker_does_not_give_it_up(sink, alice, ada, clock):
    """That worker may have sent it, so there is nothing to alarm administrators about."""
    owe_welcome(alice)
    (mail,) = outbox.claim(Breaker())
    OutgoingMail.objects.update(lease=uuid.uuid4())

    outbox.give_up(mail, "451 Later")

    assert rows("state") == [("owed",)]
    assert not Notification.objects.filter(kind=Kind.MAIL_GIVEN_UP).exists()


def test_what_is_sent_while_somebody_sends_it_again_is_left_alone(sink, alice, monkeypatch):
    owe_welcome(alice)
    outbox.claim(Breaker())

    def when_a_worker_has_sent_it(mail, owe_anew=outbox._owe_anew):
        OutgoingMail.objects.update(state=State.SENT, sent_at=timezone.now())
        owe_anew(mail)

    monkeypatch.setattr(outbox, "_owe_anew", when_a_worker_has_sent_it)
    outbox.send_again(OutgoingMail.objects.all())

    assert rows("state") == [("sent",)]

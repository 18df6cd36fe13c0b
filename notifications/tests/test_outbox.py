"""Claiming, sending, trying again: against a real SMTP server that answers by script."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.db import connection
from django.utils import timezone

from accounts import actions as accounts
from accounts.models import Application, Role, Standing, User
from accounts.signals import account_mail_composed
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications import outbox
from notifications.models import Notification, OutgoingMail
from notifications.owing import owe
from notifications.tasks import send_owed_mail
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .smtp import SLOW, Sink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind
State = OutgoingMail.State


@pytest.fixture
def quiet_ticket(ticket):
    """Alice's ticket with Bob; nothing is owed because of what happened so far."""
    Notification.objects.all().delete()
    return ticket


def owe_welcome(*people):
    for person in people:
        owe(Kind.WELCOME, person, cause=f"user:{person.pk}")


def rows(*fields):
    return list(OutgoingMail.objects.order_by("pk").values_list(*fields))


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


@pytest.mark.plan("SEC-F3")
def test_server_that_is_down_costs_no_tries_and_the_outbox_drains_after(settings, clock, alice):
    """Each mail waits as long again as it has waited; then all arrive in order, once."""
    settings.EMAIL_BACKEND = "notifications.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    people = [make_user() for _ in range(30)]
    owe_welcome(*people)

    delays = []
    for _ in range(5):
        outbox.drain()
        (next_try, answer) = rows("next_try_at", "last_answer")[0]
        delays.append(round((next_try - timezone.now()).total_seconds()))
        clock.move_to(next_try)
    before = set(rows("state", "tries"))
    clock.shift(1800)
    with Sink(settings.EMAIL_PORT) as sink:
        outbox.drain()

    assert "ConnectionRefusedError" in answer
    assert delays == [15, 15, 30, 60, 120]
    assert before == {("owed", 0)}
    assert sorted(mail.recipients[0] for mail in sink.mails) == sorted(p.email for p in people)
    assert set(rows("state")) == {("sent",)}


def test_delay_of_an_outage_is_capped_and_ends(settings, clock, alice):
    settings.EMAIL_BACKEND = "notifications.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    owe_welcome(alice)
    outbox.drain()

    clock.shift(3600)
    outbox.drain()
    (mail,) = OutgoingMail.objects.all()
    clock.shift(48 * 3600)
    outbox.drain()

    assert mail.next_try_at - timezone.now() == timedelta(minutes=5) - timedelta(hours=48)
    assert rows("state") == [("failed",)]


def test_refused_sender_is_not_the_mails_fault(sink, alice, settings):
    """An operator mends it, and nothing was given up meanwhile."""
    sink.handler.handle_MAIL = refuse_sender
    owe_welcome(alice)

    outbox.drain()

    assert rows("state", "tries", "last_answer") == [("owed", 1, "550 Not you")]


async def refuse_sender(server, session, envelope, address, options):
    return "550 Not you"


@pytest.mark.plan("SEC-F4")
def test_slow_server_times_out_and_other_mail_continues(sink, settings, clock, alice, carol):
    settings.EMAIL_TIMEOUT = 0.5
    sink.handler.answers[alice.email] = [SLOW, SLOW, SLOW]
    owe_welcome(alice, carol)

    for _sweep in range(3):
        outbox.drain()
        clock.shift(15)

    assert [mail.recipients for mail in sink.mails] == [[carol.email]]
    assert rows("email", "state", "tries") == [
        ("alice@example.org", "owed", 2),
        ("carol@example.org", "sent", 0),
    ]


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

    assert held_back == [f"[{other.reference}] We have your ticket: Kettle stopped heating"]
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


@pytest.mark.parametrize("round_", range(5))
def test_two_workers_send_each_mail_once(sink, round_):
    """P5: both claim at the same moment."""
    people = [make_user() for _ in range(45)]
    owe_welcome(*people)
    barrier = threading.Barrier(2)

    def work():
        try:
            barrier.wait()
            outbox.drain()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(mail.recipients[0] for mail in sink.mails) == sorted(p.email for p in people)
    assert set(rows("state")) == {("sent",)}
    assert OutgoingMail.objects.count() == 45


def test_leased_mail_is_left_alone_until_the_lease_ends(sink, clock, alice):
    """P1: what a killed worker had claimed comes back."""
    owe_welcome(alice)
    outbox.claim()  # and the worker dies

    outbox.drain()
    before = len(sink.mails)
    clock.shift(outbox.LEASE + timedelta(seconds=1))
    outbox.drain()

    assert (before, len(sink.mails)) == (0, 1)


def test_worker_that_lost_its_lease_does_not_send(sink, alice):
    owe_welcome(alice)
    (mail,) = outbox.claim()
    OutgoingMail.objects.update(lease=uuid.uuid4())  # a second worker took it over

    outbox.deliver(mail, django_mail.get_connection())

    assert sink.mails == []
    assert rows("state") == [("owed",)]


def test_sweep_finds_what_a_lost_bell_left(sink, quiet_ticket, bob, monkeypatch):
    """P2: the row is the promise; the task asks for nothing but the database."""
    monkeypatch.setattr("notifications.receivers.ring", lambda: None)
    post_message(quiet_ticket, by=bob, body="Hello")

    send_owed_mail()

    assert [mail.recipients for mail in sink.mails] == [["alice@example.org"]]


def test_bell_to_a_broker_that_is_down_is_harmless(quiet_ticket, bob, monkeypatch, caplog):
    """SEC-F5: the message is kept and the page goes on."""

    def unreachable():
        raise OSError("Connection refused")

    monkeypatch.setattr("notifications.tasks.send_owed_mail.delay", unreachable)

    post_message(quiet_ticket, by=bob, body="Hello")

    assert Notification.objects.filter(kind=Kind.MESSAGE).count() == 1
    assert "the next sweep sends the mail" in caplog.text


# Meant for this person, still?


def test_agent_who_lost_the_ticket_gets_no_mail_of_it(sink, quiet_ticket, alice, bob, dave):
    """SEC-A10: queued mail is checked again when it goes out."""
    post_message(quiet_ticket, by=alice, body="For Bob")
    actions.assign(quiet_ticket, to=dave, by=bob)

    outbox.drain()

    assert sink.to(bob) == []
    assert len(sink.to(dave)) == 1
    (dropped,) = OutgoingMail.objects.filter(state=State.DROPPED)
    assert (dropped.email, dropped.last_answer) == (
        "bob@example.org",
        "The person may no longer see the ticket.",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "sent"),
        ({"standing": Standing.SUSPENDED}, "dropped"),
        ({"standing": Standing.PENDING}, "dropped"),
        ({"deleted_at": timezone.now()}, "dropped"),
    ],
)
def test_only_the_approved_get_ticket_mail(sink, quiet_ticket, alice, bob, change, expected):
    post_message(quiet_ticket, by=bob, body="Hello")
    if change:
        User.objects.filter(pk=alice.pk).update(**change)

    outbox.drain()

    assert rows("state") == [(expected,)]
    assert len(sink.mails) == (expected == "sent")


def test_mail_of_a_ticket_in_the_bin_is_dropped(sink, quiet_ticket, bob, ada):
    post_message(quiet_ticket, by=bob, body="Hello")
    actions.bin_ticket(quiet_ticket, by=ada)

    outbox.drain()

    assert sink.mails == []
    assert rows("state") == [("dropped",)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "sent"), ({"role": Role.CUSTOMER}, "dropped"), ({"standing": "suspended"}, "dropped")],
)
def test_role_requests_go_to_those_who_may_decide(sink, ada, change, expected):
    pete = make_user(role=Role.AGENT, standing=Standing.UNCLAIMED)
    accounts.confirm(pete)
    if change:
        User.objects.filter(pk=ada.pk).update(**change)

    outbox.drain()

    assert OutgoingMail.objects.get(recipient=ada).state == expected


def test_acceptance_taken_back_is_not_mailed(sink, ada, pete):
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    accounts.decide(application, Application.Decision.ACCEPTED, by=ada)
    User.objects.filter(pk=pete.pk).update(standing=Standing.SUSPENDED)

    outbox.drain()

    assert rows("state", "last_answer") == [("dropped", "The person’s account has changed.")]


# Mails that are written elsewhere, with their codes


def compose_code(alice, minutes=10):
    account_mail_composed.send(
        sender=None,
        user=alice,
        kind="account/email/email_confirmation_signup",
        email=alice.email,
        subject="31415926 is your\nconfirmation code",
        text="Your code is 31415926.",
        html="<p>Your code is 31415926.</p>",
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )


def test_code_is_sent_and_leaves_the_database(sink, alice):
    """D1-11: the code arrives; afterwards no row knows it."""
    compose_code(alice)

    outbox.drain()

    (received,) = sink.mails
    assert received["Subject"] == "31415926 is your confirmation code"
    assert "31415926" in received.text
    assert "31415926" in received.html
    (mail,) = OutgoingMail.objects.all()
    assert (mail.state, mail.subject, mail.content) == ("sent", "Email confirmation signup", {})
    assert "31415926" not in str(OutgoingMail.objects.values())


@pytest.mark.parametrize("is_put_off", [False, True])
def test_expired_code_is_not_sent(sink, alice, clock, is_put_off):
    compose_code(alice)
    if is_put_off:
        sink.handler.answers[alice.email] = ["450 Later"]
        outbox.drain()

    clock.shift(600)
    outbox.drain()

    assert sink.mails == []
    assert rows("state", "content") == [("dropped", {})]


def test_code_that_expires_while_it_is_claimed_is_not_sent(sink, alice, clock):
    compose_code(alice)
    (mail,) = outbox.claim()
    clock.shift(601)
    OutgoingMail.objects.update(leased_until=timezone.now() + outbox.LEASE)

    outbox.deliver(mail, django_mail.get_connection())

    assert sink.mails == []
    assert rows("state", "content") == [("dropped", {})]


def test_refused_code_leaves_the_database(sink, alice):
    sink.handler.answers[alice.email] = ["550 No"]
    compose_code(alice)

    outbox.drain()

    assert rows("state", "content") == [("failed", {})]


def test_account_mail_without_a_person_is_sent(sink, db):
    """To an address that asked but has no account."""
    account_mail_composed.send(
        sender=None, user=None, kind="unknown", email="nobody@example.org",
        subject="No account", text="None.", html="", expires_at=None,
    )  # fmt: skip

    outbox.drain()

    assert [mail.recipients for mail in sink.mails] == [["nobody@example.org"]]


def test_mail_that_cannot_be_written_does_not_hold_up_the_others(
    sink, alice, carol, monkeypatch, caplog
):
    """P11: it is shown as failed, and loud in the log."""

    def compose(mail, write=outbox.compose):
        if mail.email == "alice@example.org":
            raise ZeroDivisionError
        return write(mail)

    monkeypatch.setattr(outbox, "compose", compose)
    owe_welcome(alice, carol)

    outbox.drain()

    assert rows("email", "state") == [
        ("alice@example.org", "failed"),
        ("carol@example.org", "sent"),
    ]
    assert "ZeroDivisionError" in caplog.text


# Send again


def test_failed_mail_goes_out_again_to_the_address_of_now(sink, alice):
    sink.handler.answers[alice.email] = ["550 No such user"]
    owe_welcome(alice)
    outbox.drain()
    User.objects.filter(pk=alice.pk).update(email="alice@example.com")

    assert outbox.send_again(OutgoingMail.objects.all()) == 1
    outbox.drain()

    assert [mail.recipients for mail in sink.mails] == [["alice@example.com"]]
    assert rows("state", "tries") == [("sent", 0)]


def test_sent_mail_goes_out_again_as_a_new_one(sink, alice):
    owe_welcome(alice)
    outbox.drain()

    outbox.send_again(OutgoingMail.objects.all())
    outbox.drain()

    first, second = sink.mails
    assert first["Subject"] == second["Subject"]
    assert first["Message-ID"] != second["Message-ID"]
    assert rows("state") == [("sent",), ("sent",)]


def test_used_code_is_not_sent_again(sink, alice):
    compose_code(alice)
    outbox.drain()

    assert outbox.send_again(OutgoingMail.objects.all()) == 0
    outbox.drain()

    assert len(sink.mails) == 1


def test_postponed_mail_can_be_sent_at_once(sink, alice):
    sink.handler.answers[alice.email] = ["450 Later"]
    owe_welcome(alice)
    outbox.drain()

    outbox.send_again(OutgoingMail.objects.all())
    outbox.drain()

    assert rows("state", "tries") == [("sent", 1)]


def test_status_mail_is_about_its_own_move(sink, quiet_ticket, alice, bob):
    """Sent late, it still says what happened then."""
    actions.change_status(quiet_ticket, Status.WAITING, by=bob)
    actions.change_status(quiet_ticket, Status.OPEN, by=bob)

    outbox.drain()

    headlines = [mail.text.splitlines()[3] for mail in sink.to(alice)]
    assert headlines == ["Your ticket is now: Your reply needed", "Your ticket is now: In progress"]

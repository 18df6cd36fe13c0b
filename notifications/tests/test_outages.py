"""The mail server is away, refuses us, or is slow: nothing is lost, and nobody waits for it."""

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from careregistry.doctor import ask_mail_out
from notifications.mail import backends, outbox
from notifications.models import OutgoingMail

from .outgoing import owe_welcome, rows
from .smtp import HANG_UP, SLOW, Sink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

State = OutgoingMail.State


@pytest.mark.plan("SEC-F3")
def test_server_that_is_down_costs_no_tries_and_the_outbox_drains_after(settings, clock, alice):
    """Each mail waits as long again as it has waited; then all arrive in order, once."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
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

    where = f"127.0.0.1:{settings.EMAIL_PORT}"
    assert answer == f"Nobody answers at {where}: connection refused"
    assert delays == [15, 15, 30, 60, 120]
    assert before == {("owed", 0)}
    assert sorted(mail.recipients[0] for mail in sink.mails) == sorted(p.email for p in people)
    assert set(rows("state")) == {("sent",)}


@pytest.mark.plan("SEC-F3")
def test_a_refused_sign_in_is_called_that(sink, settings, alice, caplog):
    """The server is there; its operator must look at EMAIL_URL, and nothing is lost meanwhile."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "care", "wrong"
    owe_welcome(alice)

    outbox.drain()

    refusal = "535 5.7.8 Authentication credentials invalid"
    answer = f"127.0.0.1:{sink.port} refuses our sign-in: {refusal}"
    assert rows("state", "tries", "last_answer") == [("owed", 0, answer)]
    assert f"No mail goes out. {answer}" in caplog.text


@pytest.mark.plan("SEC-F3")
@pytest.mark.parametrize("name", ["EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_HOST"])
def test_what_can_not_be_said_to_a_server_is_called_that(sink, settings, alice, caplog, name):
    """And not quoted: it may be the password."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "care", "secret"
    setattr(settings, name, "schlüssel..example")
    owe_welcome(alice)

    outbox.drain()

    words = "There is a character that can’t be sent in the user, password or server’s name"
    answer = f"The server can’t be talked to: {words}, see EMAIL_URL."
    assert rows("state", "tries", "last_answer") == [("owed", 0, answer)]
    assert (ask_mail_out().found, f"No mail goes out. {answer}" in caplog.text) == (answer, True)
    assert "schl" not in caplog.text


@pytest.mark.plan("SEC-F3")
def test_pages_wait_for_no_mail_server_and_mails_come_in_order(
    settings, clock, login, quiet_ticket, alice
):
    """P2: what is owed grows meanwhile, where administrators see it."""
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    page = reverse("messaging:write", args=[quiet_ticket.reference])
    waiting = []
    for number in range(6):
        written = {"body": f"No. {number}", "key": str(uuid.uuid4()), "kind": "reply"}
        assert login(quiet_ticket.assignee).post(page, written).status_code == 302
        outbox.drain()
        waiting.append(OutgoingMail.objects.filter(state=State.OWED, recipient=alice).count())
        clock.shift(300)

    with Sink(settings.EMAIL_PORT) as sink:
        outbox.drain()

    assert waiting == [1, 2, 3, 4, 5, 6]
    said = [re.search(r"^> (No. \d)$", mail.text, re.MULTILINE)[1] for mail in sink.to(alice)]
    assert said == [f"No. {number}" for number in range(6)]


def test_delay_of_an_outage_is_capped_and_ends(settings, clock, alice):
    settings.EMAIL_BACKEND = "notifications.mail.backends.SmtpBackend"
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
    settings.EMAIL_TIMEOUT = 1.5
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


@pytest.fixture
def late(sink, settings, alice):
    """The server has taken Alice's mail when it says so, long after everybody else's patience."""
    settings.EMAIL_TIMEOUT = 0.3
    sink.handler.late[alice.email] = 1.5
    return sink


def wait_for_late_answers():
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and "hear_late_answer" in thread.name:
            thread.join()


@pytest.mark.plan("SEC-F4")
def test_a_late_last_answer_doubles_no_mail_and_holds_up_no_other(late, alice, carol):
    """P2: the server has the mail already, and the worker has more to do."""
    owe_welcome(alice, carol)

    outbox.drain()
    outbox.drain()
    meanwhile = rows("email", "state", "last_answer")
    doctors = ask_mail_out()
    wait_for_late_answers()
    outbox.drain()

    assert meanwhile == [
        ("alice@example.org", "owed", "The server answers too slowly"),
        ("carol@example.org", "sent", "250 Ok: queued as 1"),
    ]
    assert doctors.found.endswith(" has a mail and does not say whether it takes it")
    assert [mail.recipients for mail in late.mails] == [[carol.email], [alice.email]]
    assert rows("state", "tries", "lease")[0] == ("sent", 0, None)


@pytest.mark.plan("SEC-D21")
def test_a_late_refusal_is_one(late, alice):
    late.handler.ends[alice.email] = ["554 5.6.0 We do not like it"]
    owe_welcome(alice)

    outbox.drain()
    wait_for_late_answers()

    assert rows("state", "last_answer") == [("failed", "554 5.6.0 We do not like it")]


@pytest.mark.plan("SEC-F4")
def test_a_last_answer_that_never_comes_is_waited_for_much_longer(late, alice, monkeypatch):
    """Whether the server has the mail nobody knows, so the next try is an hour away."""
    monkeypatch.setattr(backends, "LAST_ANSWER_SECONDS", 0.3)
    owe_welcome(alice)

    outbox.drain()
    wait_for_late_answers()

    (mail,) = OutgoingMail.objects.all()
    assert (mail.state, mail.tries, mail.lease) == ("owed", 1, None)
    assert mail.last_answer == "The server answers too slowly, and may have taken it"
    assert mail.next_try_at - timezone.now() > timedelta(hours=1)


@pytest.mark.plan("SEC-F4")
def test_a_server_that_hangs_up_with_the_mail_does_not_get_it_again_soon(sink, clock, alice):
    """It may have taken it. The other mails don't wait for that."""
    sink.handler.ends[alice.email] = [HANG_UP] * 4
    owe_welcome(alice)

    outbox.drain()
    (mail,) = OutgoingMail.objects.all()
    doctors = ask_mail_out()
    clock.shift(3600)
    outbox.drain()
    soon = len(sink.mails)
    clock.move_to(mail.next_try_at)
    outbox.drain()

    assert (mail.state, mail.tries, mail.lease) == ("owed", 1, None)
    assert mail.last_answer == "The server hung up, and may have taken it"
    assert doctors.found.endswith(" has a mail and does not say whether it takes it")
    assert (soon, len(sink.mails)) == (1, 2)


def test_who_waits_for_the_last_answer_keeps_the_lease(late, alice):
    """P1: as long as the server may need, and after that of a killed worker it comes back."""
    assert backends.LAST_ANSWER_SECONDS == 600
    owe_welcome(alice)

    outbox.drain()

    (mail,) = OutgoingMail.objects.all()
    wait_for_late_answers()
    assert mail.leased_until - timezone.now() > timedelta(minutes=10)

"""Mails that are written elsewhere, with their codes; and what is sent again."""

from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.utils import timezone

from accounts.models import User
from accounts.signals import account_mail_composed
from notifications.mail import outbox
from notifications.mail.circuit import Breaker
from notifications.models import Notification, OutgoingMail
from notifications.owing import owe

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind


def owe_welcome(*people):
    for person in people:
        owe(Kind.WELCOME, person, cause=f"user:{person.pk}")


def rows(*fields):
    return list(OutgoingMail.objects.order_by("pk").values_list(*fields))


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
    (mail,) = outbox.claim(Breaker())
    clock.shift(601)
    OutgoingMail.objects.update(leased_until=timezone.now() + outbox.LEASE)

    outbox.deliver(mail, django_mail.get_connection(), Breaker())

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


# --- Send again ----------------------------------------------------------------


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

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone

from accounts.models import Standing
from notifications.models import OutgoingMail

from .doors import ask_for_reset, code_in, sign_up
from .factories import PASSWORD

pytestmark = pytest.mark.django_db

LINK = re.compile(r"https?://|www\.")


def test_the_mail_of_a_sign_up_starts_with_its_code_and_has_no_link(client, mails):
    """D1-11: what comes with a code in a mail must not be clickable."""
    sign_up(client)

    (mail,) = mails
    assert mail.subject == f"{code_in(mail)} is your confirmation code"
    assert code_in(mail) in mail.text
    assert not LINK.search(mail.text)
    assert "John" not in mail.text  # a sign-up must not carry a stranger's words to anybody


def test_the_mail_of_a_forgotten_password_starts_with_its_code_and_has_no_link(
    client, mails, alice
):
    """D1-T70"""
    ask_for_reset(client, alice.email)

    (mail,) = mails
    assert mail.subject == f"{code_in(mail)} is your code for a new password"
    assert (mail.user, mail.kind) == (alice, "password_reset_code")
    assert not LINK.search(mail.text)


def test_a_code_is_worth_sending_for_ten_minutes(client, mails):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        sign_up(client)

    assert mails[0].expires_at == now + timedelta(minutes=10)


def test_the_owner_of_a_taken_address_reads_that_they_have_an_account(client, mails, alice):
    """D0-T6"""
    sign_up(client, email=alice.email)

    (mail,) = mails
    assert mail.subject == "You already have an account"
    assert f"http://localhost:8000{reverse('account_reset_password')}" in mail.text
    assert mail.expires_at is None


def test_an_unknown_address_is_never_written_to(client, mails):
    """D1-T62, D1-T69: otherwise a stranger could make us write to anyone."""
    ask_for_reset(client, "nobody@example.org")

    assert mails == []


@pytest.mark.plan("SEC-C8")
def test_links_come_from_the_configured_address(client, mails, alice):
    client.post(
        reverse("account_signup"),
        {
            "role": "customer",
            "first_name": "John",
            "email": alice.email,
            "password1": PASSWORD,
            "password2": PASSWORD,
            "agree": "on",
        },
        headers={"host": "127.0.0.1", "x-forwarded-host": "evil.example"},
    )

    assert set(re.findall(r"http://([^/]+)/", mails[0].text)) == {"localhost:8000"}


@pytest.mark.plan("SEC-C8")
def test_a_foreign_host_is_refused(client, mails):
    response = client.get(reverse("account_signup"), headers={"host": "evil.example"})

    assert response.status_code == 400
    assert "We couldn’t read that request" in response.text


@pytest.mark.parametrize("standing", Standing.values)
def test_mail_is_written_down_and_sent_later(client, alice, standing):
    """P2: no page waits for a mail server, and whoever it concerns gets it."""
    alice.standing = standing
    alice.save()

    sign_up(client, email=alice.email)

    assert outbox.outbox == []
    assert list(OutgoingMail.objects.values_list("recipient", "email", "state")) == [
        (alice.pk, alice.email, "owed")
    ]

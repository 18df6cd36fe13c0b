"""Every limit of the table in docs/configuration.md is looked at and told."""

import pytest
import time_machine
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from tickets.improvement.feedback import path_to_rate
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .doors import ask_for_reset, sign_in, type_code
from .factor_tools import give_app, second_step, to_second_step

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def wrong_password(client, alice):
    return sign_in(client, alice.email, "a guess")


def wrong_password_inside(client, alice):
    client.force_login(alice)
    return client.post(reverse("account_privacy"), {"password": "a guess"})


def wrong_second_factor(client, alice):
    to_second_step(client, alice)
    return second_step(client, "00000000")


def wrong_code(client, alice):
    ask_for_reset(client, alice.email)
    return type_code(client, "00000000", "account_confirm_password_reset_code")


def ask_for_code(client, alice):
    return ask_for_reset(client, alice.email)


def ask_for_passkey(client, alice):
    return client.post(reverse("account_passkey_login"))


def begin_ticket(client, alice):
    return client.post(reverse("tickets:save_draft"), {"subject": "A kettle"})


def rate_by_link(client, alice):
    ticket = Ticket.objects.filter(requester=alice).first()
    ticket = ticket or make_ticket(alice, status=Status.CLOSED)
    return client.post(path_to_rate(ticket), {"rating": "none"})


def raise_concern(client, alice):
    client.force_login(alice)
    return client.post(reverse("tickets:concerns"), {"text": "The letters are small."})


def share_ticket(client, alice):
    client.force_login(alice)
    ticket = make_ticket(alice)
    with override_settings(REQUESTERS_ADD_PARTICIPANTS=True):
        share = reverse("tickets:share", args=[ticket.reference])
        return client.post(share, {"email": "nobody@example.org"})


def ask_for_number_code(client, alice):
    client.force_login(alice)
    with override_settings(SMS_URL="file:"):
        return client.post(reverse("notifications:change_number"), {"number": "+447400123456"})


REFUSED = {
    "sign_in_pair": wrong_password,
    "sign_in_account": wrong_password,
    "sign_in_address": wrong_password,
    "password_asked": wrong_password_inside,
    "second_factor": wrong_second_factor,
    "second_factor_day": wrong_second_factor,
    "passkey_address": ask_for_passkey,
    "code_pause": ask_for_code,
    "code_recipient": ask_for_code,
    "code_address": ask_for_code,
    "ticket_draft": begin_ticket,
    "rating_address": rate_by_link,
    "concern": raise_concern,
    "participant": share_ticket,
    "sms_code_number": ask_for_number_code,
    "sms_code_person": ask_for_number_code,
    "sms_code_address": ask_for_number_code,
}
WITHIN = {60: "1 minute", 300: "5 minutes", 600: "10 minutes", 3600: "1 hour", 86400: "1 day"}
# Waiting helps nothing there: the code is dead, and one asks for another.
ENDED = {"code_tries": wrong_code}
# The worker meets this one: see notifications/tests/test_sms.py.
DROPPED = {"sms_person"}


@pytest.fixture
def only(settings):
    """One try of ``purpose``, and as many as one likes of everything else."""

    def limit(purpose):
        many = {name: (1000, period) for name, (_amount, period) in settings.LIMITS.items()}
        settings.LIMITS = many | {purpose: (1, settings.LIMITS[purpose][1])}
        return settings.LIMITS[purpose][1]

    return limit


@pytest.mark.plan("SEC-I12")
@pytest.mark.parametrize("purpose", REFUSED)
def test_each_refusal_says_when_to_come_back(only, alice, now, purpose):
    """429 with Retry-After, from then on it works again."""
    period, act = only(purpose), REFUSED[purpose]
    give_app(alice)

    allowed, refused = act(Client(), alice), act(Client(), alice)
    now.shift(int(refused.headers["Retry-After"]))
    again = act(Client(), alice)

    assert (allowed.status_code, refused.status_code) != (429, 429)
    assert (refused.status_code, again.status_code) == (429, allowed.status_code)
    assert refused.headers["Retry-After"] == str(int(period.total_seconds()))


@pytest.mark.plan("SEC-I12")
@pytest.mark.parametrize("purpose", ENDED)
def test_a_code_that_was_tried_too_often_is_dead(only, alice, now, purpose):
    only(purpose)

    ended = ENDED[purpose](Client(), alice)

    assert (ended.status_code, ended.headers["Location"]) == (302, reverse("account_login"))


@pytest.mark.plan("SEC-I12")
def test_every_limit_is_looked_at_and_documented(settings):
    published = (settings.BASE_DIR / "docs" / "configuration.md").read_text()

    assert REFUSED.keys() | ENDED.keys() | DROPPED == settings.LIMITS.keys()
    for name, (amount, period) in settings.LIMITS.items():
        assert f"| `{name}` | {amount} in {WITHIN[period.total_seconds()]} |" in published

"""Browser push: who gets one, what the push service sees of it, and what becomes of it."""

import base64
import json
from datetime import timedelta

import pytest
from django.utils import timezone
from py_vapid import Vapid02

from messaging.actions import post_message
from notifications.models import Notification, ShortMessage
from notifications.preferences import Wishes
from notifications.short_messages import fan_out, push

from .telephones import PUSH_KEY, Browser, push_to, rows, tell, wants

pytestmark = pytest.mark.django_db

SUBJECT = "Kettle stopped heating"
CANARY = "The serial number is 4711."


# --- What it says -----------------------------------------------------------------


def test_a_message_lights_up_the_browser_of_who_it_is_for(service, kettle, alice, bob):
    browser = push_to(service, alice)

    post_message(kettle, by=bob, body=CANARY)
    tell()

    (call,) = service.calls
    assert browser.reads(call) == {
        "title": "Bob wrote to you",
        "body": kettle.reference,
        "url": kettle.url_for(alice),
        "tag": kettle.reference,
    }
    assert rows("channel", "state", "last_answer", "recipient") == [
        ("push", "sent", "201 Created", alice.pk)
    ]


def test_the_push_service_learns_nothing(service, kettle, alice, bob):
    """P16: no word, no subject, no number; a lock screen shows neither words nor subject."""
    browser = push_to(service, alice)

    post_message(kettle, by=bob, body=CANARY)
    tell()

    (call,) = service.calls
    seen = str(call.headers).encode() + call.body
    for secret in (CANARY, SUBJECT, kettle.reference, "Bob", "Alice", alice.email):
        assert secret.encode() not in seen
    shown = json.dumps(browser.reads(call))
    assert CANARY not in shown
    assert SUBJECT not in shown


def test_the_headers_are_those_of_the_standards(service, kettle, alice, bob, settings):
    """RFC 8030, 8188 and 8292."""
    settings.DEFAULT_FROM_EMAIL = "Care <care@example.org>"
    push_to(service, alice)

    post_message(kettle, by=bob, body="Hello")
    post_message(kettle, by=bob, body="Hello again")
    tell()

    headers = service.calls[0].headers
    assert headers["Content-Encoding"] == "aes128gcm"
    assert headers["Urgency"] == "high"
    assert 86_000 < int(headers["TTL"]) <= 86_400
    assert len(headers["Topic"]) == 32
    assert service.calls[1].headers["Topic"] == headers["Topic"]  # the newer replaces the older
    assert Vapid02.verify(headers["Authorization"])
    token = headers["Authorization"].removeprefix("vapid t=").split(",")[0]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    until = claims.pop("exp") - timezone.now().timestamp()
    assert 0 < until <= timedelta(hours=24).total_seconds()
    assert claims == {"aud": f"http://127.0.0.1:{service.port}", "sub": "mailto:care@example.org"}


def test_browsers_know_the_pushes_by_the_public_half_of_the_key(settings):
    settings.PUSH_KEY = PUSH_KEY

    x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    assert push.decoded(push.public_key()).hex() == f"04{x}{y}"  # RFC 6979, A.2.5


@pytest.mark.parametrize("key", ["", "f" * 64, "0" * 64, "abc", "z" * 64])
def test_without_a_good_key_nobody_is_pushed(service, kettle, alice, bob, settings, key):
    push_to(service, alice)
    settings.PUSH_KEY = key

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert push.is_on() is False
    assert rows() == []


# --- Who gets one -----------------------------------------------------------------


def test_every_browser_of_theirs_and_nobody_elses(service, kettle, alice, bob, carol):
    push_to(service, carol)
    desk, phone = Browser(alice, f"{service.url}&desk"), Browser(alice, f"{service.url}&phone")

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert rows("subscription") == [(desk.row.pk,), (phone.row.pk,)]
    assert len(service.calls) == 2


def test_who_refused_such_is_not_pushed(service, kettle, alice, bob):
    """It is one of the ways, chosen apart from mail."""
    push_to(service, alice)
    wants(alice, "push", "message", is_wanted=False)

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert rows() == []
    assert Notification.objects.get(kind="message", recipient=alice).mail.state == "owed"


def test_the_same_cause_pushes_once(service, kettle, alice, bob):
    """SEC-E1: two bells, two workers."""
    push_to(service, alice)
    post_message(kettle, by=bob, body="Hello")
    tell()

    Notification.objects.update(mail=None)
    tell()

    assert len(service.calls) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_fanning_out_costs_the_same_for_many(
    service, kettle, alice, bob, count, django_assert_max_num_queries
):
    for number in range(count):
        Browser(alice, f"{service.url}&{number}")
        post_message(kettle, by=bob, body=f"No. {number}")
    owed = list(Notification.objects.select_related("recipient").filter(kind="message"))
    wishes = Wishes(owed)

    with django_assert_max_num_queries(3):
        fan_out(owed, wishes, timezone.now())

    assert ShortMessage.objects.count() == count * count

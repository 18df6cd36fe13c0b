"""Browsers and gateways for tests: what they hold, and how they read what comes."""

import base64
import json
from urllib.parse import parse_qs

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from notifications.mail import outbox
from notifications.models import Preference, Reaching, ShortMessage
from notifications.short_messages import browsers, sending

PUSH_KEY = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"  # of RFC 6979, A.2.5
NUMBER = "+447400123456"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


POINT = encoded(bytes.fromhex(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
))  # fmt: skip
SERVICE = "https://93.184.215.14/send/1"
# What a browser says of itself; nobody has its key.
BROWSER = {"endpoint": SERVICE, "p256dh": POINT, "auth": encoded(b"sixteen letters.")}


class Browser:
    """One that ``person`` is signed in with, and that has keys of its own."""

    def __init__(self, person, url):
        self.client, self.url = Client(), url
        self.client.force_login(person)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = b"sixteen letters."
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.told = {"endpoint": url, "p256dh": encoded(point), "auth": encoded(self.secret)}
        self.row = self.subscribe(person)

    def subscribe(self, person):
        key = self.client.session.session_key
        return browsers.subscribe(person, key, browser="Firefox on Linux", **self.told)

    def reads(self, call) -> dict:
        return read_push(call, self.key, self.secret)


def read_push(call, key, secret) -> dict:
    """What a push says, as only the browser with ``key`` can read it."""
    return json.loads(http_ece.decrypt(call.body, private_key=key, auth_secret=secret))


def push_to(service, person) -> Browser:
    return Browser(person, f"{service.url}&who={person.pk}")


def wants(person, channel, *kinds, is_wanted=True):
    for kind in kinds:
        Preference.objects.create(user=person, kind=kind, channel=channel, is_wanted=is_wanted)


def gets_sms(person, *kinds, number=NUMBER):
    Reaching.objects.create(user=person, sms_number=number)
    wants(person, "sms", *kinds)


def tell() -> None:
    """What the worker does: address what is owed, then send."""
    while outbox.address_notifications():
        pass
    while sending.take_turn():
        pass


def rows(*fields):
    return list(ShortMessage.objects.order_by("pk").values_list(*fields))


def form_in(call) -> dict:
    return {name: value for name, (value,) in parse_qs(call.body.decode()).items()}

"""Web push: RFC 8030 carries it, RFC 8291 hides it from the push service, RFC 8292 says that it
comes from us.
"""

import base64
import json
from datetime import timedelta
from email.utils import parseaddr
from functools import cache
from http.client import responses
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from py_vapid import Vapid02

from ..models import PushSubscription
from ..webhooks import client
from .answers import Gone, NoAnswer, Refused

CURVE = ec.SECP256R1()
PROOF_LASTS = timedelta(hours=12)  # push services take no more than 24
TOPIC_LENGTH = 32


class BadKey(ValueError):
    """PUSH_KEY is no key."""


def is_on() -> bool:
    """Whether browsers can be offered push."""
    try:
        return our_key() is not None
    except BadKey:
        return False


def our_key() -> ec.EllipticCurvePrivateKey | None:
    """Raises BadKey."""
    return _read(settings.PUSH_KEY) if settings.PUSH_KEY else None


@cache
def _read(digits: str) -> ec.EllipticCurvePrivateKey:
    try:
        if len(digits) != 64:
            raise ValueError("not 64 digits")
        return ec.derive_private_key(int(digits, 16), CURVE)
    except ValueError as trouble:
        raise BadKey from trouble


def public_key() -> str:
    """What browsers are told to know our pushes by."""
    return _public(our_key())


@cache
def _public(key) -> str:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def send(subscription: PushSubscription, news, *, lasts: timedelta) -> str:
    """Hand ``news`` to the push service of one browser. Returns what it answered.

    Raises Gone when the browser takes none any more, Refused and NoAnswer.
    """
    headers = {
        "Authorization": _proof(subscription.endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(lasts.total_seconds())),
        "Urgency": "high" if news.is_urgent else "normal",
        "Topic": _topic(subscription, news),
        "User-Agent": "Customer-Care-Registry",
    }
    try:
        status = client.post(
            subscription.endpoint,
            _hidden(subscription, news),
            headers,
            internal_hosts=settings.PUSH_INTERNAL_HOSTS,
        )
    except (client.AddressRefused, client.NoAnswer) as trouble:
        raise NoAnswer(str(trouble)) from trouble
    answer = f"{status} {responses.get(status, '')}".strip()
    if status in (404, 410):
        raise Gone(answer)
    if not 200 <= status < 300:
        raise Refused(answer, is_final=status < 500 and status not in (408, 429))
    return answer


def _proof(endpoint: str) -> str:
    service = urlsplit(endpoint)
    claims = {
        "aud": f"{service.scheme}://{service.netloc}",
        "exp": int((timezone.now() + PROOF_LASTS).timestamp()),
        "sub": f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}",
    }
    return Vapid02(our_key()).sign(claims)["Authorization"]


def _topic(subscription, news) -> str:
    """What waits for the browser about the same is replaced. The push service learns no number."""
    about = f"{subscription.pk}:{news.tag}"
    return salted_hmac("notifications.push", about, algorithm="sha256").hexdigest()[:TOPIC_LENGTH]


def _hidden(subscription, news) -> bytes:
    told = {
        "title": news.headline,
        "body": news.reference,
        "url": news.path,
        "tag": news.tag,
    }
    return http_ece.encrypt(
        json.dumps(told, ensure_ascii=False).encode(),
        private_key=ec.generate_private_key(CURVE),
        dh=decoded(subscription.p256dh),
        auth_secret=decoded(subscription.auth),
    )


def decoded(words: str) -> bytes:
    """Raises ValueError."""
    return base64.urlsafe_b64decode(words + "=" * (-len(words) % 4))

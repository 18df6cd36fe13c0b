"""Which browser somebody sits at: in words, and whether we have seen it before."""

import hashlib
import ipaddress
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import KnownDevice, User

READ = 400  # characters of what a browser says of itself; the rest could only cost time
KEPT_FOR = timedelta(days=400)  # browsers keep a cookie no longer
PEOPLE_EACH = 5  # who share a browser and are all remembered in it
UNKNOWN = "Other"  # the library's word


def device_in_words(user_agent: str) -> str:
    """Firefox on Windows, Safari on iPhone; "Unknown device" for what makes no sense."""
    found = _read(user_agent)
    browser = _plain(found.browser.family)
    is_apple = found.os.family in ("iOS", "Mac OS X")
    system = _plain(found.device.family if is_apple else found.os.family)
    if UNKNOWN in (browser, system):
        return _("Unknown device")
    return (_("%(browser)s on %(system)s") % {"browser": browser, "system": system})[:100]


def _read(user_agent):
    from user_agents import parse  # noqa: PLC0415 -- its tables slow each start down

    return parse(user_agent[:READ])


def _plain(family):
    """Without what the library adds for mobile editions, and what no name is written with."""
    words = [word for word in family.split() if word not in ("Mobile", "iOS")]
    return "".join(letter for letter in " ".join(words) if letter.isprintable()) or UNKNOWN


def icon_of(user_agent: str) -> str:
    found = _read(user_agent)
    if found.is_tablet:
        return "tablet"
    return "phone" if found.is_mobile else "laptop"


def recognise(request, response, user: User) -> bool:
    """Whether ``user`` has signed in with this browser before. From now on they have.

    The browser keeps a random token for each person, so that nobody is known by a token that
    was made for somebody else. We keep the hashes.
    """
    tokens = _tokens_of(request)
    known = user.known_devices.filter(token_hash__in=map(_hash, tokens))
    here = {"seen_at": timezone.now(), "address": address_of(request)}
    is_known = bool(known.update(**here))
    if not is_known:
        tokens = [*tokens, secrets.token_urlsafe(32)][-PEOPLE_EACH:]
        KnownDevice.objects.create(user=user, token_hash=_hash(tokens[-1]), **here)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        ".".join(filter(None, tokens)),
        max_age=KEPT_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return is_known


def known_as(request, email: str) -> str:
    """What tells apart the browsers that the account of ``email`` has signed in with, and the
    networks they were in when they last did; "" for all others."""
    devices = KnownDevice.objects.filter(user__email=email)
    hashes = [_hash(token) for token in _tokens_of(request) if token]
    known = devices.filter(token_hash__in=hashes).values_list("token_hash", flat=True).first()
    address = address_of(request)
    if known or not address:
        return known or ""
    return address if devices.filter(address=address).exists() else ""


def _tokens_of(request) -> list[str]:
    return request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "").split(".")[-PEOPLE_EACH:]


def address_of(request) -> str:
    """Where a request comes from; of IPv6 the network that one household or office has."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a local socket
        return ""
    if address.version == 6 and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

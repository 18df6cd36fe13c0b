"""One call to a receiver: to the address that was checked, and for a bounded time.

Names are resolved here, once. Every address a name stands for is checked, and the connection goes
to one of those that were, so a name that stands for something else a moment later leads nowhere.
"""

import socket
import ssl
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from threading import Timer
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

MAX_WORDS = 200
UNICAST = IPv6Network("2000::/3")  # all that is given out to anybody
NAT64 = IPv6Network("64:ff9b::/96")
# What some version of Python takes for global, though IANA's registries of special addresses don't.
NOT_PUBLIC = [
    ip_network("192.0.0.0/24"),  # of protocols; Oracle's machines ask 192.0.0.192 who they are
    ip_network("192.88.99.0/24"),  # whichever relay of 6to4 is next
    ip_network("2001::/23"),  # of protocols
    ip_network("2002::/16"),  # 6to4, which leads to an IPv4 address
    ip_network("3fff::/20"),  # of examples
    # In no registry: what Azure's machines ask who they are, and nobody else reaches.
    ip_network("168.63.129.16/32"),
]


class AddressRefused(Exception):
    """We do not call there. The text says why."""


class NotPublic(AddressRefused):
    """The operator may name its host as internal, which allows it."""


class NoAnswer(Exception):
    """The receiver did not answer. The text says what happened."""


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str
    authority: str  # host and port as the receiver was named
    is_internal: bool  # it may stand in our own network, and be called by http


def target_of(url: str, *, internal_hosts=()) -> Target:
    """Raises AddressRefused for what nobody may name, whatever its host stands for.

    ``internal_hosts`` are what the operator named for this use: they alone may be internal.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError as trouble:  # a port or a number that is none
        raise AddressRefused(_("This is not an address of the web.")) from trouble
    if not url.isascii():
        words = _("Write it as servers know it: bücher.example, say, is xn--bcher-kva.example.")
        raise AddressRefused(words)
    if not host or not url.isprintable() or " " in url:
        raise AddressRefused(_("This is not an address of the web."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(_("An address must not hold a name or a password."))
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    is_internal = host in internal_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and is_internal):
        raise NotPublic(_("The address must begin with https://."))
    return Target(parts.scheme, host, port, path, parts.netloc, is_internal)


def addresses_of(target: Target) -> list[str]:
    """All addresses the name stands for. Raises AddressRefused if one of them is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as trouble:
        words = _("No address is known for %(host)s.") % {"host": target.host}
        raise AddressRefused(words) from trouble
    addresses = list(dict.fromkeys(address[0] for *_others, address in found))
    if not target.is_internal:
        for address in addresses:
            if not is_public(ip_address(address)):
                raise NotPublic(_private_words(target.host, address))
    return addresses


def _private_words(host, address) -> str:
    where = host if host == address else f"{host} ({address})"
    return _("%(where)s is not on the public internet.") % {"where": where}


def is_public(address) -> bool:
    """Whether it is anybody's to call. One that leads to an IPv4 address counts as that."""
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return is_public(ip_address(int(address) & 0xFFFFFFFF))
        if address not in UNICAST:
            return False
    if any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


def check(url: str, *, internal_hosts=()) -> None:
    """Raises AddressRefused unless this address may be called now."""
    addresses_of(target_of(url, internal_hosts=internal_hosts))


def post(url: str, body: bytes, headers: dict[str, str], *, internal_hosts=()) -> int:
    """The status of the answer, whose words are not read. Raises AddressRefused and NoAnswer."""
    return call(target_of(url, internal_hosts=internal_hosts), body, headers)[0]


def call(target: Target, body: bytes, headers: dict[str, str], *, read=0) -> tuple[int, bytes]:
    """The status of the answer to a POST, and its first ``read`` bytes. Raises AddressRefused and
    NoAnswer.

    No redirect is followed, and no proxy asked.
    """
    headers = {"Host": target.authority, **headers}
    try:
        with (
            closing(_connected(target, addresses_of(target))) as connection,
            _hanging_up_after(settings.WEBHOOK_ANSWER_SECONDS, connection),
        ):
            connection.request("POST", target.path, body, headers, preload_content=False)
            answer = connection.getresponse()
            return answer.status, answer.read(read) if read else b""
    except (OSError, HTTPError, HTTPException) as trouble:
        raise NoAnswer(_words_for(trouble)) from trouble


def _connected(target, addresses):
    """A connection to the first address that takes it, within the time for all of them."""
    until = monotonic() + settings.WEBHOOK_CONNECT_SECONDS
    for address in addresses:
        seconds = until - monotonic()
        connection = _connection_to(address, target, seconds)
        try:
            with _hanging_up_after(seconds, connection):
                connection.connect()
        except (OSError, HTTPError):
            connection.close()
            if address == addresses[-1] or monotonic() >= until:
                raise
        else:
            connection.sock.settimeout(settings.WEBHOOK_ANSWER_SECONDS)
            return connection


def _connection_to(address, target, seconds):
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=seconds)
    # The certificate must be for the name, whatever the address.
    tls = {"server_hostname": target.host, "ssl_context": _trusted()}
    return HTTPSConnection(address, target.port, timeout=seconds, **tls)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _hanging_up_after(seconds, connection):
    """A socket's own patience begins anew with each byte; here it ends, whatever trickles in."""
    watch = Timer(seconds, _hang_up, [connection])
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _hang_up(connection):
    """Past TLS, whose state belongs to the thread that waits."""
    if connection.sock:
        with suppress(OSError):  # it is over already
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _words_for(trouble: Exception) -> str:
    """What the network says. Nothing that the receiver wrote, as broken answers quote it."""
    reason = trouble.__cause__ or trouble
    words = f": {reason}" if isinstance(reason, OSError) else ""
    return f"{type(reason).__name__}{words}"[:MAX_WORDS]

"""The addresses and Message-IDs by which a mail finds its ticket: signed, so nobody can guess one.

Each names one ticket and the one person it was made for. It says which ticket is meant, not who
wrote: whoever takes the mail in still asks whether its sender is that person and takes part.
"""

import re
import secrets
from base64 import b32encode
from email.utils import parseaddr
from hmac import compare_digest
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "tickets.mail_addresses"
MOST_TRIED = 100
# ticket, person, something that differs from mail to mail (not in addresses), signature
_SHAPE = r"t(\d{1,12})u(\d{1,12})(?:r([0-9a-f]{16}))?-(?P<proof>[a-z2-7]{26})"
TOKEN = re.compile(rf"^{_SHAPE}$")
# Whatever stands beside it: programs write "care%2Bt1u2-…%40example.net" as well.
TOKEN_IN_BYTES = re.compile(_SHAPE.encode(), re.IGNORECASE)
TOKEN_IN_TEXT = re.compile(_SHAPE, re.IGNORECASE)
# A signature or a token of 256 bits at the end of a link, which others may have wrapped in theirs.
PROOF_IN_LINK = re.compile(
    r"(?:(?<=[:/.])|(?<=%3A)|(?<=%2F))(?P<proof>[\w-]{43})(?![\w-])", re.ASCII | re.IGNORECASE
)


def reply_address(ticket, person) -> str:
    """Where ``person`` answers a mail about ``ticket``; empty if no mail is taken in here."""
    if not settings.REPLY_ADDRESS:
        return ""
    local, _at, domain = settings.REPLY_ADDRESS.rpartition("@")
    return f"{local}+{_token(ticket.pk, person.pk)}@{domain}"


def named_in_address(address: str) -> tuple[int, int] | None:
    """The keys of the ticket and the person of a reply address of ours; None for any other."""
    local = parseaddr(address)[1].rpartition("@")[0].lower()
    return _read(local.rpartition("+")[2])


def new_message_id(ticket, person) -> str:
    """A Message-ID for one mail about ``ticket`` to ``person``, angle brackets included."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{_token(ticket.pk, person.pk, secrets.token_hex(8))}@{domain}>"


def named_in_message_id(message_id: str) -> tuple[int, int] | None:
    """The keys of the ticket and the person of a Message-ID of ours; None for any other."""
    return _read(message_id.strip().strip("<>").rpartition("@")[0].lower())


def names_a_person(content: bytes) -> bool:
    """Whether an address or a Message-ID of ours stands in ``content``, in whatever file: with it
    others could write to a ticket as the person it was made for. Also if it holds so much that
    looks like one that to try each would take long."""
    words = content.replace(b"\0", b"")  # of UTF-16
    tried = set()
    for found in TOKEN_IN_BYTES.finditer(words):
        token = found[0].decode().lower()
        if token not in tried and (len(tried) == MOST_TRIED or _read(token)):
            return True
        tried.add(token)
    return False


def disarmed(text: str) -> str:
    """``text``, as long as it was, without what proves that somebody got a mail of ours: programs
    quote to whom it went, and its links that open without a password."""
    text = TOKEN_IN_TEXT.sub(_crossed_out, text)
    here = urlsplit(settings.SITE_URL).hostname
    if here not in text:
        return text
    return re.sub(
        r"\S+",
        lambda word: PROOF_IN_LINK.sub(_crossed_out, word[0]) if here in word[0] else word[0],
        text,
    )


def _crossed_out(found) -> str:
    proof = found["proof"]
    return found[0].removesuffix(proof) + "x" * len(proof)


def _token(ticket_id: int, person_id: int, differs: str = "") -> str:
    named = f"t{ticket_id}u{person_id}" + (f"r{differs}" if differs else "")
    return f"{named}-{_signature(named, settings.SECRET_KEY)}"


def _signature(named: str, key: str) -> str:
    """128 bits in letters that survive a mail program's change of case."""
    digest = salted_hmac(SALT, named, secret=key, algorithm="sha256").digest()[:16]
    return b32encode(digest).decode().rstrip("=").lower()


def _read(token: str) -> tuple[int, int] | None:
    found = TOKEN.match(token)
    if found is None:
        return None
    named, _dash, signature = token.rpartition("-")
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(compare_digest(signature, _signature(named, key)) for key in keys):
        return None
    return int(found[1]), int(found[2])

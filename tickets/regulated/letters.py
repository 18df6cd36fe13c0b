"""The final response to a complaint as a letter.

The page is laid out by ``letter.typ``. Words go in as data and never become markup; what cannot
be printed, or would keep the typesetter busy for long, is taken out before. It is a program of its
own, which is stopped when it takes too long all the same.
"""

import hashlib
import json
import re
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path

from django.core.files.base import ContentFile
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.work import signature_of

from ..models import Attachment, ComplaintCase, TicketEvent

TYPESETTER = Path(__file__).with_name("typesetter.py")
LONGEST = 15  # seconds of computing
LONGEST_WAIT = 60  # seconds, on a machine that has other things to do

MOST_MARKS = 4  # on one letter: no writing puts more, and shaping takes their square in time
# Controls, halves of characters, private ones and those that do not exist. No font has them, and
# to find that out takes long.
NEVER_PRINTED = ("Cc", "Cs", "Co", "Cn")
# So long a word is broken wherever it must be. The typesetter fails with some that are not.
LONG_WORD = re.compile(r"[^ \n]{40}(?=[^ \n])")
BREAK = "\u200b"
# The marks that turn the direction of what follows. Hebrew and Arabic need none of them.
TURNS = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class TakesTooLong(Exception):
    """The typesetter was stopped. The text is a sentence for whoever wrote the letter."""

    def __str__(self):
        return _("This text takes too long to lay out as a letter. Make it shorter or simpler")


def letter(case: ComplaintCase, *, by: User, text: str) -> bytes:
    """The letter with ``text`` as a PDF. Nothing is kept. Raises TakesTooLong."""
    ticket = case.ticket
    return typeset(
        language=get_language(),
        title=_("Final response to your complaint"),
        sender=case.track.sender,
        recipient="\n".join(_address_of(ticket.requester)),
        date=_written(timezone.now()),
        facts=[
            [_("Reference"), ticket.reference],
            [_("Received"), _written(case.received_at)],
            [_("Subject"), ticket.subject],
        ],
        text=text,
        decided=[
            [_("What it came from"), case.cause.name],
            [_("What was decided"), case.remedy.name],
        ],
        referral_title=_("If you do not agree"),
        referral=case.track.referral,
        signature="\n".join(filter(None, [str(by), signature_of(by)])),
        page=_("Page"),
    )


def typeset(**words) -> bytes:
    """``words`` as ``letter.typ`` lays them out: text, or rows of a name and a value."""
    try:
        done = subprocess.run(  # noqa: S603 -- our own interpreter and program
            [sys.executable, "-I", TYPESETTER, str(LONGEST)],
            input=json.dumps(_printable(words)).encode(),
            stdout=subprocess.PIPE,
            timeout=LONGEST_WAIT,
            check=True,
        )
    except subprocess.TimeoutExpired as late:
        raise TakesTooLong from late
    except subprocess.CalledProcessError as ended:
        if ended.returncode == -signal.SIGXCPU:
            raise TakesTooLong from ended
        raise
    return done.stdout


def keep(pdf: bytes, event: TicketEvent) -> Attachment:
    """Whoever reads the line may read its letter."""
    name = f"{event.ticket.reference}.pdf"
    return Attachment.objects.create(
        event=event,
        uploader=event.actor,
        file=ContentFile(pdf, name=name),
        name=name,
        content_type="application/pdf",
        size=len(pdf),
        sha256=hashlib.sha256(pdf).hexdigest(),
    )


def _written(moment) -> str:
    """The day at the desk."""
    day = timezone.localdate(moment, timezone=timezone.get_default_timezone())
    return date_format(day, "j F Y")


def _address_of(person) -> list[str]:
    address = person.addresses.first()  # the default stands first
    return [str(person), *(address.lines if address else [])]


def _printable(told):
    if isinstance(told, dict):
        return {name: _printable(words) for name, words in told.items()}
    if isinstance(told, list):
        return [_printable(words) for words in told]
    kept, marks = [], 0
    for character in told.replace("\r\n", "\n"):
        kind = unicodedata.category(character)
        if (kind in NEVER_PRINTED and character not in "\n\t") or character in TURNS:
            continue
        marks = marks + 1 if kind.startswith("M") else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return LONG_WORD.sub(lambda word: word[0] + BREAK, "".join(kept))

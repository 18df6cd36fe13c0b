"""Mail that comes in: stored before it is read, then settled once, whatever it is.

A mail is safe as soon as its row is committed. What stops its processing leaves the row as it was,
so the next run finds it; what can't be processed says why and waits for an administrator.
"""

import hashlib
import logging
import math
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.faults import fault
from accounts.leases import unleased
from accounts.models import User
from messaging.models import Fate, InboundMail, Mailbox, Reason
from messaging.models.mail import raw_path
from messaging.signals import mail_bounced, mail_held, mail_unreadable
from tickets.mail_addresses import named_in_address
from tickets.models import Ticket
from tickets.own_addresses import HOLDERS, without_plus
from tickets.workflow import TicketRefusal, TooMany

from .acting import NoCategory, act
from .deciding import decide
from .facts import fingerprint, gather, usable_sender
from .headers import decoded
from .parsed import Parsed, Unreadable
from .parsing import UNKEPT, clean
from .sandbox import Reader

logger = logging.getLogger(__name__)

MAX_TRIES = 3  # of a mail that ends the process that reads it
TURN = 10  # seconds, after which whoever has other work as well leaves the rest for later
LEASE = timedelta(minutes=2)  # longer than any mail may take
MOST_RECIPIENTS = 100
HEAD = 64 * 1024  # bytes that are read of a mail that can't be read whole
WAITING = (Fate.QUARANTINED, Fate.HELD)  # for an administrator
HELD_SHOWN = 3
SHOWN = 8_000  # characters of a mail that an administrator looks at
FREEABLE = (*WAITING, Fate.IGNORED)
RETRIABLE = (*FREEABLE, Fate.DROPPED)
# What stays recorded only, whoever looks at it: it would be answered for ever.
NEVER_FREED = (Reason.BOUNCE, Reason.LOOP)
# Why a mail is held that somebody who works here may think was passed on.
TOLD_TO_STAFF = (Reason.STAFF, Reason.UNCLEAR, Reason.NOT_THEIRS, Reason.BLOCKED)


def max_stored_bytes() -> int:
    """Beyond that nobody takes a mail."""
    return 4 * settings.MAX_MAIL_BYTES


def store(
    raw: bytes,
    *,
    source: InboundMail.Source,
    mailbox: Mailbox | None = None,
    size: int | None = None,
    envelope_from: str | None = None,
    envelope_to: Sequence[str] = (),
    **where,
) -> InboundMail:
    """Keep ``raw`` as it came, or the head of a mail of that ``size``. ``envelope_from`` is None if
    the server before us did not say; ``where`` it lies in its mailbox.

    Raises OSError and DatabaseError, and then nothing is kept.
    """
    mail = InboundMail(
        source=source,
        mailbox=mailbox,
        size=size or len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        envelope_from=envelope_from and _as_text(envelope_from),
        envelope_to=_those_that_count([_as_text(address) for address in envelope_to]),
        **where,
    )
    _keep(raw, mail)
    fault("before_inbound_row")
    try:
        mail.save(force_insert=True)
    except DatabaseError:
        mail.raw.delete(save=False)
        raise
    fault("after_inbound_store")
    return mail


def _as_text(address) -> str:
    """Never empty, which says that a machine sent it."""
    return UNKEPT.sub("\ufffd", address)[:320]


def _those_that_count(addresses) -> list[str]:
    """As many as we keep; ours before all others, as they say where a mail goes."""
    if len(addresses) <= MOST_RECIPIENTS:
        return addresses
    ours = set()
    for model, field, _named in HOLDERS:
        ours.update(model.objects.values_list(field, flat=True))

    def is_other(address):
        exactly = address.lower()
        named = {exactly, without_plus(exactly)} & ours
        return not (named or named_in_address(address))

    return sorted(addresses, key=is_other)[:MOST_RECIPIENTS]


def _keep(raw, mail):
    """Whole or not at all: what a full disk took of it would fill the rest of the disk."""
    name, storage = raw_path(mail, "mail"), mail.raw.storage
    try:
        mail.raw = storage.save(name, ContentFile(raw))
    except OSError:
        storage.delete(name)
        raise


def process_waiting(turn: float = math.inf) -> int:
    """Settle what was stored and not settled, in the order it came, for ``turn`` seconds. Says how
    many; more may be left as long as there were any. One process at a time: whoever meets a mail
    that somebody is at leaves the rest to them."""
    count = last = 0
    until = time.monotonic() + turn
    waiting = InboundMail.objects.filter(fate=Fate.RECEIVED).order_by("pk")
    with Reader() as reader:
        while mail := waiting.filter(pk__gt=last).first():
            if time.monotonic() >= until or not process(mail, reader):
                break
            last = mail.pk
            count += mail.fate != Fate.RECEIVED
    return count


def process(mail: InboundMail, reader: Reader) -> bool:
    """Read ``mail`` and settle it; False if somebody else does. What can't be read now is left for
    the next time. Raises OperationalError only, when the database is away."""
    now = timezone.now()
    ours = InboundMail.objects.filter(unleased(now, 2 * LEASE), pk=mail.pk, fate=Fate.RECEIVED)
    if not ours.update(tries=F("tries") + 1, leased_until=now + LEASE):
        return False
    if mail.tries > MAX_TRIES:  # its head does it too
        _give_up(mail, Fate.QUARANTINED, Reason.UNREADABLE, _("Reading it stopped our program."))
        return True
    try:
        _read_and_settle(mail, reader)
    except Unreadable as refusal:
        _give_up(mail, Fate.QUARANTINED, Reason.UNREADABLE, str(refusal))
    except TooMany as refusal:
        _give_up(mail, Fate.HELD, Reason.TOO_MANY, str(refusal))
    except TicketRefusal as refusal:
        _give_up(mail, Fate.HELD, Reason.REFUSED, str(refusal))
    except NoCategory:
        _give_up(mail, Fate.QUARANTINED, Reason.FAILED, _("There is no active category."))
    except OperationalError:
        _leave(mail, now + LEASE)
        raise
    except OSError as error:  # of the storage, or of the machine, which starts no reader
        if _is_lost(mail):
            _give_up(mail, Fate.QUARANTINED, Reason.FAILED, _("Its file is gone."))
            return True
        logger.warning("Mail %s can't be read now: %s", mail.pk, error)
        _leave(mail, now + LEASE)
    except Exception as error:  # one mail must not hold up the others
        logger.exception("Mail %s can't be processed.", mail.pk)
        _give_up(mail, Fate.QUARANTINED, Reason.FAILED, type(error).__name__)
    return True


def _leave(mail, leased_until):
    """As it was, if it still is ours: only what ends the process counts as a try."""
    InboundMail.objects.filter(pk=mail.pk, leased_until=leased_until).update(
        tries=F("tries") - 1, leased_until=None
    )
    mail.refresh_from_db()


def _is_lost(mail) -> bool:
    """Its file, and not all of them, as when a disk is away."""
    storage = mail.raw.storage
    return storage.exists("mail-in") and not storage.exists(mail.raw.name)


def _read_and_settle(mail, reader):
    parsed, hindrance = _read(mail, reader)
    try:
        _settle(mail, parsed, hindrance)
    except (IntegrityError, TicketRefusal):  # a copy, or somebody, was quicker: now that is seen
        _settle(mail, parsed, hindrance)
    fault("after_inbound_commit")


def _read(mail, reader) -> tuple[Parsed, tuple[Reason, str] | None]:
    """What it says, or only its head and why not the rest."""
    with mail.raw.open("rb") as file:
        if mail.tries == MAX_TRIES:
            hindrance = Reason.UNREADABLE, _("Reading it stopped our program.")
        elif mail.raw.size < mail.size:
            hindrance = Reason.TOO_LARGE, _("Only its beginning was kept.")
        elif mail.size > settings.MAX_MAIL_BYTES:
            megabytes = settings.MAX_MAIL_BYTES // 1024**2
            hindrance = Reason.TOO_LARGE, _("More than %(n)s MB.") % {"n": megabytes}
        else:
            try:
                return reader.read(file.read()), None
            except Unreadable as refusal:
                hindrance = Reason.UNREADABLE, str(refusal)
                file.seek(0)
        return reader.read(_head(file.read(HEAD))), hindrance


def look(mail: InboundMail) -> tuple[str, str]:
    """The head of ``mail`` and the beginning of its text, for an administrator who judges it."""
    with Reader() as reader:
        try:
            text = _read(mail, reader)[0].text
        except (Unreadable, ChildProcessError) as refusal:
            text = str(refusal)
    with mail.raw.open("rb") as file:
        head = decoded(_head(file.read(HEAD)), None)
    return clean(head)[:SHOWN], text[:SHOWN]


def _head(start: bytes) -> bytes:
    for gap in (b"\r\n\r\n", b"\n\n"):
        if gap in start:
            return start.partition(gap)[0] + gap
    return start


@transaction.atomic
def _settle(mail: InboundMail, parsed: Parsed, hindrance: tuple[Reason, str] | None = None) -> None:
    if not _take(mail, parsed, is_whole=hindrance is None):
        return
    facts = gather(mail, parsed)
    decision = decide(parsed, facts)
    mail.first = facts.first
    mail.person, mail.ticket = facts.person, facts.ticket
    if hindrance and not facts.first:
        _put_aside(mail, parsed, decision, *hindrance)
        return
    is_news = mail.settled_at is None
    _write_down(mail, decision.fate, decision.reason)
    if decision.reason == Reason.BOUNCE:
        mail_bounced.send(sender=InboundMail, mail=mail, bounce=parsed.bounce)
    if decision.fate == Fate.HELD and decision.reason in TOLD_TO_STAFF and is_news:
        mail_held.send(sender=InboundMail, mail=mail)
    if event := act(mail, parsed, facts, decision):
        mail.event, mail.ticket, mail.person = event, event.ticket, event.actor
        mail.save(update_fields=["event", "ticket", "person"])
    fault("before_inbound_commit")


def _put_aside(mail, parsed, decision, reason, detail):
    """Only its head is known. Told is whose mail would be taken in, the first time it is tried:
    nobody whose server says that it is not from them."""
    is_wanted = decision.fate in (Fate.TICKETED, Fate.APPENDED)
    is_told = is_wanted and mail.settled_at is None and not parsed.failed_authentication
    _write_down(mail, Fate.QUARANTINED, reason, detail)
    if is_told:
        mail_unreadable.send(sender=InboundMail, mail=mail)


def _take(mail, parsed, *, is_whole) -> bool:
    """Lock the row, and say what it is; False if somebody else settled it meanwhile."""
    mail.refresh_from_db(from_queryset=InboundMail.objects.select_for_update(of=("self",)))
    if mail.fate != Fate.RECEIVED:
        return False
    parsed.sender = mail.sender = usable_sender(mail, parsed)
    mail.subject = parsed.subject
    mail.message_id = parsed.message_id
    mail.fingerprint = fingerprint(mail, parsed, is_whole=is_whole)
    if mail.envelope_from == "" and not parsed.automatic:
        parsed.automatic = "MAIL FROM:<>"
    return True


def _write_down(mail, fate, reason="", detail=""):
    mail.fate, mail.reason, mail.detail = fate, reason, detail[:500]
    mail.settled_at = timezone.now()
    mail.save()


def _give_up(mail, fate, reason, detail):
    """Nothing of what was tried has happened; what was read of it so far helps to look at it."""
    names = ("sender", "subject", "message_id", "person", "ticket")
    known = {name: getattr(mail, name) for name in names}
    InboundMail.objects.filter(pk=mail.pk, fate=Fate.RECEIVED).update(
        fate=fate, reason=reason, detail=detail[:500], settled_at=timezone.now(), **known
    )
    mail.refresh_from_db()


def held_mails(ticket: Ticket) -> QuerySet[InboundMail]:
    """The newest of those that name ``ticket`` and whose words nobody got."""
    held = InboundMail.objects.filter(ticket=ticket, fate=Fate.HELD).select_related("person")
    return held.order_by("-pk")[:HELD_SHOWN]


# --- What administrators do ---------------------------------------------------


def retry(mails, *, by: User | None = None) -> list[InboundMail]:
    """Process again what was held, ignored, dropped or could not be processed; says which, as they
    are now. ``by`` is who looked at each and lets it through, but for what was dropped: nobody, to
    try by the same rules."""
    if by and not by.has_perm("messaging.settle_inboundmail"):
        raise PermissionDenied
    found = mails.filter(fate__in=FREEABLE if by else RETRIABLE).exclude(raw="")
    if by:
        found = found.exclude(reason__in=NEVER_FREED)
    freed = {"freed_by": by} if by else {}
    with transaction.atomic():  # whoever drops them at the same moment comes before, or too late
        chosen = list(found.order_by("pk").select_for_update().values_list("pk", flat=True))
        InboundMail.objects.filter(pk__in=chosen).update(
            fate=Fate.RECEIVED,
            reason="",
            detail="",
            tries=0,
            leased_until=None,
            fingerprint="",
            **freed,
        )
    with Reader() as reader:
        for mail in InboundMail.objects.filter(pk__in=chosen, fate=Fate.RECEIVED).order_by("pk"):
            process(mail, reader)
    return list(InboundMail.objects.filter(pk__in=chosen).select_related("ticket").order_by("pk"))


@transaction.atomic
def drop(mails, *, by: User) -> list[InboundMail]:
    """Nothing more happens to what was held or could not be processed, until somebody processes it
    again: by the rules, even if it had been let through. Says which."""
    if not by.has_perm("messaging.settle_inboundmail"):
        raise PermissionDenied
    dropped = list(mails.filter(fate__in=WAITING).order_by("pk").select_for_update())
    for mail in dropped:
        mail.freed_by = None
        _write_down(mail, Fate.DROPPED, mail.reason, mail.detail)
    return dropped

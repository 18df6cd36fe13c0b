"""Mail that comes in: stored before it is read, then settled once, whatever it is.

A mail is safe as soon as its row is committed. What stops its processing leaves the row as it was,
so the next run finds it; what can't be processed says why and waits for an administrator.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.faults import fault
from accounts.models import User
from messaging.models import Fate, InboundMail, Mailbox, Reason
from messaging.models.mail import raw_path
from messaging.signals import mail_bounced, mail_too_large
from tickets.workflow import TicketRefusal, TooMany

from .acting import NoCategory, act
from .deciding import decide
from .facts import fingerprint, gather, usable_sender
from .parsed import Parsed, Unreadable
from .sandbox import Reader

logger = logging.getLogger(__name__)

MAX_TRIES = 3  # of a mail that ends the process that reads it
LEASE = timedelta(minutes=2)  # longer than any mail may take
MAX_STORED_BYTES = 4 * settings.MAX_MAIL_BYTES  # beyond that nobody takes a mail
HEAD = 64 * 1024  # bytes that are read of a mail that is too large
RETRIABLE = (Fate.QUARANTINED, Fate.HELD, Fate.IGNORED)
# What stays recorded only, whoever looks at it: it would be answered for ever.
NEVER_FREED = (Reason.BOUNCE, Reason.LOOP)


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
        envelope_from=envelope_from and envelope_from[:320],
        envelope_to=list(envelope_to)[:100],
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


def _keep(raw, mail):
    """Whole or not at all: what a full disk took of it would fill the rest of the disk."""
    name, storage = raw_path(mail, "mail"), mail.raw.storage
    try:
        mail.raw = storage.save(name, ContentFile(raw))
    except OSError:
        storage.delete(name)
        raise


def process_waiting() -> int:
    """Settle what was stored and not settled, in the order it came. Says how many. One process at
    a time: whoever meets a mail that somebody is at leaves the rest to them."""
    count = 0
    waiting = InboundMail.objects.filter(fate=Fate.RECEIVED).order_by("pk")
    with Reader() as reader:
        while mail := waiting.first():
            if not process(mail, reader):
                break
            count += 1
    return count


def process(mail: InboundMail, reader: Reader) -> bool:
    """Read ``mail`` and settle it; False if somebody else does. Raises OperationalError only, when
    the database is away."""
    now = timezone.now()
    free = InboundMail.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now))
    ours = free.filter(pk=mail.pk, fate=Fate.RECEIVED)
    if not ours.update(tries=F("tries") + 1, leased_until=now + LEASE):
        return False
    if mail.tries >= MAX_TRIES:
        _give_up(mail, Fate.QUARANTINED, Reason.UNREADABLE, _("It stopped whatever read it."))
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
        raise
    except Exception as error:  # one mail must not hold up the others
        logger.exception("Mail %s can't be processed.", mail.pk)
        _give_up(mail, Fate.QUARANTINED, Reason.FAILED, type(error).__name__)
    return True


def _read_and_settle(mail, reader):
    with mail.raw.open("rb") as file:
        if mail.size > settings.MAX_MAIL_BYTES:
            _settle_too_large(mail, reader.read(_head(file.read(HEAD))))
            return
        raw = file.read()
    parsed = reader.read(raw)
    try:
        _settle(mail, parsed)
    except IntegrityError:  # the same mail came another way at the same moment: now it is seen
        _settle(mail, parsed)
    fault("after_inbound_commit")


def _head(start: bytes) -> bytes:
    for gap in (b"\r\n\r\n", b"\n\n"):
        if gap in start:
            return start.partition(gap)[0] + gap
    return start


@transaction.atomic
def _settle(mail: InboundMail, parsed: Parsed) -> None:
    if not _take(mail, parsed):
        return
    facts = gather(mail, parsed)
    decision = decide(parsed, facts)
    mail.first = facts.first
    mail.person, mail.ticket = facts.person, facts.ticket
    _write_down(mail, decision.fate, decision.reason)
    if decision.reason == Reason.BOUNCE:
        mail_bounced.send(sender=InboundMail, mail=mail, bounce=parsed.bounce)
    if event := act(mail, parsed, facts, decision):
        mail.event, mail.ticket, mail.person = event, event.ticket, event.actor
        mail.save(update_fields=["event", "ticket", "person"])
    fault("before_inbound_commit")


@transaction.atomic
def _settle_too_large(mail, parsed):
    if not _take(mail, parsed):
        return
    facts = gather(mail, parsed)
    mail.first = facts.first
    if facts.first:
        _write_down(mail, Fate.REPEATED)
        return
    megabytes = settings.MAX_MAIL_BYTES // 1024**2
    detail = _("More than %(n)s MB.") % {"n": megabytes}
    _write_down(mail, Fate.QUARANTINED, Reason.TOO_LARGE, detail)
    if mail.sender and not (parsed.automatic or parsed.is_spam or facts.is_ours or facts.rule):
        mail_too_large.send(sender=InboundMail, mail=mail)


def _take(mail, parsed) -> bool:
    """Lock the row, and say what it is; False if somebody else settled it meanwhile."""
    mail.refresh_from_db(from_queryset=InboundMail.objects.select_for_update(of=("self",)))
    if mail.fate != Fate.RECEIVED:
        return False
    parsed.sender = mail.sender = usable_sender(mail, parsed)
    mail.subject = parsed.subject
    mail.message_id = parsed.message_id
    mail.fingerprint = fingerprint(mail, parsed)
    if mail.envelope_from == "" and not parsed.automatic:
        parsed.automatic = "MAIL FROM:<>"
    return True


def _write_down(mail, fate, reason="", detail=""):
    mail.fate, mail.reason, mail.detail = fate, reason, detail[:500]
    mail.settled_at = timezone.now()
    mail.save()


def _give_up(mail, fate, reason, detail):
    """Nothing of what was tried has happened; what was read of it so far helps to look at it."""
    known = {name: getattr(mail, name) for name in ("sender", "subject", "message_id")}
    InboundMail.objects.filter(pk=mail.pk, fate=Fate.RECEIVED).update(
        fate=fate, reason=reason, detail=detail[:500], settled_at=timezone.now(), **known
    )
    mail.refresh_from_db()


# --- What administrators do ---------------------------------------------------


def retry(mails, *, by: User | None = None) -> int:
    """Process again what was held, ignored or could not be processed; says how many. ``by`` is
    who looked at each and lets it through: nobody, to try by the same rules."""
    if by and not by.has_perm("messaging.settle_inboundmail"):
        raise PermissionDenied
    found = mails.filter(fate__in=RETRIABLE).exclude(reason=Reason.TOO_LARGE)
    if by:
        found = found.exclude(reason__in=NEVER_FREED)
    chosen = list(found.order_by("pk").values_list("pk", flat=True))
    freed = {"freed_by": by} if by else {}
    InboundMail.objects.filter(pk__in=chosen, fate__in=RETRIABLE).update(
        fate=Fate.RECEIVED,
        reason="",
        detail="",
        tries=0,
        leased_until=None,
        settled_at=None,
        fingerprint="",
        **freed,
    )
    with Reader() as reader:
        for mail in InboundMail.objects.filter(pk__in=chosen, fate=Fate.RECEIVED).order_by("pk"):
            process(mail, reader)
    return len(chosen)


def drop(mails, *, by: User) -> int:
    """Nothing more happens to what was held or could not be processed. Says how many."""
    if not by.has_perm("messaging.settle_inboundmail"):
        raise PermissionDenied
    waiting = mails.filter(fate__in=(Fate.HELD, Fate.QUARANTINED))
    return InboundMail.objects.filter(pk__in=waiting.values("pk")).update(
        fate=Fate.DROPPED, settled_at=timezone.now()
    )

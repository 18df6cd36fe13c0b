"""Mail fetched from mailboxes, by UID. What is on the server is marked or moved only once it is
stored here, and what a crash leaves undone the next poll does."""

import imaplib
import logging
import re
import ssl
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from accounts.faults import fault
from messaging.models import InboundMail, Mailbox

from . import ledger
from .oauth import access_token

logger = logging.getLogger(__name__)

TIMEOUT = 30  # seconds, for each answer of the server
LEASE = timedelta(minutes=10)
RECONCILE_EVERY = timedelta(hours=1)
TIDIED_AT_ONCE = 200
# What a server, its network or its provider may do to us.
TROUBLE = (OSError, imaplib.IMAP4.error, ImapToolsError)


@contextmanager
def opened(mailbox: Mailbox):
    """Signed in, with the folder chosen. Raises TROUBLE."""
    with _connected(mailbox) as box:
        if mailbox.sign_in == Mailbox.SignIn.PASSWORD:
            box.login(mailbox.username, mailbox.secret, initial_folder=mailbox.folder)
        else:
            token = access_token(mailbox)
            box.xoauth2(mailbox.username, token, initial_folder=mailbox.folder)
        yield box


def _connected(mailbox) -> BaseMailBox:
    where = {"host": mailbox.host, "port": mailbox.port, "timeout": TIMEOUT}
    if mailbox.security == Mailbox.Security.NONE:
        return MailBoxUnencrypted(**where)
    kind = MailBox if mailbox.security == Mailbox.Security.TLS else MailBoxStartTls
    return kind(**where, ssl_context=ssl.create_default_context())


def poll_all() -> int:
    """Fetch what is new in each active mailbox; says how many mails."""
    return sum(map(poll, Mailbox.objects.filter(is_active=True)))


def poll(mailbox: Mailbox) -> int:
    """Fetch what is new, and say how many mails. What goes wrong stands in the mailbox's row."""
    with noting_trouble(mailbox), opened(mailbox) as box:
        return fetch(mailbox, box)
    return 0


@contextmanager
def noting_trouble(mailbox):
    try:
        yield
    except TROUBLE as trouble:
        problem = problem_in(trouble, mailbox)
        logger.warning("Mailbox %s can't be polled: %s", mailbox.pk, problem)
        Mailbox.objects.filter(pk=mailbox.pk).update(last_problem=problem, leased_until=None)


def problem_in(trouble: Exception, mailbox: Mailbox) -> str:
    """In words, and without secrets, whatever the server repeats."""
    words = " ".join(f"{type(trouble).__name__}: {trouble}".split())
    for secret in (mailbox.secret, mailbox.client_secret):
        words = words.replace(secret, "…") if secret else words
    return words[:300]


def fetch(mailbox: Mailbox, box: BaseMailBox) -> int:
    """Store what is new, then mark or move it on the server. Nothing while somebody else does."""
    now = timezone.now()
    free = Mailbox.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), pk=mailbox.pk)
    if not free.update(leased_until=now + LEASE):
        return 0
    mailbox.refresh_from_db()
    status = box.folder.status(mailbox.folder, ["UIDVALIDITY", "MESSAGES"])
    if mailbox.uid_validity != status["UIDVALIDITY"]:  # the server numbers its mails anew
        mailbox.uid_validity, mailbox.last_uid = status["UIDVALIDITY"], 0
        mailbox.reconciled_at = None
    is_thorough = not mailbox.reconciled_at or mailbox.reconciled_at < now - RECONCILE_EVERY
    uids = _missing(mailbox, box) if is_thorough else _after_the_last(mailbox, box)
    for uid in uids:
        _take(mailbox, box, uid)
    _tidy(mailbox, box)
    if is_thorough:
        mailbox.missing, mailbox.reconciled_at = len(_missing(mailbox, box)), now
    mailbox.on_server = status["MESSAGES"]
    mailbox.polled_at = timezone.now()
    mailbox.last_problem, mailbox.leased_until, mailbox.alarmed_at = "", None, None
    mailbox.save(
        update_fields=[
            "uid_validity", "last_uid", "missing", "reconciled_at", "on_server", "polled_at",
            "last_problem", "leased_until", "alarmed_at",
        ]
    )  # fmt: skip
    return len(uids)


def _after_the_last(mailbox, box) -> list[int]:
    """``*`` is the last mail on the server, also when that is an old one."""
    found = map(int, box.uids(f"UID {mailbox.last_uid + 1}:*"))
    return sorted(uid for uid in found if uid > mailbox.last_uid)


def _missing(mailbox, box) -> list[int]:
    """On the server, and not in the ledger."""
    known = InboundMail.objects.filter(mailbox=mailbox, uid_validity=mailbox.uid_validity)
    return sorted(set(map(int, box.uids("ALL"))) - set(known.values_list("uid", flat=True)))


def _take(mailbox, box, uid):
    """Of what is far too large only the head; the mail itself stays on the server as it is."""
    size = _size_of(box, uid)
    is_whole = size <= ledger.MAX_STORED_BYTES
    raw = _part_of(box, uid, "BODY.PEEK[]" if is_whole else "BODY.PEEK[HEADER]")
    if raw is None:  # somebody took it away
        return
    with transaction.atomic():
        ledger.store(
            raw,
            source=InboundMail.Source.IMAP,
            mailbox=mailbox,
            size=None if is_whole else size,
            uid_validity=mailbox.uid_validity,
            uid=uid,
            is_tidied=not is_whole,
        )
        mailbox.last_uid = max(mailbox.last_uid, uid)
        mailbox.save(update_fields=["uid_validity", "last_uid"])
    fault("before_inbound_tidy")


def _size_of(box, uid) -> int:
    _status, answer = box.client.uid("FETCH", str(uid), "(RFC822.SIZE)")
    words = b" ".join(line for line in answer if isinstance(line, bytes))
    found = re.search(rb"RFC822\.SIZE (\d+)", words)
    return int(found[1]) if found else 0


def _part_of(box, uid, part) -> bytes | None:
    _status, answer = box.client.uid("FETCH", str(uid), f"({part})")
    return next((line[1] for line in answer if isinstance(line, tuple)), None)


def _tidy(mailbox, box):
    untidy = InboundMail.objects.filter(
        mailbox=mailbox, uid_validity=mailbox.uid_validity, is_tidied=False
    )
    while uids := list(untidy.order_by("uid").values_list("uid", flat=True)[:TIDIED_AT_ONCE]):
        named = [str(uid) for uid in uids]
        if mailbox.move_to:
            box.move(named, mailbox.move_to)
        else:
            box.flag(named, "\\Seen", True)
        fault("after_inbound_tidy")
        untidy.filter(uid__in=uids).update(is_tidied=True)

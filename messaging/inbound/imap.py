"""Mail fetched from mailboxes, by UID. What is on the server is marked or moved only once it is
stored here, and what a crash leaves undone the next poll does.

A mail whose fetching ends the conversation (some servers hang up on one they can't read), or that
is refused while others are given out, is tried once more after all others, then once an hour.
"""

import logging
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from imap_tools import BaseMailBox
from imap_tools.errors import MailboxFetchError
from imap_tools.utils import check_command_status

from accounts.faults import fault
from accounts.leases import unleased
from messaging.models import InboundMail, Mailbox

from . import ledger
from .connecting import TROUBLE, opened, problem_in
from .tidying import tidy

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # longer than one mail may take
TURN = 20  # seconds, after which whoever has other work as well leaves the rest for later
MEANT_FOR_US = "UNDELETED UNDRAFT"
RECONCILE_EVERY = timedelta(hours=1)


class Overtaken(Exception):
    """The mailbox is somebody else’s by now, or leads elsewhere. Nobody needs to hear of it."""


class BrokenAgain(Exception):
    """A mail that ended a conversation before has ended this one."""


def poll_all(turn: float = math.inf) -> int:
    """Fetch what is new in each active mailbox, for ``turn`` seconds in each; says how many mails.
    More may be left as long as there were any."""
    return sum(poll(mailbox, turn) for mailbox in Mailbox.objects.filter(is_active=True))


def poll(mailbox: Mailbox, turn: float = math.inf) -> int:
    """Fetch what is new, and say how many mails. What goes wrong stands in the mailbox's row."""
    with noting_trouble(mailbox), opened(mailbox) as box:
        return fetch(mailbox, box, turn) or 0
    return 0


@contextmanager
def noting_trouble(mailbox):
    """Raises OperationalError only, when the database is away."""
    try:
        yield
    except OperationalError:
        raise
    except Overtaken as why:
        logger.info("Mailbox %s is left: %s", mailbox.pk, why)
        return
    except TROUBLE as trouble:
        problem = problem_in(trouble, mailbox)
        logger.warning("Mailbox %s can't be polled: %s", mailbox.pk, problem)
    except Exception as error:  # one mailbox must not hold up the others
        problem = type(error).__name__
        logger.exception("Mailbox %s can't be polled.", mailbox.pk)
    else:
        return
    Mailbox.objects.filter(pk=mailbox.pk).update(last_problem=problem)


def look(mailbox: Mailbox) -> int:
    """Whether all would go well; fetches and changes nothing. Says how many mails there are.
    Raises TROUBLE."""
    with opened(mailbox) as box:
        if mailbox.move_to:
            box.folder.status(mailbox.move_to, ["MESSAGES"])
        return box.folder.status(mailbox.folder, ["MESSAGES"])["MESSAGES"]


def begin_anew(mailbox: Mailbox) -> None:
    """It leads elsewhere now, where the same numbers name other mails. Whoever is at it stops."""
    Mailbox.objects.filter(pk=mailbox.pk).update(
        uid_validity=None, last_uid=0, broken_uids=[], reconciled_at=None, leased_until=None
    )
    fetched = InboundMail.objects.filter(mailbox=mailbox, uid__isnull=False)
    fetched.update(uid_validity=None, uid=None, is_tidied=True)


def fetch(mailbox: Mailbox, box: BaseMailBox, turn: float = math.inf) -> int | None:
    """Store what is new, then mark or move it on the server, and say how many mails. None while
    somebody else does; after ``turn`` seconds, and one mail that was asked for, the rest is left
    for the next time. Of a server that refuses all mails no more is asked than in ``TURN`` seconds.

    ``mailbox`` is as it was when ``box`` was opened. Raises TROUBLE and Overtaken."""
    now = timezone.now()
    free = Mailbox.objects.filter(unleased(now, 2 * LEASE), pk=mailbox.pk)
    if not free.update(leased_until=now + LEASE):
        return None
    place = mailbox.place
    mailbox.refresh_from_db()
    mailbox.leased_until = now + LEASE
    try:
        if mailbox.place != place:
            raise Overtaken("It leads elsewhere.")
        return _fetch(mailbox, box, time.monotonic() + turn)
    finally:
        _ours(mailbox).update(leased_until=None)


def _ours(mailbox):
    """Its row, as long as nobody else took it."""
    return Mailbox.objects.filter(pk=mailbox.pk, leased_until=mailbox.leased_until)


def _note(mailbox, **known):
    """Keep what is ``known``, and the mailbox for longer."""
    until = timezone.now() + LEASE
    if not _ours(mailbox).update(leased_until=until, **known):
        raise Overtaken("Somebody else took it.")
    mailbox.leased_until = until


def _place_in(mailbox) -> dict:
    """How far it is fetched."""
    return {name: getattr(mailbox, name) for name in ("uid_validity", "last_uid", "broken_uids")}


def _fetch(mailbox, box, until) -> int:
    began_at = timezone.now()
    status = box.folder.status(mailbox.folder, ["UIDVALIDITY", "MESSAGES"])
    if mailbox.uid_validity != status["UIDVALIDITY"]:  # the server numbers its mails anew
        mailbox.uid_validity, mailbox.last_uid = status["UIDVALIDITY"], 0
        mailbox.broken_uids, mailbox.reconciled_at = [], None
    is_due = not mailbox.reconciled_at or mailbox.reconciled_at < began_at - RECONCILE_EVERY
    uids = _missing(mailbox, box) if is_due else _after_the_last(mailbox, box)
    asked, count, refused, missing = set(uids), 0, {}, None
    if is_due:
        mailbox.broken_uids = [uid for uid in mailbox.broken_uids if uid in asked]
    try:
        for is_stored in _taken(mailbox, box, uids, refused, until):
            count += is_stored
        is_all = len(uids) + len(refused) == len(asked)
        is_worth_a_try = _note_refused(mailbox, refused, is_all=is_all)
        tidy(mailbox, box, _known(mailbox))
        if is_due and not uids and not is_worth_a_try:
            missing = len(asked.intersection(_missing(mailbox, box)))
    except BrokenAgain:  # all others are here; the next poll tidies them
        mailbox.last_uid, missing = max(mailbox.last_uid, *asked), len(uids) + len(refused)
    if missing is not None:
        mailbox.missing, mailbox.reconciled_at = missing, began_at
    _note(
        mailbox,
        **_place_in(mailbox),
        missing=mailbox.missing,
        reconciled_at=mailbox.reconciled_at,
        on_server=status["MESSAGES"],
        polled_at=timezone.now(),
        last_problem="",
        alarmed_at=None,
    )
    return count


def _after_the_last(mailbox, box) -> list[int]:
    """``*`` is the last mail on the server, also when that is an old one."""
    found = map(int, box.uids(f"UID {mailbox.last_uid + 1}:* {MEANT_FOR_US}"))
    return _in_order(mailbox, {uid for uid in found if uid > mailbox.last_uid})


def _known(mailbox):
    return InboundMail.objects.filter(mailbox=mailbox, uid_validity=mailbox.uid_validity)


def _missing(mailbox, box) -> list[int]:
    """On the server, and not in the ledger."""
    known = set(_known(mailbox).values_list("uid", flat=True))
    return _in_order(mailbox, set(map(int, box.uids(MEANT_FOR_US))) - known)


def _in_order(mailbox, uids: set[int]) -> list[int]:
    """Those that broke a conversation come last, and of them the one that did it last."""
    return sorted(uids.difference(mailbox.broken_uids)) + [
        uid for uid in mailbox.broken_uids if uid in uids
    ]


def _taken(mailbox, box, uids, refused, until) -> Iterator[bool]:
    """Take mails off ``uids`` as long as there is time, and say of each whether it was stored. What
    the server said of those it refuses is written into ``refused``."""
    ends_at = min(until, time.monotonic() + TURN)
    while uids:
        try:
            is_stored = _take(mailbox, box, uids[0])
        except MailboxFetchError as refusal:
            refused[uids[0]] = refusal
        else:
            ends_at = until
            yield is_stored
        del uids[0]
        if time.monotonic() >= ends_at:
            return


def _take(mailbox, box, uid) -> bool:
    """Of what is far too large only the head; the mail itself stays on the server as it is. False
    if there was nothing to store. Raises BrokenAgain, and MailboxFetchError if it is refused."""
    try:
        size = _size_of(box, uid)
        is_whole = size <= ledger.max_stored_bytes()
        raw = _part_of(box, uid, "BODY.PEEK[]" if is_whole else "BODY.PEEK[HEADER]")
    except MailboxFetchError:
        _note(mailbox)
        raise
    except TROUBLE as trouble:
        _note_breach(mailbox, uid, trouble)
        raise
    mailbox.broken_uids = [each for each in mailbox.broken_uids if each != uid]
    if raw is None:  # somebody took it away
        _note(mailbox)
        return False
    mailbox.last_uid = max(mailbox.last_uid, uid)
    try:
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
            _note(mailbox, **_place_in(mailbox))
    except IntegrityError:
        if not _known(mailbox).filter(uid=uid).exists():
            raise
        return False  # somebody else stored it meanwhile
    fault("before_inbound_tidy")
    return True


def _note_breach(mailbox, uid, trouble):
    """Raises BrokenAgain unless it is the first, for which the network may have been the cause."""
    others = [each for each in mailbox.broken_uids if each != uid]
    is_first = others == mailbox.broken_uids
    mailbox.broken_uids = [*others, uid]
    if is_first:
        _note(mailbox, **_place_in(mailbox), reconciled_at=None)
        return
    logger.warning("Mail %s in mailbox %s can't be fetched: %s", uid, mailbox.pk, trouble)
    raise BrokenAgain from trouble


def _note_refused(mailbox, refused: dict[int, MailboxFetchError], *, is_all) -> bool:
    """Whether the next poll is to try them once more. Raises what the server said if it refused
    all it was asked for: then it is not because of these mails."""
    is_first = not refused.keys() <= set(mailbox.broken_uids)
    if is_first and is_all:
        raise next(iter(refused.values()))
    others = [uid for uid in mailbox.broken_uids if uid not in refused]
    mailbox.broken_uids = [*others, *refused]
    if is_first:
        mailbox.reconciled_at = None
    else:
        mailbox.last_uid = max([mailbox.last_uid, *refused])
    return is_first


def _size_of(box, uid) -> int:
    answer = _asked(box, uid, "RFC822.SIZE")
    words = b" ".join(line for line in answer if isinstance(line, bytes))
    found = re.search(rb"RFC822\.SIZE (\d+)", words)
    return int(found[1]) if found else 0


def _part_of(box, uid, part) -> bytes | None:
    """Servers may say something of other mails among it (RFC 3501, 7), before or after theirs."""
    answer = _asked(box, uid, part)
    for line, rest in zip(answer, [*answer[1:], b""], strict=True):
        if isinstance(line, tuple):
            named = re.search(rb"\bUID (\d+)", line[0] + (rest if isinstance(rest, bytes) else b""))
            if not named or int(named[1]) == uid:
                return line[1]
    return None


def _asked(box, uid, what) -> list:
    """Raises MailboxFetchError if the server says no, as when it was asked for too much."""
    answer = box.client.uid("FETCH", str(uid), f"({what})")
    check_command_status(answer, MailboxFetchError)
    return answer[1]

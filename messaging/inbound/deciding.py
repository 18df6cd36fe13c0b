"""What becomes of a mail. One function over facts, which can be read aloud; nothing here asks the
database. ``docs/mail-in.md`` tells it to operators."""

import re
from dataclasses import dataclass
from itertools import chain
from urllib.parse import unquote

from django.conf import settings

from accounts.models import Role, Standing, User
from messaging.models import Fate, InboundMail, Reason, SenderRule
from tickets.mail_addresses import named_in_address
from tickets.models import Ticket
from tickets.workflow import CUSTOMERS, HANDLERS, Part

from .headers import addresses_in
from .parsed import Parsed

STAFF_PATHS = ("/workspace/", "/stop-mails/")
MAX_COMPARED = 200_000  # characters of an answer
SURELY_REPEATED = 20  # characters of a line: shorter ones may be the same by chance
Verdict = SenderRule.Verdict
_INNER = re.compile(r"\w(?:.*\w)?", re.DOTALL)


@dataclass(frozen=True)
class Facts:
    """What we know beside what the mail says."""

    first: InboundMail | None = None  # the same mail, when it came before
    is_ours: bool = False  # sent by ourselves
    rule: str = ""  # a SenderRule's verdict
    person: User | None = None  # who has the sender's address
    # The ticket named by an address or a Message-ID of ours, if that was made for this person.
    ticket: Ticket | None = None
    part: Part | None = None  # what the person is to it
    said: str = ""  # to a person of the staff: what is not theirs to publish, without white space
    is_freed: bool = False  # by an administrator, who has looked at it

    @property
    def is_staff(self) -> bool:
        return self.person is not None and self.person.role != Role.CUSTOMER


@dataclass(frozen=True)
class Decision:
    fate: Fate
    reason: Reason | str = ""
    reopens: bool = False
    follows_up: bool = False


def decide(mail: Parsed, facts: Facts) -> Decision:
    # Nobody is answered, whoever it is from.
    if facts.first:
        return Decision(Fate.REPEATED)
    if mail.bounce:
        return Decision(Fate.IGNORED, Reason.BOUNCE)
    if facts.is_ours:
        return Decision(Fate.IGNORED, Reason.LOOP)

    # What an administrator may overrule.
    if not facts.is_freed:
        if facts.rule == Verdict.BLOCK:
            return Decision(Fate.HELD if facts.is_staff else Fate.IGNORED, Reason.BLOCKED)
        if mail.automatic:
            return Decision(Fate.IGNORED, Reason.AUTOMATIC)
        if mail.is_spam and facts.rule != Verdict.LET_IN:
            return Decision(Fate.HELD, Reason.SPAM)
        if mail.has_several_senders:
            return Decision(Fate.HELD, Reason.SEVERAL)

    if not mail.sender:
        return Decision(Fate.HELD, Reason.NO_SENDER)
    if facts.person is None:
        return Decision(Fate.TICKETED)
    if (
        facts.person.standing not in (Standing.ACTIVE, Standing.UNCLAIMED)
        or facts.person.deleted_at
    ):
        return Decision(Fate.HELD, Reason.SHUT)
    if facts.is_staff:
        return _from_staff(mail, facts)
    return _from_customer(facts)


def _from_staff(mail, facts) -> Decision:
    """A From header proves nobody. Whoever answers a mail that only they got, may."""
    if mail.failed_authentication and not facts.is_freed:
        return Decision(Fate.HELD, Reason.STAFF)
    if facts.part in CUSTOMERS:  # of a complaint of their own they are nothing more
        return _from_customer(facts)
    if facts.part in HANDLERS and facts.ticket.is_chat_open:
        if is_clear(mail, facts.said):
            return Decision(Fate.APPENDED)
        return Decision(Fate.HELD, Reason.UNCLEAR)  # whoever lets it through can't tell either
    if facts.ticket:
        return Decision(Fate.HELD, Reason.NOT_THEIRS)
    if facts.is_freed:
        return Decision(Fate.TICKETED)  # a complaint of their own
    return Decision(Fate.HELD, Reason.STAFF)


def is_clear(mail: Parsed, said: str = "") -> bool:
    """Some words are the sender's own, and nothing among them is said by our mails to staff only,
    or in ``said``: quotes that have no marks, or others, or lost them where a program wrapped them.

    More than ``MAX_COMPARED`` is not compared, as the ticket, or all of SQLite, waits meanwhile.
    """
    if max(len(mail.own), sum(map(len, chain.from_iterable(mail.wrapped)))) > MAX_COMPARED:
        return False
    pairs = [(above, below) for above, below in mail.wrapped if above and not _is_of_ours(above)]
    lines = {_unmarked(squeezed(line)) for line in [*mail.own.splitlines(), *map("".join, pairs)]}
    return not (
        (mail.text and not mail.own)
        or any(map(_is_of_ours, [mail.own, *lines]))
        or any(line in said for line in lines if len(line) >= SURELY_REPEATED)
    )


def _is_of_ours(words: str) -> bool:
    """Whether they hold a link or an address that only our mails to staff name."""
    words = unquote(words).lower()  # links may be wrapped into others
    links = (f"{settings.SITE_URL}{path}".lower() for path in STAFF_PATHS)
    addresses = map(named_in_address, addresses_in(words))
    return any(link in words for link in links) or any(addresses)


def squeezed(words: str) -> str:
    return "".join(words.split())


def _unmarked(line: str) -> str:
    """Without what a program that does not quote with ">" puts around what it quotes."""
    inner = _INNER.search(line)
    return inner[0] if inner else ""


def _from_customer(facts) -> Decision:
    ticket = facts.ticket
    if ticket is None or facts.part not in CUSTOMERS:
        return Decision(Fate.TICKETED)
    is_requester = facts.part == Part.REQUESTER
    if is_requester and ticket.may_be_reopened:
        return Decision(Fate.APPENDED, reopens=True)
    if ticket.is_chat_open:
        return Decision(Fate.APPENDED)
    return Decision(Fate.TICKETED, follows_up=is_requester)

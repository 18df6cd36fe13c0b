"""What becomes of a mail. One function over facts, which can be read aloud; nothing here asks the
database. ``docs/mail-in.md`` tells it to operators."""

from dataclasses import dataclass

from accounts.models import Role, Standing, User
from messaging.models import Fate, InboundMail, Reason, SenderRule
from tickets.models import Ticket
from tickets.workflow import CUSTOMERS, HANDLERS, Part

from .parsed import Parsed

Verdict = SenderRule.Verdict


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
    is_freed: bool = False  # by an administrator, who has looked at it


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
            return Decision(Fate.IGNORED, Reason.BLOCKED)
        if mail.automatic:
            return Decision(Fate.IGNORED, Reason.AUTOMATIC)
        if mail.is_spam and facts.rule != Verdict.LET_IN:
            return Decision(Fate.HELD, Reason.SPAM)

    if not mail.sender:
        return Decision(Fate.HELD, Reason.NO_SENDER)
    if facts.person is None:
        return Decision(Fate.TICKETED)
    if (
        facts.person.standing not in (Standing.ACTIVE, Standing.UNCLAIMED)
        or facts.person.deleted_at
    ):
        return Decision(Fate.HELD, Reason.SHUT)
    if facts.person.role != Role.CUSTOMER:
        return _from_staff(mail, facts)
    return _from_customer(facts)


def _from_staff(mail, facts) -> Decision:
    """A From header proves nobody. Whoever answers a mail that only they got, may."""
    is_believed = facts.is_freed or not mail.failed_authentication
    if facts.part in HANDLERS and facts.ticket.is_chat_open and is_believed:
        return Decision(Fate.APPENDED)
    if facts.is_freed and facts.part not in HANDLERS:
        return Decision(Fate.TICKETED)  # a complaint of their own
    return Decision(Fate.HELD, Reason.STAFF)


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

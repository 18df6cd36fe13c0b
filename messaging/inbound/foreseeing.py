"""What comes of a held mail if an administrator lets it through, told before they do."""

from django.utils.translation import gettext as _

from messaging.models import Fate, InboundMail, Reason
from tickets.workflow import HANDLERS

from .deciding import Decision, Facts, decide
from .parsed import Parsed

JUDGED = (Fate.HELD, Fate.IGNORED)  # by all that they say; of others not even that is known
# Letting it through does not overrule these.
STILL_THERE = (Reason.BOUNCE, Reason.LOOP, Reason.TOO_MANY, Reason.REFUSED)


def foresee(mail: InboundMail) -> str:
    """By what its row knows, without reading it once more; empty if that does not suffice."""
    if mail.fate not in JUDGED or mail.reason in STILL_THERE:
        return ""
    home = mail.ticket and mail.ticket.home
    ticket = home if home and not home.deleted_at else None
    part = ticket and ticket.part_by_mail(mail.person)
    facts = Facts(person=mail.person, ticket=ticket, part=part, is_freed=True)
    own = "" if mail.reason == Reason.UNCLEAR else "?"
    decision = decide(Parsed(sender=mail.sender, text="?", own=own), facts)
    why = Reason(decision.reason).label if decision.reason else ""
    known = {"name": mail.person or mail.sender, "ticket": ticket, "why": why}
    return _told(decision, facts) % known


def _told(decision: Decision, facts: Facts) -> str:
    if decision.fate == Fate.HELD:
        return _("It would be held again. %(why)s.")
    if decision.fate == Fate.APPENDED:
        return _told_of_answer(decision, facts)
    if decision.follows_up:
        return _("It becomes a new ticket of %(name)s, which follows up %(ticket)s.")
    if facts.is_staff:
        return _(
            "It becomes a ticket of %(name)s’s own, whatever number its subject has. No customer "
            "gets it: only what answers a mail that %(name)s alone got is passed on."
        )
    return _("It becomes a ticket of %(name)s.")


def _told_of_answer(decision, facts) -> str:
    if facts.part in HANDLERS:
        return _(
            "It becomes an answer of %(name)s on %(ticket)s, which the customer gets, if what is "
            "new in it can be told from what it quotes."
        )
    if decision.reopens:
        return _("It becomes an answer of %(name)s on %(ticket)s, which it opens again.")
    return _("It becomes an answer of %(name)s on %(ticket)s.")

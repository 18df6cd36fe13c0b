"""By when others owe the next step of a ticket, and what its requester reads of it all.

By when we owe an answer is reckoned in ``sla``.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..wording import by_when, day
from ..workflow import Status
from . import away, sla

REASON_LENGTH = 400  # characters of a reason in the promise


def requester_due(since: datetime) -> datetime:
    return since + timedelta(days=settings.WAITING_DAYS)


def closing_due(since: datetime) -> datetime:
    return since + timedelta(days=settings.CLOSE_AFTER_DAYS)


# Where silence ends something; any word begins it anew.
SILENCES = {Status.WAITING: requester_due, Status.RESOLVED: closing_due}


def hold_due(until) -> datetime:
    """The end of the day on which a hold ends."""
    return timezone.make_aware(datetime.combine(until, time(23, 59)))


@dataclass(frozen=True)
class Promise:
    """What a requester reads first on their ticket: who has it, what comes next and by when.

    ``strong`` and ``rest`` make the first line, ``sub`` the second; ``label`` and ``by`` stand
    on the tail of the stub. ``mood`` is the CSS modifier: "", "turn" or "done". ``until`` says in a
    mail, which has no stub, what ``sub`` leaves open.
    """

    strong: str
    rest: str
    sub: str
    label: str
    by: str
    mood: str = ""
    until: str = ""


def promise_of(ticket) -> Promise:
    """The promise of ``ticket`` (loaded ``with_promise``), in the requester's words."""
    return _SENTENCES[ticket.status](ticket)


def _reason(ticket) -> str:
    """The words that came with the last move. The whole of them stands in the conversation."""
    words = ticket.status_event.text
    return Truncator(words).chars(REASON_LENGTH) if len(words) > REASON_LENGTH else words


IN_CONVERSATION = gettext_lazy("The question is in the conversation.")
NOTHING_TO_DO = gettext_lazy("You don’t need to do anything.")


def _answer(ticket, kept: str, label: str, next_step: str) -> Promise:
    """A promise of an answer, or the words for one that was missed."""
    missed = ticket.due_at < timezone.now()
    by = by_when(sla.renewed(ticket) if missed else ticket.due_at)
    return Promise(
        strong=_("This is taking longer than we said.") if missed else kept,
        rest=next_step % {"by": by},
        sub=_("We’re sorry. You don’t need to chase us.") if missed else NOTHING_TO_DO,
        label=label,
        by=by,
    )


def _new(ticket):
    return _answer(
        ticket,
        kept=_("We have your ticket."),
        label=_("An agent answers by"),
        next_step=_("An agent will answer by %(by)s."),
    )


def _open(ticket):
    if ticket.assignee is None:
        return _answer(
            ticket,
            kept=_("Your ticket is back with our team."),
            label=_("An agent answers by"),
            next_step=_("An agent will answer by %(by)s."),
        )
    is_shut = away.back_at(ticket, timezone.now())
    words = _("%(name)s has your ticket.") if is_shut else _("%(name)s is working on it.")
    return _answer(
        ticket,
        kept=words % {"name": ticket.assignee.first_name},
        label=_("You’ll hear by"),
        next_step=_("You’ll hear by %(by)s."),
    )


def _waiting(ticket):
    closes = settings.WAITING_DAYS and not ticket.legal_due_at
    until = _("The ticket stays open for that until %(day)s.")
    return Promise(
        strong=_("%(name)s needs your answer.") % {"name": ticket.moved_by},
        rest=_reason(ticket) or IN_CONVERSATION,
        sub=_("The clock is stopped until you answer."),
        label=_("Stays open for your answer until"),
        by=day(ticket.due_at) if closes else _("you give it"),
        mood="turn",
        until=until % {"day": day(ticket.due_at)} if closes else "",
    )


def _hold(ticket):
    next_step = _("You’ll hear by %(by)s.")
    if ticket.due_at < timezone.now():
        return _answer(ticket, kept="", label=_("You’ll hear by"), next_step=next_step)
    until = day(ticket.due_at)
    return Promise(
        strong=_reason(ticket),
        rest=_("Expected by %(day)s.") % {"day": until},
        sub=_("We’ll write to you by then either way."),
        label=_("You’ll hear by"),
        by=until,
    )


def _resolved(ticket):
    return Promise(
        strong=_("%(name)s marked this resolved.") % {"name": ticket.moved_by},
        rest=_reason(ticket),
        sub=_("If it isn’t fixed, open it again. Otherwise you don’t need to do anything."),
        label=_("Resolved on"),
        by=day(ticket.resolved_at),
        mood="done",
    )


def _closed(ticket):
    again = _("You can open it again until %(day)s.") % {"day": day(ticket.reopen_until)}
    return Promise(
        strong=_("Closed on %(day)s.") % {"day": day(ticket.closed_at)},
        rest=again if ticket.may_be_reopened else _("Raise a new ticket if it comes back."),
        sub=NOTHING_TO_DO,
        label=_("Closed on"),
        by=day(ticket.closed_at),
        mood="done",
    )


def _withdrawn(ticket):
    by_requester = ticket.status_event.actor_id == ticket.requester_id
    words = _("You withdrew this on %(day)s.") if by_requester else _("Withdrawn on %(day)s.")
    return Promise(
        strong=words % {"day": day(ticket.closed_at)},
        rest="",
        sub=_("Raise a new ticket if you need us after all."),
        label=_("Withdrawn on"),
        by=day(ticket.closed_at),
    )


_SENTENCES = {
    Status.NEW: _new,
    Status.OPEN: _open,
    Status.WAITING: _waiting,
    Status.HOLD: _hold,
    Status.RESOLVED: _resolved,
    Status.CLOSED: _closed,
    Status.WITHDRAWN: _withdrawn,
}

"""When the clock has to look at a ticket. What it does then stands in ``clockwork``.

Each moment is reckoned from the row, a warning with the calendar of its service level too, so
that whatever changes the row moves it. Those up to ``clocked_until`` have been seen to.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings

from ..promise import sla
from ..workflow import LIVE, OURS, Status


def _waiting_over(ticket):
    """Its requester did not answer. Silence settles nothing that the law wants answered."""
    if ticket.status == Status.WAITING and settings.WAITING_DAYS and not ticket.legal_due_at:
        return ticket.due_at
    return None


def _closing(ticket):
    return ticket.closes_at


def _reminder_of(end):
    """The requester is told that the ``end`` comes."""

    def moment(ticket):
        ends_at = end(ticket)
        if ends_at and settings.REMIND_DAYS_BEFORE:
            return ends_at - timedelta(days=settings.REMIND_DAYS_BEFORE)
        return None

    return moment


def _hold_over(ticket):
    return ticket.due_at if ticket.status == Status.HOLD else None


def _unassigned(ticket):
    """Nobody has taken it."""
    if ticket.assignee_id or ticket.status not in OURS or not settings.UNASSIGNED_HOURS:
        return None
    return ticket.pooled_at + timedelta(hours=settings.UNASSIGNED_HOURS)


def warned_at(ticket, due_at: datetime | None) -> datetime | None:
    """When it gets close, in the opening hours in which it was promised; None: nobody is warned."""
    if due_at is None or ticket.warn_before is None:
        return None
    return sla.terms_of(ticket).hours.subtract(due_at, ticket.warn_before)


def _answer_at_risk(ticket):
    return warned_at(ticket, ticket.due_at) if ticket.status in OURS else None


def _answer_missed(ticket):
    return ticket.due_at if ticket.status in OURS else None


def _solution_at_risk(ticket):
    return warned_at(ticket, ticket.resolve_by) if ticket.status in OURS else None


def _solution_missed(ticket):
    return ticket.resolve_by if ticket.status in OURS else None


# The law does not wait for anybody, nor does it stop while a ticket is on hold.


def _legal_at_risk(ticket):
    return ticket.legal_warn_at if ticket.status in LIVE else None


def _legal_missed(ticket):
    return ticket.legal_due_at if ticket.status in LIVE else None


MOMENTS: dict[str, Callable[[object], datetime | None]] = {
    "answer_at_risk": _answer_at_risk,
    "answer_missed": _answer_missed,
    "solution_at_risk": _solution_at_risk,
    "solution_missed": _solution_missed,
    "legal_at_risk": _legal_at_risk,
    "legal_missed": _legal_missed,
    "unassigned": _unassigned,
    "waiting_reminder": _reminder_of(_waiting_over),
    "waiting_over": _waiting_over,
    "closing_reminder": _reminder_of(_closing),
    "closing": _closing,
    "hold_over": _hold_over,
}


def moments_of(ticket) -> list[tuple[datetime, str]]:
    """What the clock has still to see to, and when, the next first."""
    if ticket.merged_into_id:
        return []
    found = [(moment(ticket), name) for name, moment in MOMENTS.items()]
    return sorted((at, name) for at, name in found if at and at > ticket.clocked_until)


def wakes_at(ticket) -> datetime | None:
    return next((at for at, _name in moments_of(ticket)), None)

"""When the clock has to look at a ticket. What it does then stands in ``clockwork``.

Each moment is reckoned from the row alone, so that whatever changes the row moves it too. Those
up to ``clocked_until`` have been seen to.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings

from .workflow import OURS, Status


def _waiting_over(ticket):
    """Its requester did not answer."""
    if ticket.status == Status.WAITING and settings.WAITING_DAYS:
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


def _answer_at_risk(ticket):
    if ticket.status in OURS and ticket.warn_before:
        return ticket.due_at - ticket.warn_before
    return None


def _answer_missed(ticket):
    return ticket.due_at if ticket.status in OURS else None


def _solution_at_risk(ticket):
    if ticket.status in OURS and ticket.warn_before and ticket.resolve_by:
        return ticket.resolve_by - ticket.warn_before
    return None


def _solution_missed(ticket):
    return ticket.resolve_by if ticket.status in OURS else None


MOMENTS: dict[str, Callable[[object], datetime | None]] = {
    "answer_at_risk": _answer_at_risk,
    "answer_missed": _answer_missed,
    "solution_at_risk": _solution_at_risk,
    "solution_missed": _solution_missed,
    "unassigned": _unassigned,
    "waiting_reminder": _reminder_of(_waiting_over),
    "waiting_over": _waiting_over,
    "closing_reminder": _reminder_of(_closing),
    "closing": _closing,
    "hold_over": _hold_over,
}


def moments_of(ticket) -> list[tuple[datetime, str]]:
    """What the clock has still to see to, and when, the next first."""
    found = [(moment(ticket), name) for name, moment in MOMENTS.items()]
    return sorted((at, name) for at, name in found if at and at > ticket.clocked_until)


def wakes_at(ticket) -> datetime | None:
    return next((at for at, _name in moments_of(ticket)), None)

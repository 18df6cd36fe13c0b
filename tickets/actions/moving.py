"""A ticket goes along the workflow. Nothing else changes a status."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from .. import fields
from ..history import lock, mark, write
from ..models import Rule, Ticket, TicketEvent
from ..promise import promises, sla
from ..regulated import complaints
from ..relations import links
from ..signals import ticket_status_changed
from ..workflow import (
    HANDLERS,
    LIVE,
    SETTLED,
    TRANSITIONS,
    Part,
    ResolutionKind,
    Status,
    TransitionRefused,
    next_statuses,
)

Kind = TicketEvent.Kind


@transaction.atomic
def change_status(ticket: Ticket, to: Status, **how) -> TicketEvent:
    """``move`` a ticket that was loaded a while ago; ``how`` are the other words of ``move``.

    Raises TransitionRefused when someone else moved it since, and what ``move`` raises.
    """
    seen = ticket.status
    if to in LIVE:
        lock(ticket)
    else:
        links.lock_to_end(ticket)
    if ticket.status != seen:
        raise TransitionRefused(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    return move(ticket, to, **how)


def move(
    ticket: Ticket,
    to: Status,
    *,
    by: User | None,
    text: str = "",
    resolution: str = "",
    until: date | None = None,
    via: Part | None = None,
    rule: Rule | str = "",
    key: UUID | None = None,
    answers: fields.Answers | None = None,
    part: Part | None = None,
) -> TicketEvent:
    """Move ``ticket``, which is locked, to ``to``, write its history line, tell the other apps.

    ``text`` is the reason of a hold, the words of a resolution, or a word with any other move.
    ``resolution`` is the kind of a resolution, ``until`` the day a hold ends. ``via`` names the
    step that brings the move with it; the table lets assignment and reply move by themselves.
    ``key`` is the one-time key of the form. ``answers`` to the category's questions are kept with
    a resolution. Nobody (``by`` is None) moves it by a ``rule`` of ``clockwork`` or of operators.
    ``part`` is what ``by`` is to the ticket if that was proved without an account.

    Raises DetailsMissing when people resolve it before they know what the category needs to know,
    and TransitionRefused when the table has no such move for ``by`` or a needed word is missing.
    """
    to = Status(to)
    before = Status(ticket.status)
    is_by_requester = by and by.pk == ticket.requester_id
    if ticket.legal_due_at and to in SETTLED and not is_by_requester:
        raise TransitionRefused(_("This complaint needs its final response first."))
    if to in SETTLED and (by or before in LIVE) and not is_by_requester:
        links.refuse_before_parts(ticket)
    allowed = TRANSITIONS.get((before, to), frozenset())
    step = Part.RULE if isinstance(rule, Rule) else Part.CLOCK
    by_account = by and not part
    moves = ticket.next_statuses(by) if by_account else next_statuses(before, part or step)
    if to == before:
        words = _("%(ticket)s is %(status)s already.")
        raise TransitionRefused(words % {"ticket": ticket, "status": before.label.lower()})
    if via not in allowed and to not in moves:
        raise TransitionRefused(
            _("%(ticket)s cannot go from %(before)s to %(after)s.")
            % {"ticket": ticket, "before": before.label, "after": to.label}
        )

    if to == Status.RESOLVED and by:
        fields.complete(ticket, by=by, answers=answers or {})
    now = timezone.now()
    data = {"from": before, "to": to} | ({"why": via} if via else {}) | mark(rule)
    changes = {"status": to} | _CONSEQUENCES[to](ticket, now, data, by, text, resolution, until)
    if text and by and ticket.part_of(by) in HANDLERS:
        changes["last_message_by"] = Part.ASSIGNEE
        changes["first_responded_at"] = ticket.first_responded_at or now
    event = write(ticket, Kind.STATUS, by=by, at=now, data=data, text=text, key=key, **changes)
    if before not in LIVE and to == Status.OPEN:
        complaints.fit(ticket)  # it may be about something the law has rules for by now
    ticket_status_changed.send(sender=Ticket, ticket=ticket, event=event)
    return event


# What else a move does to the row, and what it must bring: by the state moved to.


def _to_open(ticket, now, data, *rest):
    if ticket.status == Status.NEW:
        return {}  # it keeps the promise it was raised with
    if ticket.status in LIVE:
        return sla.resumed(ticket, now) | {"pooled_at": now}
    return sla.promised_anew(ticket, now) | {
        "resolution_kind": "",
        "resolved_at": None,
        "closed_at": None,
        "reopen_count": ticket.reopen_count + 1,
        "pooled_at": now,
    }


def _to_waiting(ticket, now, *rest):
    return sla.paused(ticket, now) | {"due_at": promises.requester_due(now)}


def _to_hold(ticket, now, data, by, text, resolution, until):
    if not (text and until and until >= timezone.localdate()):
        raise TransitionRefused(_("A hold needs a reason and a day to come."))
    data["until"] = until.isoformat()
    return sla.paused(ticket, now) | {"due_at": promises.hold_due(until)}


def _to_resolved(ticket, now, data, by, text, resolution, until):
    if not (text and resolution in ResolutionKind.values):
        raise TransitionRefused(_("Say how it was resolved, and tell the customer."))
    data["resolution"] = resolution
    return sla.paused(ticket, now) | {
        "resolution_kind": resolution,
        "resolved_at": now,
        "due_at": promises.closing_due(now),
    }


def _to_closed(ticket, now, data, by, *rest):
    changes = sla.NOTHING | {"closed_at": now, "due_at": None}
    if not ticket.resolved_at:  # nobody resolved it before
        solved = by and by.pk == ticket.requester_id
        kind = ResolutionKind.SOLVED_BY_CUSTOMER if solved else ResolutionKind.OTHER
        data["resolution"] = kind
        changes |= {"resolution_kind": kind, "resolved_at": now}
    return changes


def _to_withdrawn(ticket, now, *rest):
    return sla.NOTHING | {"closed_at": now, "due_at": None}


_CONSEQUENCES = {
    Status.OPEN: _to_open,
    Status.WAITING: _to_waiting,
    Status.HOLD: _to_hold,
    Status.RESOLVED: _to_resolved,
    Status.CLOSED: _to_closed,
    Status.WITHDRAWN: _to_withdrawn,
}

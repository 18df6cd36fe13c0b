"""The complaint grade: what is done about a regulated complaint, step by step, and by when.

A complaint gets a case when it comes into a category with a procedure. ``Ticket.legal_due_at``
is the next day the law sets, for as long as the final response is owed.
"""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.remembered import Remembered

from ..history import lock, write
from ..models import (
    Audience,
    Category,
    ComplaintCase,
    ComplaintCode,
    ComplaintTrack,
    DayCount,
    EscalationLevel,
    Stage,
    Ticket,
    TicketEvent,
    TicketKind,
)
from ..promise.sla import hours_of
from ..signals import complaint_moved
from ..spoken import changes_by
from ..wording import day
from ..workflow import HANDLERS, TicketRefusal
from . import letters
from .legal_days import LegalDays

Kind = TicketEvent.Kind

NOTHING_DUE = {"legal_due_at": None, "legal_warn_at": None}


def case_of(ticket: Ticket) -> ComplaintCase | None:
    cases = ComplaintCase.objects.select_related("track__calendar", "cause", "remedy")
    return cases.filter(ticket=ticket).first()


def is_answered(ticket: Ticket) -> bool:
    return ComplaintCase.objects.filter(ticket=ticket, stage=Stage.RESPONDED).exists()


has_procedures = Remembered(ComplaintTrack.objects.exists)


# --- Which, and by when -------------------------------------------------------


def track_of(category: Category) -> ComplaintTrack | None:
    """The category's own, or that of the category above it."""
    if category.track_id or category.parent_id is None:
        return category.track
    return category.parent.track


def days_of(track: ComplaintTrack) -> LegalDays:
    return LegalDays(hours_of(track.calendar), only_open=track.days == DayCount.WORKING)


def due_next(case: ComplaintCase, due_at: datetime | None) -> dict:
    """What the clock looks for, as ``history.write`` takes it."""
    if due_at is None:
        return NOTHING_DUE
    warn_at = days_of(case.track).warn(due_at, case.track.warn_before)
    return {"legal_due_at": due_at, "legal_warn_at": warn_at}


def due_once_missed(ticket: Ticket) -> dict:
    """After the day of the acknowledgement that of the final response is still to come."""
    case = case_of(ticket)
    return due_next(case, case.respond_by)


def fit(ticket: Ticket) -> None:
    """Open the case of a complaint that the law has rules for, or drop that of one it has none
    for any more. Once somebody has done something, it stays as it is.

    ``ticket`` is locked, or new.
    """
    track = track_of(ticket.category) if ticket.kind == TicketKind.COMPLAINT else None
    if not ticket.is_live or not (track or ticket.legal_due_at):
        return
    case = case_of(ticket)
    if (case and not case.is_untouched) or track == (case and case.track):
        return
    if case:
        case.delete()
    if track:
        _open(ticket, track)
    else:
        write(ticket, Kind.STAGED, by=None, data={"stage": None}, **NOTHING_DUE)


def _open(ticket, track):
    days = days_of(track)
    since = ticket.created_at
    case = ComplaintCase.objects.create(
        ticket=ticket,
        track=track,
        received_at=since,
        acknowledge_by=days.due(since, track.acknowledge_within),
        respond_by=days.due(since, track.respond_within),
    )
    data = {
        "stage": Stage.RECEIVED,
        "acknowledge_by": case.day_of(case.acknowledge_by).isoformat(),
        "respond_by": case.day_of(case.respond_by).isoformat(),
    }
    write(ticket, Kind.STAGED, by=None, data=data, **due_next(case, case.due_at))


# --- Steps --------------------------------------------------------------------


@transaction.atomic
def advance(
    ticket: Ticket, to: Stage, *, by: User, text: str = "", key: UUID | None = None
) -> TicketEvent:
    """Acknowledge the complaint or begin to investigate it, and tell the customer.

    The same ``key`` twice is one step. Raises TicketRefusal for a step back, and when there are
    no words: only an acknowledgement has some of its own.
    """
    part = _lock_for(ticket, by)
    if first := stepped_before(ticket, key, by):
        return first
    case = _case_before(ticket, to)
    if to == Stage.ACKNOWLEDGED:
        text = text or _acknowledgement(case)
    if not text:
        raise TicketRefusal(_("Tell the customer what you do."))
    return _step(ticket, case, to, part, by=by, text=text, key=key)


def respond(
    ticket: Ticket,
    *,
    by: User,
    text: str,
    cause: ComplaintCode,
    remedy: ComplaintCode,
    key: UUID | None = None,
) -> TicketEvent:
    """Give the final response: words, and the same as a letter. The law asks for no more then.

    The same ``key`` twice is one response. Raises TicketRefusal when there is one already, and
    letters.TakesTooLong.
    """
    if not text:
        raise TicketRefusal(_("Tell the customer what was decided."))
    case = _case_for(ticket)
    case.ticket, case.cause, case.remedy = ticket, cause, remedy
    # Before anything is locked: much in rare scripts may keep the typesetter busy.
    pdf = letters.letter(case, by=by, text=text)
    return _respond(ticket, pdf, by=by, text=text, cause=cause, remedy=remedy, key=key)


@transaction.atomic
def _respond(ticket, pdf, *, by, text, cause, remedy, key) -> TicketEvent:
    addressee = ticket.requester_id
    part = _lock_for(ticket, by)
    if first := stepped_before(ticket, key, by):
        return first
    case = _case_before(ticket, Stage.RESPONDED)
    if ticket.requester_id != addressee:
        raise TicketRefusal(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    _code(ticket, case, cause, remedy, by=by)
    case.responded_by = by
    event = _step(ticket, case, Stage.RESPONDED, part, by=by, text=text, key=key)
    letters.keep(pdf, event)
    return event


def _lock_for(ticket, by):
    """What ``by`` is to the ticket, which is locked: somebody who works on it."""
    lock(ticket)
    part = ticket.part_of(by)
    if part not in HANDLERS or not by.has_perm("tickets.grade_complaint"):
        raise PermissionDenied
    return part


def stepped_before(ticket, key, by) -> TicketEvent | None:
    return ticket.events.filter(key=key, actor=by).first() if key else None


def _case_for(ticket) -> ComplaintCase:
    case = case_of(ticket)
    if case is None:
        raise TicketRefusal(_("The law has no rules for this ticket."))
    return case


def _case_before(ticket, to) -> ComplaintCase:
    """The case, if it can still move on to the stage ``to``."""
    case = _case_for(ticket)
    if not ticket.is_live:
        raise TicketRefusal(_("Nobody works on this ticket any more. Open it again first."))
    if to not in case.next_stages:
        words = _("This complaint is past that step: %(stage)s.")
        raise TicketRefusal(words % {"stage": case.get_stage_display()})
    return case


def _acknowledgement(case) -> str:
    words = _(
        "We have your complaint and will look into it. You get our final response by %(day)s."
    )
    return words % {"day": day(case.day_of(case.respond_by))}


def _step(ticket, case, to, part, *, by, text, key) -> TicketEvent:
    now = timezone.now()
    data = {"from": case.stage, "stage": to}
    case.stage = to
    case.acknowledged_at = case.acknowledged_at or now
    if to == Stage.INVESTIGATING:
        case.investigating_at = now
    elif to == Stage.RESPONDED:
        case.responded_at = now
    case.save()
    said = changes_by(part, ticket, now) | {"message_count": ticket.message_count + 1}
    changes = said | due_next(case, case.due_at)
    event = write(ticket, Kind.STAGED, by=by, at=now, data=data, text=text, key=key, **changes)
    complaint_moved.send(sender=Ticket, ticket=ticket, event=event)
    return event


@transaction.atomic
def escalate(ticket: Ticket, to: EscalationLevel, *, by: User, text: str) -> TicketEvent:
    """Take the complaint further up, or back down. The customer reads why. At any time: who does
    not agree with the final response may turn to somebody outside the company."""
    _lock_for(ticket, by)
    case = _case_for(ticket)
    if to == case.level or not text:
        raise TicketRefusal(_("Choose another level, and say why."))
    data = {"from": case.level, "to": to}
    case.level = to
    case.save()
    event = write(ticket, Kind.ESCALATED, by=by, data=data, text=text)
    complaint_moved.send(sender=Ticket, ticket=ticket, event=event)
    return event


@transaction.atomic
def code(
    ticket: Ticket, *, by: User, cause: ComplaintCode | None, remedy: ComplaintCode | None
) -> TicketEvent | None:
    """Say what the complaint came from and what is done about it, as reports count it. At any
    time, also once it was answered; nothing is written when both are what they were."""
    _lock_for(ticket, by)
    case = _case_for(ticket)
    event = _code(ticket, case, cause, remedy, by=by)
    case.save()
    return event


def _code(ticket, case, cause, remedy, *, by) -> TicketEvent | None:
    data = {}
    for name, chosen in (("cause", cause), ("remedy", remedy)):
        if chosen != getattr(case, name):
            data[name] = [getattr(case, f"{name}_id"), chosen and chosen.pk]
            setattr(case, name, chosen)
    if not data:
        return None
    return write(ticket, Kind.CODED, by=by, audience=Audience.STAFF, data=data)

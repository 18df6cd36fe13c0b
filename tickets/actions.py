"""Verbs that write tickets: the same for page, admin, commands and tests.

Each is one transaction: the ticket's row, its history line and what others owe because of it
are kept together or not at all.
"""

from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from . import promises
from .history import lock, write
from .models import (
    Attachment,
    Audience,
    Category,
    Channel,
    Feedback,
    ReferenceCounter,
    Ticket,
    TicketDraft,
    TicketEvent,
)
from .signals import ticket_assigned, ticket_raised, ticket_rated, ticket_status_changed
from .workflow import (
    HANDLERS,
    LIVE,
    TRANSITIONS,
    AlreadyAssigned,
    Part,
    ResolutionKind,
    Status,
    TicketRefusal,
    TooMany,
    TransitionRefused,
)

Kind = TicketEvent.Kind


@transaction.atomic
def raise_ticket(
    *,
    by: User,
    category: Category,
    subject: str,
    description: str,
    draft_key: UUID | None = None,
    requester: User | None = None,
    channel: Channel = Channel.WEB,
    **details,
) -> Ticket:
    """Register a complaint of ``by``, or of ``requester`` who told it to ``by``.

    ``details`` are the other fields of the form. A draft makes one ticket: asked again with the
    same ``draft_key``, the first one is returned. Files that waited in the draft go with it.
    Raises TooMany past the hourly limit, which is for people who write themselves.
    """
    requester = requester or by
    if requester != by and not (by.has_perm("tickets.raise_for_others") and requester.is_approved):
        raise PermissionDenied
    if draft_key:
        # Taking the draft away is the claim: the second of two clicks finds nothing to take.
        TicketDraft.objects.filter(key=draft_key, owner=by).delete()
        if first := Ticket.objects.filter(draft_key=draft_key, requester=by).first():
            return first
    # Taken first: its lock makes simultaneous tickets wait for each other, so the limit holds.
    reference = ReferenceCounter.next_reference()
    if requester == by and _has_raised_many(by):
        raise TooMany(_("You have raised many tickets within an hour. Try again a little later."))
    now = timezone.now()
    ticket = Ticket.objects.create(
        reference=reference,
        requester=requester,
        category=category,
        subject=subject,
        due_at=promises.answer_due(now),
        created_at=now,
        draft_key=draft_key,
        **details,
    )
    event = write(
        ticket,
        Kind.RAISED,
        by=by,
        at=now,
        data={"category": category.pk, "priority": ticket.priority, "channel": channel},
        text=description,
        last_message_by=Part.REQUESTER,
        message_count=1,
    )
    if draft_key:
        Attachment.objects.waiting_in(draft_key, by).update(event=event, draft_key=None)
    ticket_raised.send(sender=Ticket, ticket=ticket, event=event)
    return ticket


def _has_raised_many(person) -> bool:
    since = timezone.now() - timedelta(hours=1)
    recent = Ticket.objects.filter(requester=person, created_at__gte=since).order_by()
    return recent[: settings.TICKETS_PER_HOUR].count() >= settings.TICKETS_PER_HOUR


@transaction.atomic
def change_status(
    ticket: Ticket,
    to: Status,
    *,
    by: User,
    text: str = "",
    resolution: str = "",
    until: date | None = None,
    via: Part | None = None,
    key: UUID | None = None,
) -> TicketEvent:
    """Move ``ticket`` to ``to``, write its history line, tell the other apps.

    ``text`` is the reason of a hold, the words of a resolution, or a word with any other move.
    ``resolution`` is the kind of a resolution, ``until`` the day a hold ends. ``via`` names the
    step that brings the move with it; the table lets assignment and reply move by themselves.
    ``key`` is the one-time key of the form.

    Raises TransitionRefused when the table has no such move for ``by``, when a needed word is
    missing, or when someone else moved the ticket after ``ticket`` was loaded.
    """
    to = Status(to)
    seen = ticket.status
    lock(ticket)
    if ticket.status != seen:
        raise TransitionRefused(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    before = Status(ticket.status)
    allowed = TRANSITIONS.get((before, to), frozenset())
    if via not in allowed and to not in ticket.next_statuses(by):
        raise TransitionRefused(
            _("%(ticket)s cannot go from %(before)s to %(after)s.")
            % {"ticket": ticket, "before": before.label, "after": to.label}
        )

    now = timezone.now()
    data = {"from": before, "to": to} | ({"why": via} if via else {})
    changes = {"status": to} | _CONSEQUENCES[to](ticket, now, data, by, text, resolution, until)
    if text and ticket.part_of(by) in HANDLERS:
        changes["last_message_by"] = Part.ASSIGNEE
        changes["first_responded_at"] = ticket.first_responded_at or now
    event = write(ticket, Kind.STATUS, by=by, at=now, data=data, text=text, key=key, **changes)
    ticket_status_changed.send(sender=Ticket, ticket=ticket, event=event)
    return event


# What else a move does to the row, and what it must bring: by the state moved to.


def _to_open(ticket, now, data, *rest):
    if ticket.status == Status.NEW:
        return {}  # it keeps the promise it was raised with
    changes = {"due_at": promises.answer_due(now)}
    if ticket.status not in LIVE:
        changes |= {
            "resolution_kind": "",
            "resolved_at": None,
            "closed_at": None,
            "reopen_count": ticket.reopen_count + 1,
        }
    return changes


def _to_waiting(ticket, now, *rest):
    return {"due_at": promises.requester_due(now)}


def _to_hold(ticket, now, data, by, text, resolution, until):
    if not (text and until and until >= timezone.localdate()):
        raise TransitionRefused(_("A hold needs a reason and a day to come."))
    data["until"] = until.isoformat()
    return {"due_at": promises.hold_due(until)}


def _to_resolved(ticket, now, data, by, text, resolution, until):
    if not (text and resolution in ResolutionKind.values):
        raise TransitionRefused(_("Say how it was resolved, and tell the customer."))
    data["resolution"] = resolution
    return {
        "resolution_kind": resolution,
        "resolved_at": now,
        "due_at": promises.closing_due(now),
    }


def _to_closed(ticket, now, data, by, *rest):
    changes = {"closed_at": now, "due_at": None}
    if not ticket.resolved_at:  # nobody resolved it before
        solved = by.pk == ticket.requester_id
        kind = ResolutionKind.SOLVED_BY_CUSTOMER if solved else ResolutionKind.OTHER
        data["resolution"] = kind
        changes |= {"resolution_kind": kind, "resolved_at": now}
    return changes


def _to_withdrawn(ticket, now, *rest):
    return {"closed_at": now, "due_at": None}


_CONSEQUENCES = {
    Status.OPEN: _to_open,
    Status.WAITING: _to_waiting,
    Status.HOLD: _to_hold,
    Status.RESOLVED: _to_resolved,
    Status.CLOSED: _to_closed,
    Status.WITHDRAWN: _to_withdrawn,
}


@transaction.atomic
def assign(ticket: Ticket, *, to: User, by: User) -> TicketEvent:
    """Give ``ticket`` to the agent ``to``; a new ticket is opened by it.

    Administrators assign any live ticket, its agent hands it over, an agent of its pool takes it.
    Raises AlreadyAssigned when somebody was quicker, TicketRefusal when it can't be theirs.
    """
    seen = ticket.assignee_id
    # Asked anew and held, so that nobody gets a ticket while they leave. The person comes before
    # the ticket, as in people.suspend: each waits for the other in one order.
    agents = User.objects.agents().select_for_update(no_key=True)
    is_at_work = agents.filter(pk=to.pk).exists()
    lock(ticket)
    if ticket.assignee_id != seen:
        raise AlreadyAssigned(
            _("%(ticket)s is already assigned to %(agent)s.")
            % {"ticket": ticket, "agent": ticket.assignee}
        )
    part = ticket.part_of(by)
    takes = part == Part.POOL and to.pk == by.pk
    if not (by.has_perm("tickets.assign_ticket") and (part in HANDLERS or takes)):
        raise PermissionDenied
    if ticket.status not in LIVE:
        raise TicketRefusal(
            _("%(ticket)s is %(status)s. Open it again to assign it.")
            % {"ticket": ticket, "status": ticket.get_status_display().lower()}
        )
    if not is_at_work or to.pk == ticket.requester_id:
        raise TicketRefusal(_("%(person)s can't be given this ticket.") % {"person": to})
    if to.pk == ticket.assignee_id:
        raise AlreadyAssigned(
            _("%(ticket)s is already assigned to %(agent)s.") % {"ticket": ticket, "agent": to}
        )
    event = write(
        ticket,
        Kind.ASSIGNED,
        by=by,
        data={"from": ticket.assignee_id, "to": to.pk},
        assignee=to,
    )
    ticket_assigned.send(sender=Ticket, ticket=ticket, event=event)
    if ticket.status == Status.NEW:
        change_status(ticket, Status.OPEN, by=by, via=Part.ASSIGNMENT)
    return event


@transaction.atomic
def release(ticket: Ticket, *, by: User) -> TicketEvent | None:
    """Take ``ticket`` from an agent who is none any more, so that whoever may can take it.

    It stays where it stands, and so does what was promised. ``by`` is who let the agent go: that
    may be the requester, to whom the ticket gives no say in who has it. Nothing is written when
    its agent is at work.
    """
    lock(ticket)
    agent = ticket.assignee
    if agent is None or (agent.is_approved and agent.is_agent):
        return None
    data = {"from": agent.pk, "to": None}
    return write(ticket, Kind.ASSIGNED, by=by, data=data, assignee=None)


@transaction.atomic
def classify(ticket: Ticket, *, by: User, priority: str, category: Category) -> TicketEvent | None:
    """Set priority and category; nothing is written when both are what they were."""
    lock(ticket)
    if ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    changes = {}
    data = {}
    if priority != ticket.priority:
        changes["priority"] = priority
        data["priority"] = [ticket.priority, priority]
    if category.pk != ticket.category_id:
        changes["category"] = category
        data["category"] = [ticket.category_id, category.pk]
    if not changes:
        return None
    event = write(ticket, Kind.CLASSIFIED, by=by, data=data, audience=Audience.STAFF, **changes)
    return event


@transaction.atomic
def rate(ticket: Ticket, *, by: User, rating: int, comment: str = "") -> Feedback:
    """Keep the requester's rating of how the ticket was handled, once each time it ended.

    A rating settles a resolved ticket: it closes.
    """
    lock(ticket)
    if ticket.part_of(by) != Part.REQUESTER:
        raise PermissionDenied
    if not ticket.may_be_rated:
        raise TicketRefusal(_("This ticket can't be rated now."))
    feedback = Feedback.objects.create(
        ticket=ticket,
        round=ticket.reopen_count,
        rating=rating,
        comment=comment,
        agent=ticket.assignee,
    )
    write(ticket, Kind.RATED, by=by, data={"rating": rating}, text=comment)
    ticket_rated.send(sender=Ticket, ticket=ticket, feedback=feedback)
    if ticket.status == Status.RESOLVED:
        change_status(ticket, Status.CLOSED, by=by)
    return feedback


@transaction.atomic
def bin_ticket(ticket: Ticket, *, by: User) -> None:
    """Take ``ticket`` out of every list. Its history stays and it can be restored."""
    _set_deleted(ticket, timezone.now(), Kind.BINNED, by)


@transaction.atomic
def restore_ticket(ticket: Ticket, *, by: User) -> None:
    _set_deleted(ticket, None, Kind.RESTORED, by)


def _set_deleted(ticket, deleted_at, kind, by):
    if not by.has_perm("tickets.bin_ticket") or ticket.requester_id == by.pk:
        raise PermissionDenied
    lock(ticket)
    if bool(ticket.deleted_at) != bool(deleted_at):
        write(ticket, kind, by=by, audience=Audience.STAFF, deleted_at=deleted_at)

"""Verbs that write tickets: the same for page, admin, commands and tests.

Each is one transaction: the ticket's row, its history line and what others owe because of it
are kept together or not at all.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.customers import is_customer
from accounts.models import User

from . import fields
from .history import lock, mark, write
from .models import (
    Attachment,
    Audience,
    Category,
    Channel,
    Feedback,
    ReferenceCounter,
    Rule,
    Ticket,
    TicketDraft,
    TicketEvent,
)
from .promise import promises, sla
from .regulated import complaints
from .relations import links
from .signals import (
    promise_moved,
    ticket_assigned,
    ticket_raised,
    ticket_rated,
    ticket_status_changed,
)
from .workflow import (
    HANDLERS,
    LIVE,
    OURS,
    SETTLED,
    TRANSITIONS,
    AlreadyAssigned,
    Part,
    ResolutionKind,
    Status,
    TicketRefusal,
    TooMany,
    TransitionRefused,
    next_statuses,
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
    priority: str = "",
    answers: fields.Answers | None = None,
    about: str = "",
    how: dict | None = None,
    **details,
) -> Ticket:
    """Register a complaint of ``by``, or of ``requester`` who told it to ``by``.

    Without a ``priority`` it has the one that is usual in its category, whose questions have these
    ``answers``. ``about`` is the number of a ticket of theirs that ended and that this one follows
    up; ``how`` is what its first line says of the way it came, besides the ``channel``;
    ``details`` are the other fields of the form. A draft makes one ticket: asked again with
    the same ``draft_key``, the first one is returned. Files that waited in the draft go with it.
    Raises TooMany past the hourly limit, which is for people who write themselves.
    """
    requester = requester or by
    if requester != by and not (by.has_perm("tickets.raise_for_others") and is_customer(requester)):
        raise PermissionDenied
    if draft_key:
        # Taking the draft away is the claim: the second of two clicks finds nothing to take.
        TicketDraft.objects.filter(key=draft_key, owner=by).delete()
        if first := Ticket.objects.filter(draft_key=draft_key, requester=by).first():
            return first
    if old := links.ended_ticket_of(requester, about):
        lock(old)
    # Taken first: its lock makes simultaneous tickets wait for each other, so the limit holds.
    reference = ReferenceCounter.next_reference()
    if requester == by and _has_raised_many(by):
        raise TooMany(_("You have raised many tickets within an hour. Try again a little later."))
    ticket = register(
        reference,
        by=by,
        requester=requester,
        category=category,
        description=description,
        draft_key=draft_key,
        data={"channel": channel, **(how or {})},
        priority=priority,
        answers=answers,
        subject=subject,
        **details,
    )
    if old:
        links.follow_up(ticket, old=old, by=by)
    return ticket


def register(
    reference: str,
    *,
    by: User,
    requester: User,
    category: Category,
    description: str,
    data: dict,
    draft_key: UUID | None = None,
    priority: str = "",
    answers: fields.Answers | None = None,
    **details,
) -> Ticket:
    """The ticket with its first line, whoever decided that there is one; inside a transaction.

    ``data`` of that line says how it came; the other words are those of ``raise_ticket``.
    """
    now = timezone.now()
    priority = priority or category.default_priority
    terms = sla.terms_for(category, priority)
    ticket = Ticket.objects.create(
        reference=reference,
        requester=requester,
        category=category,
        priority=priority,
        created_at=now,
        draft_key=draft_key,
        **sla.promised(terms, now),
        **details,
    )
    event = write(
        ticket,
        Kind.RAISED,
        by=by,
        at=now,
        data={"category": category.pk, "priority": priority, "kind": ticket.kind, **data},
        text=description,
        last_message_by=Part.REQUESTER,
        message_count=1,
    )
    fields.keep_first(ticket, answers or {})
    if draft_key:
        Attachment.objects.waiting_in(draft_key, by).update(event=event, draft_key=None)
    complaints.fit(ticket)
    ticket_raised.send(sender=Ticket, ticket=ticket, event=event)
    return ticket


def _has_raised_many(person) -> bool:
    since = timezone.now() - timedelta(hours=1)
    recent = Ticket.objects.filter(requester=person, created_at__gte=since).order_by()
    return recent[: settings.TICKETS_PER_HOUR].count() >= settings.TICKETS_PER_HOUR


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


@transaction.atomic
def assign(
    ticket: Ticket,
    *,
    to: User,
    by: User | None,
    rule: Rule | str = "",
    note: str = "",
    capacity: int | None = None,
) -> TicketEvent:
    """Give ``ticket`` to the agent ``to``; a new ticket is opened by it.

    Administrators assign any live ticket, its agent hands it over, an agent of its pool takes it.
    Nobody (``by`` is None) assigns it by a ``rule`` of ``routing``, to who has less than
    ``capacity``, or of operators. ``note`` is for the next agent and stays among staff.

    Raises AlreadyAssigned when somebody was quicker, TicketRefusal when it can't be theirs.
    """
    seen = ticket.assignee_id
    # Asked anew and held, so that nobody gets a ticket while they leave. The person comes before
    # the ticket, as in people.suspend: each waits for the other in one order.
    agents = User.objects.agents().select_for_update(no_key=True)
    is_at_work = agents.filter(pk=to.pk).exists()
    theirs = Ticket.objects.live().filter(assignee=to).order_by("due_at", "pk")
    if capacity is not None and theirs[:capacity].count() == capacity:
        raise TicketRefusal(_("%(agent)s has no room.") % {"agent": to})
    lock(ticket)
    if ticket.assignee_id != seen:
        raise AlreadyAssigned(ticket, ticket.assignee)
    if by and not _may_assign(ticket, to, by):
        raise PermissionDenied
    if ticket.status not in LIVE or ticket.deleted_at:
        raise TicketRefusal(
            _("%(ticket)s is %(status)s. Open it again to assign it.")
            % {"ticket": ticket, "status": ticket.get_status_display().lower()}
        )
    if not is_at_work or to.pk == ticket.requester_id:
        raise TicketRefusal(_("%(person)s can't be given this ticket.") % {"person": to})
    if to.pk == ticket.assignee_id:
        raise AlreadyAssigned(ticket, to)
    if note:
        write(ticket, Kind.NOTE, by=by, audience=Audience.STAFF, text=note)
    data = {"from": ticket.assignee_id, "to": to.pk} | mark(rule)
    event = write(ticket, Kind.ASSIGNED, by=by, data=data, assignee=to)
    ticket_assigned.send(sender=Ticket, ticket=ticket, event=event)
    if ticket.status == Status.NEW:
        move(ticket, Status.OPEN, by=by, via=Part.ASSIGNMENT, rule=rule)
    return event


def _may_assign(ticket, to, by) -> bool:
    part = ticket.part_of(by)
    takes = part == Part.POOL and to.pk == by.pk
    return by.has_perm("tickets.assign_ticket") and (part in HANDLERS or takes)


@transaction.atomic
def release(ticket: Ticket, *, by: User | None, rule: str = "") -> TicketEvent | None:
    """Take ``ticket`` from an agent who is none any more, so that whoever may can take it.

    It stays where it stands, and so does what was promised. ``by`` is who let the agent go: that
    may be the requester, to whom the ticket gives no say in who has it. Nothing is written when
    its agent works here, unless a ``rule`` of ``routing`` takes it from them and nobody has moved
    it since it was loaded.
    """
    seen = (ticket.assignee_id, ticket.status)
    lock(ticket)
    agent = ticket.assignee
    is_as_seen = rule and seen == (ticket.assignee_id, ticket.status)
    if agent is None or (agent.is_approved and agent.is_agent and not is_as_seen):
        return None
    data = {"from": agent.pk, "to": None} | mark(rule)
    return write(ticket, Kind.ASSIGNED, by=by, data=data, assignee=None)


@transaction.atomic
def classify(
    ticket: Ticket,
    *,
    by: User | None,
    priority: str,
    category: Category,
    kind: str | None = None,
    tags: list[str] | None = None,
    rule: Rule | str = "",
) -> TicketEvent | None:
    """Set priority and category, and if given kind and tags; nothing is written when all are what
    they were. Nobody (``by`` is None) does it by a ``rule`` of operators."""
    lock(ticket)
    if by and ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    changes = {}
    data = {}
    if priority != ticket.priority:
        changes["priority"] = priority
        data["priority"] = [ticket.priority, priority]
    if category.pk != ticket.category_id:
        changes["category"] = category
        data["category"] = [ticket.category_id, category.pk]
    fits_another = bool(changes)
    if kind and kind != ticket.kind:
        changes["kind"] = kind
        data["kind"] = [ticket.kind, kind]
    if tags is not None and (retagged := fields.tag(ticket, tags)):
        data["tags"] = retagged
    if not data:
        return None
    due_at = ticket.due_at
    if fits_another:
        changes |= _promised_for(ticket, priority, category)
    told = data | mark(rule)
    event = write(ticket, Kind.CLASSIFIED, by=by, data=told, audience=Audience.STAFF, **changes)
    if ticket.due_at != due_at:
        _promise_moved(ticket, due_at, ticket.due_at, by=by, because=next(iter(data)))
    complaints.fit(ticket)
    return event


def _promised_for(ticket, priority, category) -> dict:
    """What else changes when another service level fits."""
    terms = sla.terms_for(category, priority)
    if ticket.status not in LIVE or terms.policy_id == ticket.policy_id:
        return {}
    return sla.reckoned_anew(ticket, terms, timezone.now())


def _promise_moved(ticket, before, due_at, *, by, because, text="") -> TicketEvent:
    """The line that says to everybody that the answer is promised for another time, and why."""
    data = {"from": before.isoformat(), "to": due_at.isoformat(), "because": because}
    event = write(ticket, Kind.PROMISED, by=by, data=data, text=text, due_at=due_at)
    promise_moved.send(sender=Ticket, ticket=ticket, event=event)
    return event


@transaction.atomic
def move_promise(ticket: Ticket, *, by: User, to: datetime, reason: str) -> TicketEvent:
    """Promise the answer for another time. The customer is told the ``reason``.

    Raises TicketRefusal when no answer is owed now, or without a reason and a time to come.
    """
    lock(ticket)
    if ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if ticket.status not in OURS:
        raise TicketRefusal(_("No answer is owed while the ticket stands where it does."))
    if not (reason and to > timezone.now()):
        raise TicketRefusal(_("Another time needs a reason, and must be to come."))
    return _promise_moved(ticket, ticket.due_at, to, by=by, because="hand", text=reason)


@transaction.atomic
def rate(
    ticket: Ticket,
    *,
    by: User,
    rating: int,
    comment: str = "",
    improvement: str = "",
    round: int | None = None,
    part: Part | None = None,
) -> Feedback:
    """Keep the requester's rating of how the ticket was handled, once each time it ended.

    ``round`` is the ending they were asked about, the newest if none is given. The same rating
    once more is the one that is kept. A rating settles a resolved ticket: it closes. ``part`` is
    what ``by`` is to the ticket if that was proved without an account.
    """
    lock(ticket)
    if (part or ticket.part_of(by)) != Part.REQUESTER:
        raise PermissionDenied
    round = ticket.reopen_count if round is None else round
    given = {"rating": rating, "comment": comment, "improvement": improvement}
    if kept := ticket.feedback.filter(round=round).first():
        if all(getattr(kept, name) == value for name, value in given.items()):
            return kept
        raise TicketRefusal(_("You have rated this already."))
    if round != ticket.reopen_count or not ticket.may_be_rated:
        raise TicketRefusal(_("This ticket can't be rated now."))
    feedback = Feedback.objects.create(ticket=ticket, round=round, agent=ticket.assignee, **given)
    write(ticket, Kind.RATED, by=by, data={"rating": rating}, text=comment)
    ticket_rated.send(sender=Ticket, ticket=ticket, feedback=feedback)
    if ticket.status == Status.RESOLVED:
        move(ticket, Status.CLOSED, by=by, part=part)
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

"""Verbs that write messages, alone or together with a move of the ticket."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from tickets.actions import move
from tickets.fields import Answers
from tickets.history import lock, mark, write
from tickets.models import Attachment, Audience, Rule, Ticket, TicketEvent
from tickets.relations.links import lock_to_end
from tickets.spoken import changes_by
from tickets.workflow import CUSTOMERS, HANDLERS, Part, Status, TicketRefusal

from .signals import message_posted

Kind = TicketEvent.Kind


class ChatClosed(TicketRefusal):
    """The ticket has ended; the text is what both sides read."""


class ReplyHeld(TicketRefusal):
    """Something arrived that the writer has not seen. Nothing was sent."""


def chat_closed_words(ticket: Ticket, user: User | None) -> str:
    """The sentence that stands in place of the composer once a ticket has ended (D1-9).

    Empty while both sides may write.
    """
    if ticket.is_chat_open:
        return ""
    closer = ticket.status_event.actor
    withdrawn = ticket.status == Status.WITHDRAWN
    if closer and closer == user:
        if withdrawn:
            return _("You withdrew this ticket. Chats are disabled")
        return _("You closed this ticket. Chats are disabled")
    names = {"name": closer or _("The registry")}
    if withdrawn:
        return _("%(name)s withdrew this ticket. Chats are disabled") % names
    return _("%(name)s closed this ticket. Chats are disabled") % names


@transaction.atomic
def post_message(
    ticket: Ticket,
    *,
    by: User | None,
    body: str,
    key: UUID | None = None,
    seen: int | None = None,
    then: Status | None = None,
    resolution: str = "",
    answers: Answers | None = None,
    rule: Rule | str = "",
    part: Part | None = None,
    how: dict | None = None,
) -> TicketEvent:
    """Say ``body`` to the other side, with the files that wait under ``key``.

    The same ``key`` twice is stored once. An answer of the requester, or of who takes part, opens
    a waiting ticket again.
    Staff may move the ticket in the same step: ``then``. To resolve is to say so:
    then ``body`` is the text of the ``resolution``, and no message of its own; ``answers`` are
    what ``move`` takes. Nobody (``by`` is None) says it by a ``rule`` of operators.
    ``part`` is what ``by`` is to the ticket if that was proved without an account; ``how`` says of
    the line which way it came.

    Raises ChatClosed on an ended ticket, ReplyHeld when a handler has not seen every line up
    to now (``seen`` is the last one they have), and what ``move`` raises.
    """
    if then == Status.RESOLVED:
        lock_to_end(ticket)
    else:
        lock(ticket)
    if first := _said_before(ticket, key, by):
        return first
    part = part or (ticket.part_of(by) if by else Part.RULE)
    if part not in HANDLERS | CUSTOMERS | {Part.RULE}:
        raise PermissionDenied
    if not ticket.is_chat_open:
        raise ChatClosed(chat_closed_words(ticket, by))
    if part in HANDLERS and seen is not None:
        _hold_if_stale(ticket, by, seen)

    if then == Status.RESOLVED:
        solved = {"text": body, "resolution": resolution, "answers": answers}
        event = move(ticket, then, by=by, key=key, **solved)
        _attach(event, key, by)
        return event
    now = timezone.now()
    changes = changes_by(part, ticket, now) | {"message_count": ticket.message_count + 1}
    data = mark(rule) | (how or {})
    event = write(ticket, Kind.MESSAGE, by=by, at=now, data=data, text=body, key=key, **changes)
    _attach(event, key, by)
    message_posted.send(sender=Ticket, ticket=ticket, event=event)

    if part in CUSTOMERS and ticket.status == Status.WAITING:
        move(ticket, Status.OPEN, by=by, via=Part.REPLY)
    elif then and then != ticket.status:
        move(ticket, then, by=by, via=Part.MESSAGE)
    return event


@transaction.atomic
def post_note(
    ticket: Ticket,
    *,
    by: User | None,
    body: str,
    key: UUID | None = None,
    rule: Rule | str = "",
) -> TicketEvent:
    """Keep ``body`` for staff only. The requester never learns that it exists. Nobody (``by`` is
    None) writes it by a ``rule`` of operators."""
    lock(ticket)
    if first := _said_before(ticket, key, by):
        return first
    if by and (ticket.part_of(by) not in HANDLERS or not by.has_perm("messaging.add_note")):
        raise PermissionDenied
    data = mark(rule)
    event = write(ticket, Kind.NOTE, by=by, audience=Audience.STAFF, data=data, text=body, key=key)
    _attach(event, key, by)
    return event


def _said_before(ticket, key, by) -> TicketEvent | None:
    """What ``by`` said with this key already. With somebody else's key nobody says anything."""
    first = ticket.events.filter(key=key).order_by("pk").first() if key else None
    if first and first.actor_id != by.pk:
        raise PermissionDenied
    return first


def _attach(event, key, by):
    if key:
        Attachment.objects.waiting_in(key, by).update(event=event, draft_key=None)


def _hold_if_stale(ticket, by, seen):
    missed = (
        ticket.events.filter(
            number__gt=seen,
            kind__in=[Kind.MESSAGE, Kind.STATUS],
            audience=Audience.EVERYONE,
            data__why__isnull=True,  # the message that brought the move is counted
        )
        .exclude(actor=by)
        .count()
    )
    if missed:
        raise ReplyHeld(
            ngettext(
                "%(n)s new message arrived while you were writing. Your reply has not been sent.",
                "%(n)s new messages arrived while you were writing. Your reply has not been sent.",
                missed,
            )
            % {"n": missed}
        )

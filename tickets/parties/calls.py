"""Customers who would rather be called, and what was said on the phone."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from ..actions import change_status
from ..history import lock, write
from ..models import CallRequest, Ticket, TicketEvent
from ..signals import call_asked, call_logged
from ..spoken import changes_by
from ..workflow import HANDLERS, Part, Status, TicketRefusal

Kind = TicketEvent.Kind


@transaction.atomic
def ask_for_call(ticket: Ticket, *, by: User, phone: str, wish: str = "") -> CallRequest:
    """D1-14: the requester wants to be called at ``phone``; ``wish`` says when it suits.

    It is their answer, so a waiting ticket opens. One waits at a time, or TicketRefusal.
    """
    lock(ticket)
    if ticket.part_of(by) != Part.REQUESTER:
        raise PermissionDenied
    if not ticket.is_live:
        raise TicketRefusal(_("Nobody works on this ticket any more. Open it again first."))
    if ticket.waiting_call():
        raise TicketRefusal(_("You have asked for a call already. Take that back to change it."))
    call = CallRequest.objects.create(ticket=ticket, phone=phone, wish=wish)
    changes = changes_by(Part.REQUESTER, ticket, call.asked_at)
    told = {"data": {"call": call.pk}, "text": wish}
    event = write(ticket, Kind.CALL_ASKED, by=by, at=call.asked_at, **told, **changes)
    call_asked.send(sender=Ticket, ticket=ticket, event=event)
    if ticket.status == Status.WAITING:
        change_status(ticket, Status.OPEN, by=by, via=Part.REPLY)
    return call


@transaction.atomic
def drop_call(ticket: Ticket, *, by: User) -> None:
    """The requester no longer wants the call. Nobody needs the number any more."""
    lock(ticket)
    if ticket.part_of(by) != Part.REQUESTER:
        raise PermissionDenied
    call = ticket.waiting_call()
    if call is None:
        raise TicketRefusal(_("No call is waiting."))
    write(ticket, Kind.CALL_DROPPED, by=by, data={"call": call.pk})
    call.delete()


def drop_at_the_end(ticket: Ticket, *, by: User | None) -> None:
    """``ticket`` has ended, so nobody calls any more. Inside the transaction that ended it."""
    if call := ticket.waiting_call():
        data = {"call": call.pk, "status": ticket.status}
        write(ticket, Kind.CALL_DROPPED, by=by, data=data)
        call.delete()


@transaction.atomic
def log_call(ticket: Ticket, *, by: User, text: str, key: UUID | None = None) -> TicketEvent:
    """Keep what was said on the phone, for both sides to read. It settles the call that waits,
    and counts as an answer. The same ``key`` twice is kept once.
    """
    lock(ticket)
    part = ticket.part_of(by)
    if part not in HANDLERS or not by.has_perm("tickets.log_call"):
        raise PermissionDenied
    if first := ticket.events.filter(key=key, actor=by).first() if key else None:
        return first
    if not ticket.is_chat_open:
        raise TicketRefusal(_("This ticket has ended. Open it again first."))
    now = timezone.now()
    call = ticket.waiting_call()
    if call:
        call.called_at, call.called_by = now, by
        call.save(update_fields=["called_at", "called_by"])
    told = {"data": {"call": call.pk} if call else {}, "text": text, "key": key}
    changes = changes_by(part, ticket, now)
    event = write(ticket, Kind.CALLED, by=by, at=now, **told, **changes)
    call_logged.send(sender=Ticket, ticket=ticket, event=event)
    return event

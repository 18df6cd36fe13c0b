"""By when a ticket is answered, if that changes while the answer is owed."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from ..history import lock, write
from ..models import Ticket, TicketEvent
from ..signals import promise_moved
from ..workflow import HANDLERS, OURS, TicketRefusal


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
    return write_promise(ticket, ticket.due_at, to, by=by, because="hand", text=reason)


def write_promise(ticket, before, due_at, *, by, because, text="") -> TicketEvent:
    """The line that says to everybody that the answer is promised for another time, and why."""
    data = {"from": before.isoformat(), "to": due_at.isoformat(), "because": because}
    event = write(ticket, TicketEvent.Kind.PROMISED, by=by, data=data, text=text, due_at=due_at)
    promise_moved.send(sender=Ticket, ticket=ticket, event=event)
    return event

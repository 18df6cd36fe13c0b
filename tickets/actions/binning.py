"""A ticket leaves every list, and comes back."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User

from ..history import lock, write
from ..models import Audience, Ticket, TicketEvent

Kind = TicketEvent.Kind


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

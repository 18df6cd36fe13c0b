"""Automatic answers have a budget: two machines that answer each other must come to an end.

``docs/automatic-answers.md`` tells it to operators.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import Role, User
from tickets.history import lock, write
from tickets.models import Audience, Channel, Ticket, TicketEvent
from tickets.workflow import SETTLED, Part

Kind = TicketEvent.Kind

PERIOD = timedelta(hours=1)
# Words that nobody wrote, the receipt of a mail, and word that a mail opened its ticket again. What
# goes out together with a receipt is one answer with it.
ANSWERS = (
    (
        Q(kind__in=[Kind.MESSAGE, Kind.STATUS], actor=None, data__with_receipt__isnull=True)
        & ~Q(words_hash="")
    )
    | Q(kind=Kind.RAISED, data__channel=Channel.EMAIL)
    | Q(kind=Kind.STATUS, data__why=Part.REPLY, data__from__in=SETTLED)
)


def is_by_customer(event: TicketEvent) -> bool:
    """Whether ``event`` is of somebody who may be answered."""
    writer = event.actor
    return bool(writer) and (writer.role == Role.CUSTOMER or writer.pk == event.ticket.requester_id)


def is_answerable(event: TicketEvent) -> bool:
    """Whether its sender may get words that nobody wrote: no machine may, nor an address that was
    forged, by what the server before us says (SEC-D8, SEC-D9)."""
    return not {"automatic", "unproved"} & event.data.keys()


def is_spent(event: TicketEvent) -> bool:
    """Whether who wrote ``event`` was answered often enough within the hour: in its conversation,
    and by mail in all of theirs, as a machine that answers us may begin one with each mail."""
    since = timezone.now() - PERIOD
    lines = TicketEvent.objects.filter(ANSWERS, audience=Audience.EVERYONE, at__gt=since)
    if event.channel == Channel.EMAIL:
        theirs = Ticket.objects.filter(requester=event.actor_id, last_event_at__gt=since)
        lines = lines.filter(Q(ticket__in=theirs.order_by()) | Q(ticket=event.ticket_id))
    else:
        lines = lines.filter(ticket=event.ticket_id)
    most = settings.AUTOMATIC_ANSWERS_PER_HOUR
    return lines.order_by()[:most].count() >= most


def stop(ticket: Ticket, *, person: User, most: int) -> None:
    """Tell staff, once within the hour, that ``person`` got ``most`` answers and gets no more."""
    lock(ticket)
    since = timezone.now() - PERIOD
    if not ticket.events.filter(kind=Kind.SILENCED, at__gt=since).exists():
        data = {"person": person.pk, "most": most}
        write(ticket, Kind.SILENCED, by=None, audience=Audience.STAFF, data=data)

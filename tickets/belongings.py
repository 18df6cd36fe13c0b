"""What hangs on a ticket besides its lines. Most tickets have little of it, so pages ask which."""

from django.db.models import Exists, OuterRef, Q

from .models import (
    CallRequest,
    ComplaintCase,
    Follower,
    Participant,
    Tag,
    Ticket,
    TicketLink,
)

_OF_IT = {"ticket": OuterRef("pk")}
_KINDS = {
    "call": CallRequest.objects.filter(**_OF_IT, called_at=None),
    "case": ComplaintCase.objects.filter(**_OF_IT),
    "followers": Follower.objects.filter(**_OF_IT),
    "links": TicketLink.objects.filter(Q(**_OF_IT) | Q(other=OuterRef("pk"))),
    "merged": Ticket.objects.filter(merged_into=OuterRef("pk")),
    "participants": Participant.objects.filter(**_OF_IT),
    "tags": Tag.tickets.through.objects.filter(**_OF_IT),
}
_EXISTS = [Exists(rows.order_by()) for rows in _KINDS.values()]


def belongings_of(ticket: Ticket) -> set[str]:
    """Which of these ``ticket`` has, in one query: an open "call", a "case", "followers", "links",
    "merged" tickets, "participants" and "tags"."""
    found = Ticket.objects.order_by().filter(pk=ticket.pk).values_list(*_EXISTS).get()
    return {kind for kind, is_there in zip(_KINDS, found, strict=True) if is_there}

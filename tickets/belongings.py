"""What hangs on a ticket besides its lines. Most tickets have little of it, so pages and verbs ask
which."""

from functools import cache

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from .models import (
    CallRequest,
    CategoryField,
    ComplaintCase,
    FieldValue,
    Follower,
    Participant,
    Tag,
    Ticket,
    TicketLink,
)

_OF_IT = {"ticket": OuterRef("pk")}
_KINDS = {
    "answers": FieldValue.objects.filter(**_OF_IT),
    "call": CallRequest.objects.filter(**_OF_IT, called_at=None),
    "case": ComplaintCase.objects.filter(**_OF_IT),
    "followers": Follower.objects.filter(**_OF_IT),
    "links": TicketLink.objects.filter(Q(**_OF_IT) | Q(other=OuterRef("pk"))),
    "merged": Ticket.objects.filter(merged_into=OuterRef("pk")),
    "participants": Participant.objects.filter(**_OF_IT),
    "questions": CategoryField.objects.filter(category=OuterRef("category"), is_active=True),
    "tags": Tag.tickets.through.objects.filter(**_OF_IT),
}
LINKED = {"links", "merged"}  # what was merged into it may have links of its own


def belongings_of(ticket: Ticket) -> set[str]:
    """Which of these ``ticket`` has, in one query: "answers" to what categories ask, an open
    "call", a "case", "followers", "links", "merged" tickets, "participants", "questions" of its
    category and "tags".

    Known from then on, until the ticket is locked anew.
    """
    known = vars(ticket)
    if "belongings" not in known:
        sql, params = _question()
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, ticket.pk])
            found = cursor.fetchone()
        known["belongings"] = {
            kind for kind, is_there in zip(_KINDS, found, strict=True) if is_there
        }
    return known["belongings"]


def forget(ticket: Ticket) -> None:
    vars(ticket).pop("belongings", None)


@cache
def _question() -> tuple[str, list]:
    """The query but for the key of the ticket, which comes last. Putting it together takes Django
    much longer than the database takes to answer."""
    exists = [Exists(rows.order_by()) for rows in _KINDS.values()]
    asked = Ticket.objects.order_by().filter(pk=0).values_list(*exists)
    sql, (*params, _pk) = asked.query.sql_with_params()
    return sql, params

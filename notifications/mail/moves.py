"""What a mail and the bell say of a move of a ticket."""

from tickets.models import Channel, TicketEvent
from tickets.workflow import REQUESTER_WORDS, SETTLED, Part, Status

Line = TicketEvent.Kind


def facts_of_move(event, is_customer, ratings: dict[int, int], reopening: set[int]) -> dict:
    """Of any line, so that templates may ask; ``ratings`` is what ``ratings_with`` found, and
    ``reopening`` what ``reopening_among`` did."""
    is_move = event.kind == Line.STATUS
    was, now = (event.data["from"], event.data["to"]) if is_move else ("", "")
    return {
        "new_status": status_words(now, is_customer) if is_move else "",
        "is_reopened": (was in SETTLED and now == Status.OPEN) or event.pk in reopening,
        "rating": ratings.get(event.pk),
    }


def status_words(status: str, is_customer: bool) -> str:
    return REQUESTER_WORDS[Status(status)] if is_customer else Status(status).label


def ratings_with(events) -> dict[int, int]:
    """The rating that closed its ticket, by the key of the closing among ``events``: it is the line
    before, as ``tickets.actions.rate`` writes it. One query, and none for most mails."""
    closings = {
        (event.ticket_id, event.number - 1): event.pk
        for event in events
        if event.kind == Line.STATUS
        and (event.data["from"], event.data["to"]) == (Status.RESOLVED, Status.CLOSED)
        and event.actor_id
    }
    if not closings:
        return {}
    tickets, numbers = zip(*closings, strict=True)
    rated = TicketEvent.objects.filter(
        ticket__in=tickets, number__in=numbers, kind=Line.RATED
    ).values_list("ticket", "number", "data__rating")
    return {
        closings[ticket, number]: rating
        for ticket, number, rating in rated
        if (ticket, number) in closings
    }


def reopening_among(events) -> set[int]:
    """The keys of those messages among ``events`` that opened their ticket again: requesters do so
    by mail, and the line before is the move, as ``messaging.inbound.acting`` writes it. One query,
    and none for most mails."""
    mails = {
        (event.ticket_id, event.number - 1): event.pk
        for event in events
        if event.kind == Line.MESSAGE
        and event.channel == Channel.EMAIL
        and event.actor_id == event.ticket.requester_id
    }
    if not mails:
        return set()
    tickets, numbers = zip(*mails, strict=True)
    moves = TicketEvent.objects.filter(
        ticket__in=tickets,
        number__in=numbers,
        kind=Line.STATUS,
        data__from__in=SETTLED,
        data__why=Part.REPLY,
    ).values_list("ticket", "number")
    return {mails[place] for place in moves if place in mails}

"""The conversation as one reader sees it: which lines, and what each needs to be shown."""

from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from tickets.models import Audience, TicketEvent
from tickets.workflow import Part

Kind = TicketEvent.Kind

TIMELINE_LENGTH = 12


@dataclass(frozen=True)
class Thread:
    lines: list[TicketEvent]
    earlier: int  # how many lines come before the first one here


def reads_notes(part: Part) -> bool:
    return part != Part.REQUESTER


def _lines(ticket, part):
    # A move that says why came with another line, and that one tells it.
    lines = ticket.events.select_related("actor").filter(data__why__isnull=True)
    return lines if reads_notes(part) else lines.filter(audience=Audience.EVERYONE)


def thread_of(ticket, part, *, after=0, before=None, newest=None) -> Thread:
    """The lines of ``ticket`` for ``part``: after or before a number, or the ``newest`` so many."""
    found = _lines(ticket, part).filter(number__gt=after).prefetch_related("attachments")
    if before is not None:
        found = found.filter(number__lt=before)
    lines = list(found.order_by("-number")[:newest])[::-1]
    earlier = 0
    if newest is not None and len(lines) == newest:
        earlier = _lines(ticket, part).filter(number__lt=lines[0].number).count()
    previous = None
    if after and lines:
        known = _lines(ticket, part).filter(number__lte=after)
        previous = known.order_by("-number").values_list("at", flat=True).first()
    name_agents(lines)
    mark_days(lines, previous)
    return Thread(lines, earlier)


def mark_days(lines, previous):
    """Says of each line whether it ``opens_day``; ``previous`` is the time of the one before."""
    for line in lines:
        day = timezone.localtime(line.at).date()
        line.opens_day = previous is None or timezone.localtime(previous).date() != day
        previous = line.at


def name_agents(lines):
    """Gives each assignment line its ``agent``, in one query for all."""
    ids = {line.data["to"] for line in lines if line.kind == Kind.ASSIGNED}
    agents = User.objects.in_bulk(ids) if ids else {}
    for line in lines:
        if line.kind == Kind.ASSIGNED:
            line.agent = agents[line.data["to"]]


def timeline_of(ticket) -> list[TicketEvent]:
    """The steps a requester follows (D3-2): raised, assigned, moved; the oldest first."""
    steps = ticket.events.filter(
        kind__in=[Kind.RAISED, Kind.ASSIGNED, Kind.STATUS], audience=Audience.EVERYONE
    ).order_by("-number")[:TIMELINE_LENGTH]
    lines = [s for s in list(steps)[::-1] if s.data.get("why") != Part.ASSIGNMENT]
    name_agents(lines)
    return lines

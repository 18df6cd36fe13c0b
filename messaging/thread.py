"""The conversation as one reader sees it: which lines, and what each needs to be shown."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import NAMES, User
from tickets.models import Attachment, Audience, TicketEvent
from tickets.workflow import Part

Kind = TicketEvent.Kind

WORDS = (Kind.RAISED, Kind.MESSAGE, Kind.NOTE)
GIVES = (Kind.ASSIGNED, Kind.REQUESTER)  # from somebody to somebody
TIMELINE_LENGTH = 12
SEAL = ("salt", "words_hash", "digest", "key")  # what proves a line, and nobody reads


@dataclass(frozen=True)
class Thread:
    lines: list[TicketEvent]
    earlier: int  # how many lines come before the first one here


def reads_notes(part: Part) -> bool:
    return part != Part.REQUESTER


def _lines(ticket, part):
    # A move that says why came with another line, and that one tells it.
    lines = ticket.events.filter(data__why__isnull=True)
    return lines if reads_notes(part) else lines.filter(audience=Audience.EVERYONE)


def thread_of(ticket, part, reader, *, after=0, before=None, newest=None) -> Thread:
    """The lines of ``ticket`` for ``reader``, who is ``part`` to it: after or before a number, or
    the ``newest`` so many."""
    found = _lines(ticket, part).filter(number__gt=after).defer(*SEAL)
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
    name_people(lines)
    _bring_files(lines)
    _lay_out(lines, previous, reader)
    return Thread(lines, earlier)


def name_people(lines):
    """Gives each line its ``actor``, in one query for all. An assignment gets its ``agent``, the
    correction of a requester its ``customer``, both also ``former``, whom it was taken from."""
    named = {line.actor_id for line in lines}
    for line in lines:
        if line.kind in GIVES:
            named |= {line.data["from"], line.data["to"]}
    people = User.objects.only(*NAMES).in_bulk(named - {None})
    for line in lines:
        line.actor = people.get(line.actor_id)
        if line.kind == Kind.ASSIGNED:
            line.agent = people.get(line.data["to"])
        if line.kind == Kind.REQUESTER:
            line.customer = people.get(line.data["to"])
        if line.kind in GIVES:
            line.former = people.get(line.data["from"])


def _bring_files(lines):
    """Gives each line its ``files``, in one query for all."""
    by_line = {line.pk: line for line in lines}
    for line in lines:
        line.files = []
    for file in Attachment.objects.filter(event__in=by_line):
        by_line[file.event_id].files.append(file)


def _lay_out(lines, previous, reader):
    """Says of each line whether it ``opens_day``, ``is_event`` or ``is_said``, which may be both,
    and ``by`` whom: ``is_mine`` when by ``reader``. ``anchor`` is its number as text.

    ``previous`` is the time of the line before the first. Times become the reader's own.
    Templates ask much slower than this.
    """
    zone = timezone.get_current_timezone()
    last = previous and previous.astimezone(zone).date()
    you, registry = _("You"), _("The registry")
    for line in lines:
        line.at = line.at.astimezone(zone)
        day = line.at.date()
        line.opens_day = day != last
        line.is_event = line.kind not in WORDS
        line.is_said = bool(line.text) or not line.is_event
        line.is_mine = line.actor_id == reader.pk
        line.anchor = str(line.number)
        line.by = you if line.is_mine else str(line.actor or registry)
        last = day


def timeline_of(ticket) -> list[TicketEvent]:
    """The steps a requester follows (D3-2): raised, assigned, moved; the oldest first."""
    steps = ticket.events.filter(
        kind__in=[Kind.RAISED, Kind.ASSIGNED, Kind.STATUS], audience=Audience.EVERYONE
    ).defer(*SEAL)
    newest = list(steps.order_by("-number")[:TIMELINE_LENGTH])
    lines = [step for step in newest[::-1] if step.data.get("why") != Part.ASSIGNMENT]
    name_people(lines)
    return lines

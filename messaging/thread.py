"""The conversation as one reader sees it: which lines, and what each needs to be shown."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import NAMES, Role, User
from tickets.models import Attachment, Audience, Rule, Ticket, TicketEvent
from tickets.promise.away import OUT_OF_HOURS
from tickets.relations.link_words import others_in
from tickets.workflow import HANDLERS, SETTLED, Part, Status

Kind = TicketEvent.Kind

WORDS = (Kind.RAISED, Kind.MESSAGE, Kind.NOTE)
GIVES = (Kind.ASSIGNED, Kind.REQUESTER)  # from somebody to somebody
COMES_AND_GOES = (Kind.JOINED, Kind.LEFT)
NAMES_ANOTHER = (*COMES_AND_GOES, Kind.SILENCED)
TIMELINE_LENGTH = 12
SEAL = ("salt", "words_hash", "digest", "key")  # what proves a line, and nobody reads


@dataclass(frozen=True)
class Thread:
    lines: list[TicketEvent]
    earlier: int  # how many lines come before the first one here


@dataclass(frozen=True)
class Place:
    """Where a line stands: its ticket and its number."""

    reference: str
    number: int


def reads_notes(part: Part) -> bool:
    """Whoever works on it, or could. See also ``TicketEventQuerySet.visible_to``."""
    return part in HANDLERS | {Part.POOL}


def _lines(tickets, part):
    # A move that says why came with another line, and that one tells it: but not that it opened
    # again what had come to its end.
    reopens = Q(kind=Kind.STATUS, data__from__in=SETTLED, data__to=Status.OPEN)
    known = TicketEvent.objects.filter(ticket__in=tickets)
    lines = known.filter(reopens | Q(data__why__isnull=True))
    return lines if reads_notes(part) else lines.filter(audience=Audience.EVERYONE)


def thread_after(ticket, part, reader, number) -> Thread:
    """The lines of ``ticket`` after ``number`` for ``reader``, who is ``part`` to it: its own, as
    what was merged into it has no new ones."""
    known = _lines([ticket.pk], part)
    lines = list(known.filter(number__gt=number).defer(*SEAL).order_by("number"))
    previous = None
    if number and lines:
        last = known.filter(number__lte=number).order_by("-number")
        previous = last.values_list("at", flat=True).first()
    return _shown(lines, {ticket.pk: ticket}, part, reader, previous)


def thread_of(
    ticket, part, reader, *, before: Place | None = None, newest=None, merged=()
) -> Thread:
    """The lines of ``ticket`` and of what was ``merged`` into it, by time: those ``before`` one of
    them, or the ``newest`` so many."""
    tickets = {each.pk: each for each in (ticket, *merged)}
    found = _lines(tickets, part)
    if before:
        found = _earlier(found, tickets, before)
    order = ["-at", "-pk"] if len(tickets) > 1 else ["-number"]
    lines = list(found.defer(*SEAL).order_by(*order)[:newest])[::-1]
    earlier = 0
    if newest is not None and len(lines) == newest:
        first = Place(tickets[lines[0].ticket_id].reference, lines[0].number)
        earlier = _earlier(_lines(tickets, part), tickets, first).count()
    return _shown(lines, tickets, part, reader, earlier=earlier)


def _earlier(lines, tickets, place):
    if len(tickets) == 1:
        return lines.filter(number__lt=place.number)
    there = [pk for pk, each in tickets.items() if each.reference == place.reference]
    line = lines.filter(ticket__in=there, number=place.number).only("at").first()
    return lines.filter(Q(at__lt=line.at) | Q(at=line.at, pk__lt=line.pk)) if line else lines


def _shown(lines, tickets, part, reader, previous=None, earlier=0) -> Thread:
    """``lines``, each with what its template asks for."""
    home, *merged = tickets.values()
    for each in merged:
        each.requester = home.requester  # who is the same
    for line in lines:
        line.ticket = tickets[line.ticket_id]
        line.source = line.ticket.reference if line.ticket_id != home.pk else ""
    name_people(lines, home)
    name_tickets(lines)
    if reads_notes(part):
        name_rules(lines)
    _bring_files(lines)
    _lay_out(lines, previous, reader)
    _add_remarks(lines, home.requester, to_staff=reads_notes(part))
    return Thread(lines, earlier)


def name_tickets(lines):
    """Gives each line about another ticket its ``other``, in one query for all."""
    others = [pk for line in lines for pk in others_in(line)]
    named = Ticket.objects.filter(pk__in=others).values_list("pk", "reference")
    references = dict(named) if others else {}
    for line in lines:
        for pk in others_in(line):
            line.other = references.get(pk)


def name_people(lines, ticket):
    """Gives each line of ``ticket`` its ``actor``, in one query for all but those who have to do
    with it now. An assignment gets its ``agent``, the correction of a requester its ``customer``,
    both also ``former``, whom it was taken from; a participant's coming and going its ``person``,
    as does the end of automatic answers to somebody.
    """
    people = {each.pk: each for each in (ticket.requester, ticket.assignee) if each}
    named = {line.actor_id for line in lines}
    for line in lines:
        if line.kind in GIVES:
            named |= {line.data["from"], line.data["to"]}
        if line.kind in NAMES_ANOTHER:
            named.add(line.data["person"])
    if others := named - people.keys() - {None}:
        people |= User.objects.only(*NAMES, "role").in_bulk(others)
    for line in lines:
        line.actor = people.get(line.actor_id)
        if line.kind == Kind.ASSIGNED:
            line.agent = people.get(line.data["to"])
        if line.kind == Kind.REQUESTER:
            line.customer = people.get(line.data["to"])
        if line.kind in GIVES:
            line.former = people.get(line.data["from"])
        if line.kind in NAMES_ANOTHER:
            line.person = people.get(line.data["person"])


def name_rules(lines):
    """Gives each line its ``by_rule``, the rule of operators that wrote it, in one query for all.
    Only staff read which."""
    named = {line.data.get("by_rule") for line in lines}
    rules = Rule.objects.only("name").in_bulk(named - {None})
    for line in lines:
        line.by_rule = rules.get(line.data.get("by_rule"))


def _bring_files(lines):
    """Gives each line its ``files``, in one query for all."""
    by_line = {line.pk: line for line in lines}
    for line in lines:
        line.files = []
    for file in Attachment.objects.filter(event__in=by_line):
        by_line[file.event_id].files.append(file)


def _lay_out(lines, previous, reader):
    """Says of each line whether it ``opens_day``, ``is_event`` or ``is_said``, which may be both,
    and ``by`` whom: ``is_mine`` when by ``reader``. ``anchor`` is its number as
    text, after that of its ticket if it was merged.

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
        line.anchor = f"{line.source}-{line.number}" if line.source else str(line.number)
        line.by = you if line.is_mine else str(line.actor or registry)
        last = day


def _add_remarks(lines, requester, *, to_staff):
    """Gives each line its ``remark``, which stands beside the name; and says if it ``is_mail`` or
    ``is_automatic``."""
    to_requester = _("to %(name)s") % {"name": requester.first_name}
    for line in lines:
        line.is_automatic = line.data.get("rule") == OUT_OF_HOURS
        remarks = [_("automatic answer")] if line.is_automatic else []
        if line.source:
            remarks.append(_("from %(number)s") % {"number": line.source})
        if to_staff:
            remarks += _remarks_to_staff(line, requester, to_requester)
        line.remark = " · ".join(remarks)
        line.is_mail = "mail" in line.data


def _remarks_to_staff(line, requester, to_requester):
    if line.by_rule and not line.is_event:
        yield _("Rule “%(rule)s” did this") % {"rule": line.by_rule}
    is_message = line.kind == Kind.MESSAGE
    is_theirs = line.actor and line.actor.role == Role.CUSTOMER
    if is_message and not is_theirs:
        yield to_requester
    if line.kind == Kind.RAISED or (is_message and "channel" in line.data):
        yield str(line.channel.label)


def timeline_of(ticket) -> list[TicketEvent]:
    """The steps a requester follows (D3-2): raised, assigned, moved; the oldest first."""
    steps = ticket.events.filter(
        kind__in=[Kind.RAISED, Kind.ASSIGNED, Kind.STATUS], audience=Audience.EVERYONE
    ).defer(*SEAL)
    newest = list(steps.order_by("-number")[:TIMELINE_LENGTH])
    lines = [step for step in newest[::-1] if step.data.get("why") != Part.ASSIGNMENT]
    name_people(lines, ticket)
    return lines

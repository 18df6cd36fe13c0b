"""Why an answer is due when it is, step by step, in words for its requester and for staff."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..counting import LIMIT
from ..models import Ticket, TicketEvent
from ..wording import clock, day, span, when
from ..workflow import OURS
from . import sla
from .hours import ALWAYS

PIECES_SHOWN = 7


@dataclass(frozen=True)
class Outlook:
    """What a requester may expect besides the promise, as far as it is known."""

    place: str
    usual: str
    why: list[str]


def outlook_of(ticket) -> Outlook | None:
    """None once there is nothing to wait for."""
    if not ticket.is_live:
        return None
    return Outlook(place_of(ticket), _usual(ticket.category), why(ticket))


def place_of(ticket) -> str:
    """How many tickets that nobody has were raised before it; empty once somebody has it."""
    if ticket.assignee_id or not ticket.is_live:
        return ""
    count = earlier_in_line(ticket).values("pk")[:LIMIT].count()
    if count == LIMIT:
        return _("More than %(n)s tickets are before yours.") % {"n": LIMIT - 1}
    if not count:
        return _("Yours is the next to be taken.")
    words = ngettext("%(n)s ticket is before yours.", "%(n)s tickets are before yours.", count)
    return words % {"n": count}


def earlier_in_line(ticket):
    """In the order of the index: without one the whole table might be read."""
    earlier = Ticket.objects.unassigned().filter(created_at__lt=ticket.created_at)
    return earlier.order_by("created_at", "pk")


def _usual(category) -> str:
    if not category.usual_solution:
        return ""
    words = _("Lately half of the tickets about this were resolved within %(length)s.")
    return words % {"length": span(category.usual_solution)}


def promise_words(terms) -> str:
    """Within which time an answer is promised."""
    length = {"length": span(terms.answer_within)}
    if terms.hours == ALWAYS:
        return _("An answer is promised within %(length)s, day and night.") % length
    return _("An answer is promised within %(length)s of opening time.") % length


def why(ticket) -> list[str]:
    """The steps that lead to ``due_at``; none while the next step is not ours."""
    since = ticket.due_since
    if ticket.status not in OURS or since is None:
        return []
    terms = sla.terms_of(ticket)
    due_at = terms.answer_due(since)
    if ticket.due_at != due_at and not _was_moved(ticket):
        changed = _("Opening hours or service levels were changed since.")
        stays = _("What was promised stays: %(time)s.") % {"time": when(ticket.due_at)}
        return [_("The time counts from %(time)s.") % {"time": when(since)}, f"{changed} {stays}"]
    steps = [
        promise_words(terms),
        _("The time counts from %(time)s.") % {"time": when(since)},
        *_counting(terms, since, due_at),
        _("That is %(time)s.") % {"time": when(due_at)},
    ]
    if ticket.due_at != due_at:
        words = _("We moved it to %(time)s. The reason stands in the conversation.")
        steps.append(words % {"time": when(ticket.due_at)})
    return steps


def _was_moved(ticket) -> bool:
    """Whether a line tells why the answer is due when it is."""
    moves = ticket.events.filter(kind=TicketEvent.Kind.PROMISED).order_by("-number")
    newest = moves.values_list("data", flat=True).first()
    return bool(newest) and datetime.fromisoformat(newest["to"]) == ticket.due_at


def _counting(terms, since, due_at):
    """Which pieces of opening time count, and which holidays do not."""
    if terms.hours == ALWAYS:
        return
    pieces = list(islice(terms.hours.counted(since, terms.answer_within), PIECES_SHOWN + 1))
    days = (since.astimezone(terms.hours.zone).date(), due_at.astimezone(terms.hours.zone).date())
    steps = [
        (holiday, _("%(day)s is a holiday and does not count.") % {"day": day(holiday)})
        for holiday in terms.hours.holidays
        if days[0] <= holiday <= days[1]
    ]
    for opens, closes in pieces[:PIECES_SHOWN]:
        steps.append((opens.astimezone(terms.hours.zone).date(), _piece(opens, closes)))
    yield from (words for _day, words in sorted(steps))
    if len(pieces) > PIECES_SHOWN:
        yield _("And so on, for as long as it is open each day.")


def _piece(opens: datetime, closes: datetime) -> str:
    return _("%(day)s, from %(opens)s to %(closes)s: %(length)s") % {
        "day": day(opens),
        "opens": clock(opens),
        "closes": clock(closes),
        "length": span(closes - opens),
    }


def moved_words(line) -> str:
    """What a line says that promised the answer for another time."""
    times = {"time": when(datetime.fromisoformat(line.data["to"]))}
    return _MOVED[line.data["because"]]() % times


# Made when they are asked for, in the language of that moment.
_MOVED = {
    "hand": lambda: _("The answer is promised by %(time)s now."),
    "priority": lambda: _("The priority was changed: the answer is promised by %(time)s now."),
    "category": lambda: _("The category was changed: the answer is promised by %(time)s now."),
}

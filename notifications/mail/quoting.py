"""What a mail about a message quotes below it: what was said just before."""

import textwrap
from dataclasses import dataclass

from django.utils.translation import gettext as _

from tickets.models import Audience, TicketEvent
from tickets.wording import when

Line = TicketEvent.Kind

SAID = (Line.RAISED, Line.MESSAGE, Line.STATUS)  # a solution, or a question, may come with a move
MOST_LINES = 2
MAX_QUOTE = 1000  # characters of each


@dataclass(frozen=True)
class Said:
    """``by`` is the line above, like "On Thu 5 Nov, 10:36 Alice Archer wrote:"."""

    by: str
    words: str

    @property
    def quoted(self) -> str:
        return quoted(self.words)


def said_before(event: TicketEvent) -> list[Said]:
    """What ``event`` answers, the newest first; nothing unless it is a public message. Whoever may
    read that may read them: they are public lines of the same ticket."""
    if event.kind != Line.MESSAGE or event.audience != Audience.EVERYONE:
        return []
    before = TicketEvent.objects.filter(
        ticket=event.ticket_id,
        number__lt=event.number,
        kind__in=SAID,
        audience=Audience.EVERYONE,
    ).exclude(text="")
    ticket = event.ticket
    at_hand = (ticket.requester, ticket.assignee, event.actor)
    people = {each.pk: each for each in at_hand if each}
    lines = before.only("text", "data", "at", "actor").order_by("-number")[:MOST_LINES]
    return [Said(_written_by(line, people), cut(line.new_words, MAX_QUOTE)) for line in lines]


def _written_by(line, people) -> str:
    """``people`` are those at hand by their keys; others are asked for."""
    name = people.get(line.actor_id) or line.actor or _("The registry")
    return _("On %(time)s %(name)s wrote:") % {"time": when(line.at), "name": name}


def quoted(words: str) -> str:
    return textwrap.indent(words, "> ", lambda line: True)


def cut(words: str, limit: int) -> str:
    """``words``, or as many of them as fit into ``limit`` characters."""
    if len(words) <= limit:
        return words
    return words[: limit - 1].rsplit(maxsplit=1)[0] + "…"

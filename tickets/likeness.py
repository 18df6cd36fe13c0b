"""Whether somebody told us about it already: plain words compared, no search engine."""

import re
import unicodedata

from .models import Category, Ticket, TicketEvent

NEWEST = 20  # live tickets of one person that are compared
ALIKE = 0.6  # of the words of the shorter text
SHORTEST_WORD = 3


def tickets_like(person, *, category: Category, subject: str, description: str) -> list[Ticket]:
    """The live tickets of ``person`` in ``category`` that tell much the same, the newest first."""
    live = Ticket.objects.live().filter(requester=person).order_by("-pk")
    newest = live.only("reference", "subject", "category_id")[:NEWEST]
    same = {each.pk: each for each in newest if each.category_id == category.pk}
    told = TicketEvent.objects.filter(ticket__in=same, number=1).values_list("ticket_id", "text")
    texts = dict(told) if same else {}
    return [
        each
        for pk, each in same.items()
        if _overlap(subject, each.subject) >= ALIKE
        or _overlap(description, texts.get(pk, "")) >= ALIKE
    ]


def _overlap(one: str, other: str) -> float:
    """How much of the shorter text stands in the other as well, from 0 to 1."""
    words, others = _words(one), _words(other)
    shorter = min(len(words), len(others))
    return len(words & others) / shorter if shorter else 0


def _words(text: str) -> set[str]:
    """Without the short words that every sentence has."""
    return {word for word in re.findall(r"\w+", plain(text)) if len(word) >= SHORTEST_WORD}


def plain(text: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))

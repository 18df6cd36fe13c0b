"""Lists page by key: the last row shown, never an offset and never a count of the table."""

from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True)
class Page:
    rows: list
    next_after: str  # the reference to ask "after" with; empty on the last page
    is_first: bool


def page_after(tickets, ordering: list[str], after: str, size: int) -> Page:
    """``size`` tickets in ``ordering`` that come after the one with the reference ``after``.

    ``ordering`` ends with the primary key, names no nullable field, and an index of the ticket
    serves it. An unknown reference gives the first page.
    """
    fields = [name.lstrip("-") for name in ordering]
    last = tickets.filter(reference=after).values(*fields).first() if after else None
    if last:
        tickets = tickets.filter(_beyond(ordering, last))
    rows = list(tickets.order_by(*ordering)[: size + 1])
    more = len(rows) > size
    return Page(rows[:size], rows[size - 1].reference if more else "", is_first=last is None)


def _beyond(ordering, last) -> Q:
    """(a, b, c) > last, written out; the first part alone bounds the index range."""
    beyond = Q()
    same = Q()
    for name in ordering:
        field = name.lstrip("-")
        comparison = "lt" if name.startswith("-") else "gt"
        beyond |= same & Q(**{f"{field}__{comparison}": last[field]})
        same &= Q(**{field: last[field]})
    first = ordering[0]
    bound = "lte" if first.startswith("-") else "gte"
    return Q(**{f"{first.lstrip('-')}__{bound}": last[first.lstrip("-")]}) & beyond

"""Lists page by key: the place of the last row shown, never an offset or a count of the table."""

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.db.models import Q


@dataclass(frozen=True)
class Page:
    rows: list
    next_after: str  # the place to ask "after" with; empty on the last page
    is_first: bool


def page_after(tickets, ordering: list[str], after: str, size: int) -> Page:
    """``size`` tickets in ``ordering`` that come after the place ``after``.

    ``ordering`` ends with the primary key, names no nullable field, and an index of the ticket
    serves it. A place is the values of a row, so it stays where it was when its ticket moves or
    leaves the list. It is signed; one that is not ours gives the first page.
    """
    fields = [name.lstrip("-") for name in ordering]
    signer = Signer(salt=f"tickets.paging:{','.join(ordering)}")
    try:
        last = signer.unsign_object(after)
    except BadSignature:
        last = None
    if last:
        tickets = tickets.filter(_beyond(ordering, dict(zip(fields, last, strict=True))))
    rows = list(tickets.order_by(*ordering)[: size + 1])
    shown = rows[:size]
    more = len(rows) > size
    place = (
        signer.sign_object([_plain(getattr(shown[-1], name)) for name in fields]) if more else ""
    )
    return Page(shown, place, is_first=last is None)


def _plain(value):
    """Moments as text, to the microsecond; truth and numbers are plain already."""
    return value if isinstance(value, int) else str(value)


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

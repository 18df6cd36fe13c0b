"""What operators say to whoever writes while nobody is there, and when somebody is there again."""

from datetime import datetime

from accounts.remembered import Remembered

from ..models import Category
from . import sla

OUT_OF_HOURS = "out_of_hours"  # the rule that the lines with these words name


def _read() -> dict[int, str]:
    """By category. One without words of its own says what the one above it says."""
    categories = list(Category.objects.values_list("pk", "parent_id", "away_words"))
    own = {pk: words.strip() for pk, _parent_id, words in categories}
    said = {pk: own[pk] or own.get(parent_id, "") for pk, parent_id, _words in categories}
    return {pk: words for pk, words in said.items() if words}


_words = Remembered(_read)
forget = _words.forget  # they were changed


def words_for(ticket) -> str:
    """Empty for most: asks neither the ticket's category nor its calendar."""
    return _words().get(ticket.category_id, "")


def back_at(ticket, now: datetime) -> datetime | None:
    """When the calendar that ``ticket`` was promised under opens again; None while it is open.

    Without opening hours a desk is never shut.
    """
    opens_at, _closes_at = next(sla.terms_of(ticket).hours.open_from(now), (now, now))
    return opens_at if opens_at > now else None

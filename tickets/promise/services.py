"""What the organisation can be asked about, for everybody to read (D0-23)."""

from dataclasses import dataclass

from ..models import Category
from ..wording import span
from . import sla
from .deadlines import promise_words


@dataclass(frozen=True)
class Service:
    name: str
    promise: str  # within which time an answer is promised
    usual: str  # how long answers took lately; empty: too few to say
    parts: list["Service"]


def offered() -> list[Service]:
    """The active categories, each with the active ones below it."""
    categories = list(Category.objects.active())
    known = {category.pk for category in categories}

    def below(parent_id):
        return [
            _service(category, below(category.pk))
            for category in categories
            if (category.parent_id if category.parent_id in known else None) == parent_id
        ]

    return below(None)


def _service(category, parts):
    terms = sla.terms_for(category, category.default_priority)
    usual = category.usual_answer
    return Service(category.name, promise_words(terms), span(usual) if usual else "", parts)

"""How long tickets of each category usually take, measured by a job so that no page counts."""

from collections import defaultdict
from datetime import timedelta
from statistics import median

from django.utils import timezone

from ..models import Category, Ticket

DAYS = 90
ENOUGH = 10  # fewer say nothing about the next one
NEWEST_MEASURED = 100_000  # one scan of an index, however large the table


def measure() -> None:
    """Keep the median of the last days on each category, or that there are too few to say.

    Safe to run at any time, also twice at once.
    """
    answers, solutions = defaultdict(list), defaultdict(list)
    for category, raised, answered, resolved in _lately_resolved():
        solutions[category].append(resolved - raised)
        if answered:
            answers[category].append(answered - raised)
    categories = list(Category.objects.all())
    for category in categories:
        category.usual_answer = _middle(answers[category.pk])
        category.usual_solution = _middle(solutions[category.pk])
    Category.objects.bulk_update(categories, ["usual_answer", "usual_solution"])


def _lately_resolved():
    since = timezone.now() - timedelta(days=DAYS)
    ended = Ticket.objects.filter(resolved_at__gte=since, deleted_at=None).order_by("-resolved_at")
    return ended.values_list("category_id", "created_at", "first_responded_at", "resolved_at")[
        :NEWEST_MEASURED
    ].iterator()


def _middle(lengths) -> timedelta | None:
    return median(lengths) if len(lengths) >= ENOUGH else None

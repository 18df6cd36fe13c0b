"""What happened on each day, counted by a job so that no page counts the table."""

from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from .models import DaySummary, Ticket
from .wording import desk_day

FIRST_DAYS = 30  # how far the first run looks back


def summarise_days(since: date | None = None) -> None:
    """Count the days from ``since`` until today anew, days on which nothing happened included.

    Without ``since``: from yesterday, or from the last day counted if that is longer ago. Days
    are those of the site's time zone. Safe to run at any time, also twice at once.
    """
    today = desk_day()
    since = since or _first_day_to_count(today)
    raised, resolved = _per_day("created_at", since), _per_day("resolved_at", since)
    days = [since + timedelta(days=n) for n in range((today - since).days + 1)]
    DaySummary.objects.bulk_create(
        [DaySummary(day=d, raised=raised.get(d, 0), resolved=resolved.get(d, 0)) for d in days],
        update_conflicts=True,
        unique_fields=["day"],
        update_fields=["raised", "resolved"],
    )


def _first_day_to_count(today: date) -> date:
    last = DaySummary.objects.order_by("-day").first()
    if last is None:
        return today - timedelta(days=FIRST_DAYS - 1)
    # The last day may have been counted before it was over.
    return min(last.day, today - timedelta(days=1))


def _per_day(moment: str, since: date) -> dict[date, int]:
    """How many tickets have ``moment`` on each day from ``since``: one scan of its index."""
    start = timezone.make_aware(datetime.combine(since, time.min))
    return dict(
        Ticket.objects.filter(**{f"{moment}__gte": start})
        .order_by()
        .values_list(TruncDate(moment))
        .annotate(Count("pk"))
    )

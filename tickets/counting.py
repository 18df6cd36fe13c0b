"""Counting without ever counting a table."""

from django.db.models import IntegerField, Subquery

from accounts.models import User

LIMIT = 100


class CappedCount(Subquery):
    """Counts the rows of a sliced subquery.

    ``CappedCount(Ticket.objects.filter(assignee=OuterRef("pk")).values("pk")[:100])``
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()


def capped_counts(user: User, **querysets) -> dict[str, str]:
    """How many rows each of ``querysets`` has, up to a limit: "7", "99+". One query for all."""
    counts = {
        name: CappedCount(rows.order_by().values("pk")[:LIMIT]) for name, rows in querysets.items()
    }
    found = User.objects.filter(pk=user.pk).values(**counts).get()
    return {name: f"{LIMIT - 1}+" if n == LIMIT else str(n) for name, n in found.items()}

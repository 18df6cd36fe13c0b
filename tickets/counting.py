from django.db.models import IntegerField, Subquery


class CappedCount(Subquery):
    """Counts the rows of a sliced subquery, so that no page counts a whole table.

    ``CappedCount(Ticket.objects.filter(assignee=OuterRef("pk")).values("pk")[:100])``
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"
    output_field = IntegerField()

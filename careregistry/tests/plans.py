"""How the database finds rows."""

from django.db import connection


def plan_of(rows) -> str:
    """The database's plan for a queryset, of a table too large to be read whole or sorted.

    Else it hangs on whether PostgreSQL counted the table's rows lately, at a time of its own."""
    if connection.vendor == "postgresql":
        ways = ["seqscan", "bitmapscan", "sort"] if rows.ordered else ["seqscan"]
        with connection.cursor() as cursor:
            for way in ways:
                cursor.execute(f"SET LOCAL enable_{way} = off")
    return rows.explain()

"""Rows that one process at a time works on, for as long as its lease lasts."""

from datetime import datetime, timedelta

from django.db.models import Q


def unleased(now: datetime, longest: timedelta) -> Q:
    """Nobody works on it: it was never leased, the lease is over, or it would last longer than any
    may. Then a clock was ahead that made it, and who waited for its end would wait for days.

    ``longest`` is more than leases last by as much as the clocks of two hosts may differ."""
    is_impossible = Q(leased_until__gt=now + longest)
    return Q(leased_until=None) | Q(leased_until__lt=now) | is_impossible

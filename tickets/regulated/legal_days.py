"""Days as laws count them: the day after something happened is day 1.

Nothing here asks the database.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..promise.hours import DAY, Hours

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class LegalDays:
    """All days, or only those on which ``hours`` are open; midnight is where they are."""

    hours: Hours
    only_open: bool

    def due(self, since: datetime, days: int) -> datetime:
        """The last second of so many days after ``since``."""
        return self.hours.begin_of(self._moved(self._day_of(since), days) + DAY) - SECOND

    def warn(self, due_at: datetime, days: int) -> datetime:
        """When the day begins that lies so many days before the one that ends with ``due_at``."""
        return self.hours.begin_of(self._moved(self._day_of(due_at), -days))

    def _day_of(self, moment):
        return moment.astimezone(self.hours.zone).date()

    def _moved(self, day: date, days: int) -> date:
        step = DAY if days > 0 else -DAY
        left = abs(days)
        while left:
            day += step
            left -= self._counts(day)
        return day

    def _counts(self, day) -> bool:
        # What never opens would never come to an end: then every day counts.
        return not (self.only_open and any(self.hours.week)) or self.hours.is_open_on(day)

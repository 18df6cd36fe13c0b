"""Business hours: when a desk is open, and how much of that lies between two moments.

Nothing here asks the database. Opening hours are times on the wall of the desk. Each becomes a
piece of real time by itself, so days on which the clocks change are as long as they are.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)  # as the end: of the same day
DAY = timedelta(days=1)
# What takes longer is due then: a desk that hardly ever opens must not keep anybody reckoning.
FARTHEST = timedelta(days=3660)


@dataclass(frozen=True)
class Hours:
    """``week`` holds (opens, closes) of each weekday, Monday first; on ``holidays`` it is shut."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[time, time], ...], ...]
    holidays: frozenset[date] = frozenset()

    def open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When it is open from ``start`` on, piece by piece, no further than FARTHEST."""
        day = start.astimezone(self.zone).date() - DAY  # in case the clocks go back over midnight
        last_day = day + FARTHEST
        reached = start.astimezone(UTC)
        while day <= last_day:
            for opens, closes in self._pieces_of(day):
                if closes > reached:
                    yield max(opens, reached), closes
                    reached = closes
            day += DAY

    def is_open_on(self, day: date) -> bool:
        return any(True for _piece in self._pieces_of(day))

    def begin_of(self, day: date) -> datetime:
        """Its midnight, or when the clocks jump over that, the moment at which they jump."""
        return _moment(day, MIDNIGHT, self.zone, fold=0)

    def _pieces_of(self, day):
        if day in self.holidays:
            return
        for opens, closes in sorted(self.week[day.weekday()]):
            if closes == MIDNIGHT:
                end = _moment(day + DAY, closes, self.zone, fold=0)
            else:
                end = _moment(day, closes, self.zone, fold=1)
            # An hour that the clocks jump over is none.
            if (start := _moment(day, opens, self.zone, fold=0)) < end:
                yield start, end

    def counted(self, start: datetime, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
        """The pieces of open time that make up ``length`` from ``start``."""
        left = length
        for opens, closes in self.open_from(start):
            if left <= timedelta():
                return
            yield opens, min(closes, opens + left)
            left -= closes - opens

    def add(self, start: datetime, length: timedelta) -> datetime:
        """The moment at which ``length`` of open time has passed since ``start``."""
        if length <= timedelta():
            return start
        left = length
        for opens, closes in self.counted(start, length):
            left -= closes - opens
            if not left:
                return closes
        return start + FARTHEST

    def subtract(self, end: datetime, length: timedelta) -> datetime:
        """The moment from which on there is ``length`` of open time until ``end``."""
        reached, left = end.astimezone(UTC), length
        day = end.astimezone(self.zone).date() + DAY  # as in ``open_from``
        first_day = day - FARTHEST
        while left > timedelta() and day >= first_day:
            for opens, closes in sorted(self._pieces_of(day), key=itemgetter(1), reverse=True):
                counted = min(closes, reached) - opens
                if counted >= left:
                    return min(closes, reached) - left
                if counted > timedelta():
                    reached, left = opens, left - counted
            day -= DAY
        return reached

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How long it is open from ``start`` to ``end``: nothing if that is not later."""
        open_for = timedelta()
        for opens, closes in self.open_from(start):
            if opens >= end:
                break
            open_for += min(closes, end) - opens
        return open_for


def _moment(day: date, at: time, zone: ZoneInfo, fold: int) -> datetime:
    """When the clock on the wall says ``at``: the first time with ``fold`` 0, the last with 1.

    If the clocks jump over it, the moment at which they jump.
    """
    wall = datetime.combine(day, at, zone).replace(fold=fold)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    after = wall.replace(fold=0).astimezone(UTC)
    before = wall.replace(fold=1).astimezone(UTC)
    minutes = range(int((after - before) / timedelta(minutes=1)) + 1)
    old = before.astimezone(zone).utcoffset()
    jump = bisect_left(
        minutes,
        True,
        key=lambda n: (before + timedelta(minutes=n)).astimezone(zone).utcoffset() != old,
    )
    return before + timedelta(minutes=jump)


class RoundTheClock(Hours):
    """Never shut. The same answers as seven whole days, without looking at any."""

    def add(self, start, length):
        return start + length

    def subtract(self, end, length):
        return end - length

    def between(self, start, end):
        return max(end - start, timedelta())


ALWAYS = RoundTheClock(ZoneInfo("UTC"), (((MIDNIGHT, MIDNIGHT),),) * 7)

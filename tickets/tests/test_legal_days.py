"""Days as laws count them, against a slow model that looks at every minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.promise.hours import Hours
from tickets.regulated.legal_days import LegalDays

from .test_hours import LONDON, MINUTE, OFFICE, calendars, in_day, open_minutes

NEAR = timedelta(days=14)
SECOND = timedelta(seconds=1)


def minutes_by_day(hours, first: date, last: date) -> dict[date, list[datetime]]:
    """Each minute under the day that the calendar on the wall shows."""
    minutes: dict[date, list[datetime]] = {}
    moment = datetime.combine(first, time(0), UTC) - timedelta(days=2)
    while moment.date() <= last + timedelta(days=2):
        minutes.setdefault(moment.astimezone(hours.zone).date(), []).append(moment)
        moment += MINUTE
    return minutes


def counted_days(hours, only_open, first: date, last: date) -> list[date]:
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if not only_open:
        return every
    open_at = open_minutes(hours, first, last)
    days_open = {minute.astimezone(hours.zone).date() for minute in open_at}
    return [day for day in every if day in days_open]


@settings(deadline=None, max_examples=40)
@given(calendars, in_day, st.integers(1, 4), st.booleans())
def test_due_is_the_last_second_of_the_day_that_is_counted_to(calendar, at, count, only_open):
    """D4-7: the day after is day 1; days on which the clocks change are days."""
    hours, near = calendar
    since = datetime.combine(near, time(0), UTC) + at
    received = since.astimezone(hours.zone).date()
    days = counted_days(hours, only_open, received + timedelta(days=1), received + NEAR)
    if len(days) < count:
        return
    target = days[count - 1]

    due_at = LegalDays(hours, only_open).due(since, count)

    minutes = minutes_by_day(hours, received, target)
    last = max(minute for day in minutes if day <= target for minute in minutes[day])
    assert due_at == last + MINUTE - SECOND


@settings(deadline=None, max_examples=40)
@given(calendars, in_day, st.integers(0, 3), st.booleans())
def test_a_warning_comes_as_the_day_begins(calendar, at, count, only_open):
    hours, near = calendar
    due_at = datetime.combine(near, time(0), UTC) + at
    due = due_at.astimezone(hours.zone).date()
    before = counted_days(hours, only_open, due - NEAR, due - timedelta(days=1))
    if len(before) < count:
        return
    target = before[-count] if count else due

    warn_at = LegalDays(hours, only_open).warn(due_at, count)

    minutes = minutes_by_day(hours, target, due)
    assert warn_at == min(minute for day in minutes if day >= target for minute in minutes[day])


CHRISTMAS = Hours(LONDON, OFFICE, frozenset({date(2026, 12, 25)}))


@pytest.mark.parametrize(
    ("since", "count", "only_open", "due"),
    [
        pytest.param("2026-11-16 09:00", 3, True, "2026-11-19", id="in a week"),
        pytest.param("2026-11-19 23:30", 3, True, "2026-11-24", id="over a weekend"),
        pytest.param("2026-11-21 12:00", 1, True, "2026-11-23", id="on a Saturday"),
        pytest.param("2026-12-24 12:00", 1, True, "2026-12-28", id="over a holiday"),
        pytest.param("2026-12-24 12:00", 1, False, "2026-12-25", id="each day counts"),
        pytest.param("2026-10-23 23:30", 2, False, "2026-10-26", id="it is tomorrow there"),
    ],
)
def test_an_office_in_london(since, count, only_open, due):
    since = datetime.fromisoformat(f"{since}+00:00")

    due_at = LegalDays(CHRISTMAS, only_open).due(since, count)

    assert due_at.astimezone(LONDON).isoformat(" ")[:19] == f"{due} 23:59:59"


def test_what_never_opens_keeps_nobody_counting():
    never = Hours(ZoneInfo("UTC"), ((),) * 7)
    since = datetime(2026, 11, 16, 9, tzinfo=UTC)

    assert LegalDays(never, True).due(since, 3) == LegalDays(never, False).due(since, 3)

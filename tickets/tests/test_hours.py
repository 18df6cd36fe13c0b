"""Business hours, against a slow model that looks at every minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.promise.hours import ALWAYS, FARTHEST, Hours

MINUTE = timedelta(minutes=1)
OFFICE = (((time(9), time(17)),),) * 5 + ((),) * 2
LONDON = ZoneInfo("Europe/London")
# Clocks that change by an hour and by half of one, at night and at midnight, and a lost day.
ZONES = (
    "UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Africa/Casablanca", "Pacific/Apia",
)  # fmt: skip
CHANGES = [
    date(2011, 12, 29),  # Apia had no 30th
    date(2015, 10, 18),  # São Paulo had no midnight
    *(date(2026, 3, day) for day in (7, 8, 28, 29)),
    *(date(2026, 4, day) for day in (4, 5)),
    *(date(2026, 10, day) for day in (3, 4, 24, 25, 31)),
    date(2026, 11, 1),
]

quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def openings(draw):
    opens, closes = draw(quarters), draw(quarters)
    return (opens, closes) if closes == time(0) or opens < closes else (closes, opens)


weeks = st.tuples(
    *[st.lists(openings().filter(lambda o: o[0] != o[1]), max_size=3).map(tuple)] * 7
).filter(any)
days = st.sampled_from(CHANGES) | st.dates(date(2012, 1, 1), date(2035, 1, 1))
calendars = st.builds(
    lambda zone, week, near, gone: (
        Hours(ZoneInfo(zone), week, frozenset(near + timedelta(days=n) for n in gone)),
        near,
    ),
    st.sampled_from(ZONES),
    weeks,
    days,
    st.sets(st.integers(-1, 3), max_size=2),
)
in_day = st.integers(0, 24 * 60 - 1).map(lambda n: n * MINUTE)


def open_minutes(hours, first: date, last: date) -> set[datetime]:
    """The slow model. A day's minutes are those that its name stands over on the wall. From the
    first that reads the opening time or later, to the last that reads earlier than the closing
    time, somebody is there."""
    minutes: dict[date, list[datetime]] = {}
    moment = datetime.combine(first, time(0), UTC) - timedelta(days=2)
    while moment.date() <= last + timedelta(days=2):
        minutes.setdefault(moment.astimezone(hours.zone).date(), []).append(moment)
        moment += MINUTE
    found = set()
    for day, of_day in minutes.items():
        if day in hours.holidays:
            continue
        wall = [minute.astimezone(hours.zone).time() for minute in of_day]
        for opens, closes in hours.week[day.weekday()]:
            after = [n for n, at in enumerate(wall) if at >= opens]
            before = [n for n, at in enumerate(wall) if closes == time(0) or at < closes]
            if after and before:
                found |= set(of_day[after[0] : before[-1] + 1])
    return found


@settings(deadline=None)
@given(calendars, in_day, in_day)
def test_between_is_what_the_minutes_say(calendar, first, second):
    """D1-15"""
    hours, near = calendar
    start = datetime.combine(near, time(0), UTC) + first
    end = datetime.combine(near + timedelta(days=2), time(0), UTC) + second
    model = open_minutes(hours, near, near + timedelta(days=2))

    counted = sum(start <= minute < end for minute in model)

    assert hours.between(start, end) == counted * MINUTE


@settings(deadline=None)
@given(calendars, in_day, st.integers(0, 30 * 60))
def test_add_is_what_the_minutes_say(calendar, at, length):
    """D1-15"""
    hours, near = calendar
    start = datetime.combine(near, time(0), UTC) + at
    model = sorted(m for m in open_minutes(hours, near, near + timedelta(days=2)) if m >= start)

    end = hours.add(start, length * MINUTE)

    if length == 0:
        assert end == start
    elif length <= len(model):
        assert end == model[length - 1] + MINUTE


@settings(deadline=None)
@given(calendars, in_day, st.integers(1, 200 * 60))
def test_adding_what_lies_between_leads_back(calendar, at, length):
    hours, near = calendar
    start = datetime.combine(near, time(0), UTC) + at

    assert hours.between(start, hours.add(start, length * MINUTE)) == length * MINUTE


@settings(deadline=None)
@given(calendars, in_day, st.integers(0, 30 * 60))
def test_subtract_is_what_the_minutes_say(calendar, at, length):
    """D1-15"""
    hours, near = calendar
    end = datetime.combine(near + timedelta(days=2), time(0), UTC) + at
    model = sorted(m for m in open_minutes(hours, near, near + timedelta(days=2)) if m < end)

    start = hours.subtract(end, length * MINUTE)

    if length == 0:
        assert start == end
    elif length <= len(model):
        assert start == model[-length]


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        pytest.param("2026-11-20 16:00", 2, "2026-11-23 10:00", id="over the weekend"),
        pytest.param("2026-11-20 16:00", 1, "2026-11-20 17:00", id="to the last minute"),
        pytest.param("2026-11-21 12:00", 1, "2026-11-23 10:00", id="from a shut day"),
        pytest.param("2026-03-27 16:00", 2, "2026-03-30 09:00", id="the clocks go forward"),
        pytest.param("2026-10-23 15:00", 2, "2026-10-26 10:00", id="the clocks go back"),
        pytest.param("2026-12-24 16:00", 2, "2026-12-28 10:00", id="over a holiday"),
    ],
)
def test_an_office_in_london(start, length, end):
    """D1-15: times are in UTC, hours on the wall of the office."""
    hours = Hours(LONDON, OFFICE, frozenset({date(2026, 12, 25)}))

    found = hours.add(datetime.fromisoformat(f"{start}+00:00"), timedelta(hours=length))

    assert found == datetime.fromisoformat(f"{end}+00:00")
    assert hours.add(hours.subtract(found, timedelta(hours=length)), timedelta(hours=length)) == (
        found
    )


@settings(deadline=None)
@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)), in_day)
def test_round_the_clock_is_seven_whole_days(start, length):
    whole = Hours(ZoneInfo("UTC"), ALWAYS.week)

    assert ALWAYS.add(start, length) == whole.add(start, length) == start + length
    assert ALWAYS.between(start, start + length) == whole.between(start, start + length) == length
    assert ALWAYS.between(start + length, start) == timedelta()
    assert ALWAYS.subtract(start, length) == whole.subtract(start, length) == start - length


def test_a_desk_that_never_opens_keeps_nobody_reckoning():
    start = datetime(2026, 11, 20, tzinfo=UTC)
    never = Hours(LONDON, ((),) * 7)

    assert never.add(start, timedelta(hours=1)) == start + FARTHEST
    assert never.between(start, start + timedelta(days=365)) == timedelta()
    assert never.subtract(start, timedelta(hours=1)) == start

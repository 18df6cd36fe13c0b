"""Quiet hours and digests, by the clocks of who is told."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from notifications.models import Reaching
from notifications.pacing import digest_after, quiet_until

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = ("22:00", "07:00")


def at(words):
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def quiet(hours, now):
    begins, ends = map(time.fromisoformat, hours)
    found = quiet_until(Reaching(quiet_from=begins, quiet_until=ends), BERLIN, now)
    return found and found.strftime("%d %H:%M")  # in UTC


@pytest.mark.parametrize(
    ("hours", "now", "ends"),
    [
        (NIGHT, "2026-01-10 20:59", None),
        (NIGHT, "2026-01-10 21:00", "11 06:00"),
        (NIGHT, "2026-01-10 23:30", "11 06:00"),
        (NIGHT, "2026-01-11 05:59", "11 06:00"),
        (NIGHT, "2026-01-11 06:00", None),
        (("12:00", "13:30"), "2026-01-10 10:59", None),
        (("12:00", "13:30"), "2026-01-10 11:00", "10 12:30"),
        (("12:00", "13:30"), "2026-01-10 12:30", None),
        (("12:00", "12:00"), "2026-01-10 11:00", None),  # no time at all
        # The night in which clocks go forward is an hour shorter, the other one longer.
        (NIGHT, "2026-03-28 23:30", "29 05:00"),
        (NIGHT, "2026-10-24 21:30", "25 06:00"),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours, now, ends):
    assert quiet(hours, at(now)) == ends


LATE, EARLY = ("22:00", "02:30"), ("02:30", "07:00")


@pytest.mark.parametrize(
    ("hours", "now", "ends"),
    [
        # At one o'clock UTC of the 29th, clocks in Berlin jump from two to three.
        (LATE, "2026-03-29 00:30", "29 01:00"),
        (LATE, "2026-03-29 00:59", "29 01:00"),
        (LATE, "2026-03-29 01:00", None),
        (EARLY, "2026-03-29 00:59", None),
        (EARLY, "2026-03-29 01:00", "29 05:00"),
        # At one o'clock UTC of the 25th they go back from three to two: half past comes twice.
        (LATE, "2026-10-25 00:10", "25 01:30"),
        (LATE, "2026-10-25 00:40", "25 01:30"),
        (LATE, "2026-10-25 01:10", "25 01:30"),
        (LATE, "2026-10-25 01:30", None),
        (EARLY, "2026-10-25 00:29", None),
        (EARLY, "2026-10-25 00:30", "25 06:00"),
        (EARLY, "2026-10-25 01:10", "25 06:00"),
    ],
)
def test_quiet_hours_are_whole_where_an_hour_is_skipped_or_comes_twice(hours, now, ends):
    assert quiet(hours, at(now)) == ends


def test_nobody_without_quiet_hours_waits():
    assert quiet_until(Reaching(), BERLIN, at("2026-01-10 02:00")) is None


@pytest.mark.parametrize(
    ("hour", "moment", "digest"),
    [
        ("08:00", "2026-01-10 06:59", "10 07:00"),
        ("08:00", "2026-01-10 07:00", "11 07:00"),
        ("08:00", "2026-03-28 12:00", "29 06:00"),
        ("08:00", "2026-10-24 12:00", "25 07:00"),
        # Where its hour is skipped it comes when clocks go on; where it comes twice, once.
        ("02:30", "2026-03-28 12:00", "29 01:00"),
        ("02:30", "2026-03-29 01:00", "30 00:30"),
        ("02:30", "2026-10-24 12:00", "25 00:30"),
        ("02:30", "2026-10-25 00:30", "26 01:30"),
    ],
)
def test_the_digest_is_the_next_one_by_the_persons_clock(hour, moment, digest):
    found = digest_after(Reaching(digest_at=time.fromisoformat(hour)), BERLIN, at(moment))

    assert found.strftime("%d %H:%M") == digest

"""Holidays out of an iCalendar file (RFC 5545)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _

from ..models import Holiday
from ..wording import desk_day

YEARS = 3  # how far ahead days that come again every year are kept
LONGEST = 31  # days of one event
EARLIEST = 1900  # the year in which a day begins to come again
MOST_EVENTS = 1_000
# What a rule for holidays needs. Whatever counts hours or seconds would go on for ever.
RULE_PARTS = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYYEARDAY", "BYWEEKNO",
    "BYSETPOS",
}  # fmt: skip


class NotACalendar(ValueError):
    """The text is a sentence for whoever sent the file."""


def holidays_in(content: bytes) -> dict[date, str]:
    """The whole days from this year on that ``content`` names, with their names.

    What has a time of day is no holiday. Raises NotACalendar, also for a day that comes again more
    often than every year, or lasts too long: part of it would be kept, and nobody would know.
    """
    first = desk_day().replace(month=1, day=1)
    last = first.replace(year=first.year + YEARS, month=12, day=31)
    found = {}
    try:
        for event in _events(content):
            for day in _days_of(event, first, last):
                found.setdefault(day, _name_of(event))
    except NotACalendar:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as wrong:
        raise NotACalendar(_("This is not an iCalendar file")) from wrong
    return dict(sorted(found.items()))


def _events(content):
    from icalendar import Calendar  # noqa: PLC0415 -- slow to load, and hardly ever asked for

    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        if b"BEGIN:VCALENDAR" not in content:
            raise
        raise NotACalendar(_("The file must be text in UTF-8")) from wrong
    events = Calendar.from_ical(words).walk("VEVENT")
    if len(events) > MOST_EVENTS:
        refusal = _("There are more than %(n)s events in this file")
        raise NotACalendar(refusal % {"n": f"{MOST_EVENTS:,}"})
    return events


def _name_of(event) -> str:
    return str(event.get("SUMMARY", ""))[:200]


def _days_of(event, first: date, last: date) -> Iterator[date]:
    start = event["DTSTART"].dt
    if isinstance(start, datetime):
        return
    end = event["DTEND"].dt if "DTEND" in event else start + timedelta(days=1)
    length = max((end - start).days, 1)
    if length > LONGEST:
        words = _("“%(event)s” lasts longer than %(n)s days")
        raise NotACalendar(words % {"event": _name_of(event), "n": LONGEST})
    for begin in _begins(event, start, last):
        for day in (begin + timedelta(days=n) for n in range(length)):
            if first <= day <= last:
                yield day


def _begins(event, start: date, last: date) -> Iterator[date]:
    """The first days: one, or one for each year by the event's rule."""
    rule = event.get("RRULE")
    if rule is None:
        yield start
        return
    if rule.get("FREQ") != ["YEARLY"] or start.year < EARLIEST:
        words = _("“%(event)s” comes again more often than once a year, or since before %(year)s")
        raise NotACalendar(words % {"event": _name_of(event), "year": EARLIEST})
    parts = {name: value for name, value in rule.items() if name in RULE_PARTS}
    words = type(rule)(parts).to_ical().decode()
    excepted = _excepted(event)
    for moment in rrulestr(words, dtstart=datetime(start.year, start.month, start.day)):
        if moment.date() > last:
            return
        if moment.date() not in excepted:
            yield moment.date()


def _excepted(event) -> set[date]:
    lists = event.get("EXDATE", [])
    lists = lists if isinstance(lists, list) else [lists]
    days = {each.dt for dates in lists for each in dates.dts}
    return {day.date() if isinstance(day, datetime) else day for day in days}


def keep(calendar, days: dict[date, str]) -> int:
    """Add ``days`` to the holidays of ``calendar``, and say how many were new."""
    known = set(calendar.holidays.values_list("day", flat=True))
    new = [Holiday(calendar=calendar, day=d, name=n) for d, n in days.items() if d not in known]
    Holiday.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)

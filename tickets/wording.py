"""How times are said to people: on pages, in promises and in mail."""

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

_when_read_later: ContextVar[Callable | None] = ContextVar("when_read_later", default=None)


@lru_cache(maxsize=1000)
def _written(date, form, language) -> str:
    """``date`` in the ``language`` that is active now. Lists name the same few days many times."""
    return date_format(date, form)


def desk_day():
    """Today at the desk: what is numbered or counted by days goes by it, wherever its reader is."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def clock(moment: datetime) -> str:
    """09:14"""
    return f"{timezone.localtime(moment):%H:%M}"


def day(moment) -> str:
    """Mon 23 Nov, with the year when it is not this one. Takes a date or a datetime."""
    if isinstance(moment, datetime):
        moment = timezone.localtime(moment).date()
    this_year = moment.year == timezone.localdate().year
    return _written(moment, "D j M" if this_year else "D j M Y", get_language())


def long_day(moment: datetime) -> str:
    """Today, Yesterday or Wednesday 18 November."""
    date = timezone.localtime(moment).date()
    today = timezone.localdate()
    if date == today:
        return _("Today")
    if date == today - timedelta(days=1):
        return _("Yesterday")
    return _written(date, "l j F" if date.year == today.year else "l j F Y", get_language())


def when(moment: datetime) -> str:
    """Wed 18 Nov, 09:14"""
    return f"{day(moment)}, {clock(moment)}"


@contextmanager
def read_later(*, names_zone: bool):
    """What is written meanwhile is a mail: who reads "tomorrow" the day after would be misled. The
    zone of its times is named for who has not chosen theirs."""
    token = _when_read_later.set(_with_zone if names_zone else when)
    try:
        yield
    finally:
        _when_read_later.reset(token)


def _with_zone(moment: datetime) -> str:
    """Wed 18 Nov, 09:14 (Europe/Berlin)"""
    return f"{when(moment)} ({timezone.get_current_timezone_name()})"


def by_when(moment: datetime) -> str:
    """A promise: 16:00 today, 12:00 tomorrow, Tuesday 14:00, Mon 23 Nov, 14:00; always the last of
    these for what is ``read_later``."""
    if say := _when_read_later.get():
        return say(moment)
    date = timezone.localtime(moment).date()
    today = timezone.localdate()
    if date == today:
        return _("%(time)s today") % {"time": clock(moment)}
    if date == today + timedelta(days=1):
        return _("%(time)s tomorrow") % {"time": clock(moment)}
    if today < date < today + timedelta(days=7):
        return f"{_written(date, 'l', get_language())} {clock(moment)}"
    return when(moment)


def span(length: timedelta) -> str:
    """38 min, 1 h 20, 3 days. No-break space between number and unit."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return _("%(n)s\u00a0min") % {"n": minutes}
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours}\u00a0h {rest:02d}" if rest else f"{hours}\u00a0h"
    days = minutes // (24 * 60)
    return ngettext("%(n)s\u00a0day", "%(n)s\u00a0days", days) % {"n": days}


def ago(moment: datetime) -> str:
    return span(timezone.now() - moment)

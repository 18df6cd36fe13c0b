"""By when the next step of a ticket is owed. One setting, until service levels exist."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone


def answer_due(since: datetime) -> datetime:
    return since + timedelta(hours=settings.FIRST_ANSWER_HOURS)


def requester_due(since: datetime) -> datetime:
    return since + timedelta(days=settings.WAITING_DAYS)


def closing_due(since: datetime) -> datetime:
    return since + timedelta(days=settings.CLOSE_AFTER_DAYS)


def hold_due(until) -> datetime:
    """The end of the day on which a hold ends."""
    return timezone.make_aware(datetime.combine(until, time(23, 59)))


def renewed(due_at: datetime, now: datetime) -> datetime:
    """The next promise after one that was missed: whole promises later, never in the past."""
    step = timedelta(hours=settings.FIRST_ANSWER_HOURS)
    while due_at <= now:
        due_at += step * max(1, int((now - due_at) / step))
    return due_at

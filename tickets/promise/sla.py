"""What is promised to whom: the service level that fits a ticket, and the times reckoned from it.

Every function that returns ``changes`` gives fields for ``history.write``; nothing here saves.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from accounts.remembered import Remembered

from ..models import Category, SlaPolicy
from ..workflow import OURS
from .hours import ALWAYS, Hours

LONG_AGO = timedelta(days=14)


@dataclass(frozen=True)
class Terms:
    """A service level, ready to reckon with."""

    hours: Hours
    answer_within: timedelta
    resolve_within: timedelta | None = None
    warn_before: timedelta | None = None
    policy_id: int | None = None  # None: the one setting, round the clock

    def answer_due(self, since: datetime) -> datetime:
        return self.hours.add(since, self.answer_within)

    def renewed(self, due_at: datetime, now: datetime) -> datetime:
        """The next promise after one that was missed: whole promises later, never in the past.

        After LONG_AGO they are counted no further back, as a list may hold many such.
        """
        if self.hours != ALWAYS:
            due_at = max(due_at, now - LONG_AGO)
        missed = self.hours.between(due_at, now) // self.answer_within
        due_at = self.hours.add(due_at, missed * self.answer_within)
        return due_at if due_at > now else self.answer_due(due_at)


class Levels:
    """All service levels, by what they are for and by their keys."""

    def __init__(self):
        self.by_key, self.by_pk = {}, {}
        policies = SlaPolicy.objects.select_related("calendar").prefetch_related(
            "calendar__hours", "calendar__holidays"
        )
        for policy in policies:
            terms = Terms(
                hours_of(policy.calendar),
                policy.answer_within,
                policy.resolve_within,
                policy.warn_before,
                policy.pk,
            )
            self.by_key[policy.category_id, policy.priority] = self.by_pk[policy.pk] = terms


def hours_of(calendar) -> Hours:
    week = defaultdict(list)
    for each in calendar.hours.all():
        week[each.weekday].append((each.opens_at, each.closes_at))
    return Hours(
        ZoneInfo(calendar.time_zone),
        tuple(tuple(week[day]) for day in range(7)),
        frozenset(holiday.day for holiday in calendar.holidays.all()),
    )


_levels = Remembered(Levels)
forget = _levels.forget  # they were changed


def _plain() -> Terms:
    return Terms(ALWAYS, timedelta(hours=settings.FIRST_ANSWER_HOURS))


def terms_for(category: Category | None, priority: str) -> Terms:
    """What fits most closely: the category's own, for the priority or for all, then those of the
    category above it, then those for every category."""
    keys = [category.pk, category.parent_id] if category else []
    found = _levels().by_key
    for key in (*keys, None):
        for for_priority in (priority, ""):
            if (key, for_priority) in found:
                return found[key, for_priority]
    return _plain()


def terms_of(ticket) -> Terms:
    """What ``ticket`` was promised under, as it reads today."""
    return _levels().by_pk.get(ticket.policy_id) or _plain()


def promised(terms: Terms, now: datetime) -> dict:
    """The whole promise, made now."""
    return {
        "policy_id": terms.policy_id,
        "due_at": terms.answer_due(now),
        "due_since": now,
        "resolve_by": terms.resolve_within and terms.hours.add(now, terms.resolve_within),
        "resolve_left": None,
        "warn_before": terms.warn_before,
    }


def promised_anew(ticket, now: datetime) -> dict:
    """An ended ticket goes on: it gets the promise that one like it would get."""
    return promised(terms_for(ticket.category, ticket.priority), now)


def answer_due(ticket, now: datetime) -> dict:
    """The next answer, counted from now."""
    return {"due_at": terms_of(ticket).answer_due(now), "due_since": now}


def paused(ticket, now: datetime) -> dict:
    """The next step is not ours: the time to solve it stands still. What was missed stays so."""
    changes = {"due_since": None}
    if ticket.resolve_by and ticket.resolve_by > now:
        left = terms_of(ticket).hours.between(now, ticket.resolve_by)
        changes |= {"resolve_by": None, "resolve_left": left}
    return changes


def resumed(ticket, now: datetime) -> dict:
    """The next step is ours again: a new answer is owed, and the rest of the time runs on."""
    changes = answer_due(ticket, now)
    if ticket.resolve_left is not None:
        solve_by = terms_of(ticket).hours.add(now, ticket.resolve_left)
        changes |= {"resolve_by": solve_by, "resolve_left": None}
    return changes


NOTHING = {
    "policy_id": None,
    "due_since": None,
    "resolve_by": None,
    "resolve_left": None,
    "warn_before": None,
}  # what is promised on a ticket that has ended


def reckoned_anew(ticket, terms: Terms, now: datetime) -> dict:
    """The promise of a live ticket under other ``terms``, as if it had had them from the start.

    What was missed stays missed, and what would be missed by this counts from now instead.
    """
    before = terms_of(ticket)
    changes = {"policy_id": terms.policy_id, "warn_before": terms.warn_before}
    if ticket.status in OURS and ticket.due_at > now:
        due_at = terms.answer_due(ticket.due_since or now)
        changes["due_at"] = due_at if due_at > now else terms.answer_due(now)
        changes["due_since"] = ticket.due_since if due_at > now else now
    if terms.resolve_within is None:
        return changes | {"resolve_by": None, "resolve_left": None}
    if ticket.resolve_by and ticket.resolve_by <= now:
        return changes
    left = _left_to_solve(ticket, before, terms, now)
    if ticket.status in OURS:
        return changes | {"resolve_by": terms.hours.add(now, left), "resolve_left": None}
    return changes | {"resolve_by": None, "resolve_left": left}


def _left_to_solve(ticket, before, terms, now) -> timedelta:
    """What remains of the new time after what was used of the old."""
    left = ticket.resolve_left
    if ticket.resolve_by:
        left = before.hours.between(now, ticket.resolve_by)
    if left is None or before.resolve_within is None:
        return terms.resolve_within
    rest = terms.resolve_within - max(before.resolve_within - left, timedelta())
    return rest if rest > timedelta() else terms.resolve_within


def renewed(ticket) -> datetime:
    return terms_of(ticket).renewed(ticket.due_at, timezone.now())

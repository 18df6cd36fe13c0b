"""When a mail may go: quiet hours and the daily digest, in the time zone of who gets it."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from .models import Reaching


def quiet_until(reaching: Reaching, zone: tzinfo, now: datetime) -> datetime | None:
    """When the quiet hours end that ``now`` falls into; None outside of them."""
    begins, ends = reaching.quiet_from, reaching.quiet_until
    if begins is None or not _is_between(begins, now.astimezone(zone).time(), ends):
        return None
    return next(_occurrences(ends, zone, now))


def digest_after(reaching: Reaching, zone: tzinfo, moment: datetime) -> datetime:
    """The first daily digest after ``moment``."""
    return next(_occurrences(reaching.digest_at, zone, moment))


def wait_of(notification, wishes, now: datetime) -> datetime | None:
    """Until when the mail of ``notification`` waits by the wishes of its person, as they are now;
    None if it may go. ``recipient`` is loaded."""
    if wishes.is_due(notification):
        return None
    person = notification.recipient
    reaching = wishes.reaching(person.pk)
    if wishes.is_daily(notification):
        # Of the day it happened: who chooses another hour meanwhile does not wait for ever.
        digest = digest_after(reaching, person.zone, notification.created_at)
        if digest > now:
            return digest
    return quiet_until(reaching, person.zone, now)


def _is_between(begins: time, wall: time, ends: time) -> bool:
    if begins <= ends:
        return begins <= wall < ends
    return wall >= begins or wall < ends  # over midnight


def _occurrences(wall: time, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """Every moment after ``after`` at which clocks in ``zone`` show ``wall``. Where the hour is
    skipped, the moment an hour later; where it comes twice, both."""
    day = after.astimezone(zone).date()
    while True:
        # As UTC: two times of one zone are compared by what their clocks show.
        first, second = (
            datetime.combine(day, wall.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)
        )
        moments = (first, second) if second > first else (first,)
        yield from (moment for moment in moments if moment > after)
        day += timedelta(days=1)

"""When a mail may go: quiet hours and the daily digest, in the time zone of who gets it.

Where clocks skip an hour, what falls into it is when they go on; where an hour comes twice, a
digest and quiet hours begin in the first and quiet hours end in the second.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from .models import Reaching

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def quiet_until(reaching: Reaching, zone: tzinfo, now: datetime) -> datetime | None:
    """When the quiet hours end that ``now`` falls into; None outside of them."""
    begins, ends = reaching.quiet_from, reaching.quiet_until
    if begins is None:
        return None
    today = now.astimezone(zone).date()
    for day in (today - DAY, today):
        last_day = day + DAY if ends < begins else day  # over midnight
        end = _moments(ends, zone, last_day)[1]
        if _moments(begins, zone, day)[0] <= now < end:
            return end
    return None


def digest_after(reaching: Reaching, zone: tzinfo, moment: datetime) -> datetime:
    """The first daily digest after ``moment``."""
    today = moment.astimezone(zone).date()
    digests = (_moments(reaching.digest_at, zone, day)[0] for day in (today, today + DAY))
    return next(digest for digest in digests if digest > moment)


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


def _moments(wall: time, zone: tzinfo, day: date) -> tuple[datetime, datetime]:
    """The first and the last moment of ``day`` at which clocks in ``zone`` show ``wall``; mostly
    they are the same."""
    # As UTC: two times of one zone are compared by what their clocks show.
    first, last = (
        datetime.combine(day, wall.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)
    )
    if last < first:  # skipped: clocks jump over it between these two
        while last.astimezone(zone).replace(tzinfo=None) < datetime.combine(day, wall):
            last += MINUTE
        first = last
    return first, last

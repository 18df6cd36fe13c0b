"""What happens to tickets by itself as time passes: reminders, closing, alarms, promises missed.

One job sees to all of it. Which tickets it has to look at stands on their rows, in an index; so a
million tickets that need nothing cost nothing, and of two schedulers at once one does each thing.
``docs/automation.md`` has the table of steps.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import actions
from ..history import write
from ..models import Audience, ClockHand, Ticket, TicketEvent
from ..regulated import complaints
from ..relations.links import live_parts
from ..signals import ticket_clocked
from ..workflow import ResolutionKind, Status
from .timing import MOMENTS, moments_of, wakes_at

log = logging.getLogger(__name__)
Kind = TicketEvent.Kind

BATCH = 25  # tickets to a transaction: nobody else writes to them, or with SQLite at all, meanwhile
TRY_AGAIN = timedelta(hours=1)  # what could not be seen to
LONGEST_RUN = 45  # seconds of the job; the rest is for the next minute
LONGEST_GAP = timedelta(minutes=30)  # between two looks; past it the worker was off or time jumped
BACKWARDS = timedelta(minutes=1)  # by which two hosts may differ
SETTLING = timedelta(hours=1)  # how long it only watches after a gap


# --- When -----------------------------------------------------------------------


def tick() -> int:
    """The job of each minute: ``run``, once time has passed steadily for a while.

    A clock that is wrong for a moment closes nothing and mails nobody; and after a night without
    a worker, what people wrote meanwhile comes in first.
    """
    now = timezone.now()
    return run(LONGEST_RUN) if _is_steady(now) else 0


def is_steady(now) -> bool:
    """Whether ``tick`` acts these days, for what else goes by the clock. Only looks."""
    hand = ClockHand.objects.filter(pk=1).first()
    return hand is None or (
        -BACKWARDS <= now - hand.looked_at <= LONGEST_GAP and now - hand.steady_since >= SETTLING
    )


@transaction.atomic
def _is_steady(now) -> bool:
    fresh = {"looked_at": now, "steady_since": now - SETTLING}
    hand, _is_new = ClockHand.objects.select_for_update().get_or_create(pk=1, defaults=fresh)
    gap = now - hand.looked_at
    if not -BACKWARDS <= gap <= LONGEST_GAP:
        log.warning("Last looked %s ago: the clock only watches for %s.", gap, SETTLING)
        hand.steady_since = now
    if gap < -BACKWARDS:
        _forget_what_is_to_come(now)
    hand.looked_at = now
    hand.save()
    return now - hand.steady_since >= SETTLING


def _forget_what_is_to_come(now):
    """What was seen to while the clock was ahead is seen to again in its time."""
    Ticket.objects.filter(clocked_until__gt=now).update(clocked_until=now, wakes_at=now)


# --- Which ----------------------------------------------------------------------


def due(now):
    waiting = Ticket.objects.filter(wakes_at__lte=now, deleted_at=None)
    return waiting.order_by("wakes_at", "pk")


def _locked(tickets):
    """Of two schedulers each takes others."""
    skip = connection.features.has_select_for_update_skip_locked
    return tickets.select_for_update(of=("self",), skip_locked=skip).select_related("requester")


def would_do() -> Iterator[tuple[Ticket, list[str]]]:
    """The tickets ``run`` would see to now, each with its steps: taken, and taken back."""
    now = timezone.now()
    for pk in list(due(now).values_list("pk", flat=True)):
        with transaction.atomic():
            found = [(ticket, _try(ticket, now)) for ticket in _locked(due(now).filter(pk=pk))]
            transaction.set_rollback(True)
        yield from found


def run(seconds: float | None = None) -> int:
    """See to every ticket whose time has come, or to those ``seconds`` are enough for, and say
    how many there were."""
    now, started = timezone.now(), time.monotonic()
    seen_to = 0
    while count := _run_batch(now):
        seen_to += count
        if seconds and time.monotonic() - started > seconds:
            break
    return seen_to


def _run_batch(now) -> int:
    try:
        return _together(now)
    except Exception:  # what only shows when it is to be kept takes the whole batch with it
        log.exception("Tickets could not be seen to together, so each is by itself.")
        return _one_by_one(now)


@transaction.atomic
def _together(now) -> int:
    batch = list(_locked(due(now))[:BATCH])
    for ticket in batch:
        _try(ticket, now)
    return len(batch)


def _one_by_one(now) -> int:
    keys = list(due(now).values_list("pk", flat=True)[:BATCH])
    for pk in keys:
        try:
            with transaction.atomic():
                for ticket in _locked(due(now).filter(pk=pk)):
                    _try(ticket, now)
        except Exception:  # whatever it is, the others go on
            log.exception("Ticket %s could not be kept. Again in %s.", pk, TRY_AGAIN)
            _put_off(pk, now)
    return len(keys)


# --- What -----------------------------------------------------------------------


def _try(ticket, now) -> list[str]:
    """See to ``ticket``. One that fails is put off and shown to administrators: it must not hold
    up the others."""
    try:
        with transaction.atomic():
            return _see_to(ticket, now)
    except Exception:  # whatever it is, the others go on
        log.exception("%s could not be seen to. Again in %s.", ticket, TRY_AGAIN)
        _put_off(ticket.pk, now)
        return ["stuck"]


def _put_off(pk, now):
    row = Ticket.objects.filter(pk=pk)
    row.filter(stuck_since=None).update(stuck_since=now)
    row.update(wakes_at=now + TRY_AGAIN)


def _see_to(ticket, now) -> list[str]:
    """Take the next step first: what it changes may put off the others."""
    taken = []
    while (coming := moments_of(ticket)) and coming[0][0] <= now:
        at = coming[0][0]
        ticket.clocked_until = at
        ticket.save(update_fields=["clocked_until"])
        for name in (name for moment, name in coming if moment == at):
            if MOMENTS[name](ticket) == at and not _is_overtaken(ticket, name, now):
                STEPS[name](ticket, name)
                taken.append(name)
    ticket.wakes_at = wakes_at(ticket)
    ticket.stuck_since = None
    ticket.save(update_fields=["wakes_at", "stuck_since"])
    return taken


def _is_overtaken(ticket, name, now) -> bool:
    """Nobody is warned of what has happened already."""
    return name in WARNINGS and MOMENTS[WARNINGS[name]](ticket) <= now


WARNINGS = {
    "answer_at_risk": "answer_missed",
    "solution_at_risk": "solution_missed",
    "legal_at_risk": "legal_missed",
}


def _tell(kind: str):
    """A step that writes a line for staff; who hears of it is decided by who listens."""

    def step(ticket, name):
        event = write(ticket, kind, by=None, audience=Audience.STAFF, data={"rule": name})
        ticket_clocked.send(sender=Ticket, ticket=ticket, event=event)

    return step


def _miss_by_law(ticket, name):
    changes = complaints.due_once_missed(ticket)
    data = {"rule": name}
    told = {"by": None, "audience": Audience.STAFF, "data": data}
    event = write(ticket, Kind.BREACHED, **told, **changes)
    ticket_clocked.send(sender=Ticket, ticket=ticket, event=event)


def _remind(ticket, name):
    """However late this comes, its requester has the days it speaks of."""
    now = timezone.now()
    event = write(
        ticket,
        Kind.REMINDED,
        by=None,
        at=now,
        data={"rule": name},
        due_at=now + timedelta(days=settings.REMIND_DAYS_BEFORE),
        clocked_until=now,
    )
    ticket_clocked.send(sender=Ticket, ticket=ticket, event=event)


def _resolve(ticket, name):
    """Not as long as it waits for its parts."""
    if live_parts(ticket).exists():
        return
    actions.move(
        ticket,
        Status.RESOLVED,
        by=None,
        rule=name,
        resolution=ResolutionKind.OTHER,
        text=_("We have not heard from you. Open the ticket again if you still need us."),
    )


def _move(to: Status):
    def step(ticket, name):
        actions.move(ticket, to, by=None, rule=name)

    return step


STEPS = {
    "answer_at_risk": _tell(Kind.WARNED),
    "answer_missed": _tell(Kind.BREACHED),
    "solution_at_risk": _tell(Kind.WARNED),
    "solution_missed": _tell(Kind.BREACHED),
    "legal_at_risk": _tell(Kind.WARNED),
    "legal_missed": _miss_by_law,
    "unassigned": _tell(Kind.ALARMED),
    "waiting_reminder": _remind,
    "waiting_over": _resolve,
    "closing_reminder": _remind,
    "closing": _move(Status.CLOSED),
    "hold_over": _move(Status.OPEN),
}

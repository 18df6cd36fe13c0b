"""Tickets as time passes."""

from datetime import UTC, datetime, timedelta

import time_machine

from tickets.automation import clockwork
from tickets.workflow import ResolutionKind, Status

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
RESOLVED = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
HELD = {"text": "Waits for a part.", "until": MONDAY.date()}
MOVES = {Status.WAITING: {}, Status.HOLD: HELD, Status.RESOLVED: RESOLVED}


def at(moment=MONDAY, **span):
    return time_machine.travel(moment + timedelta(**span), tick=False)


def run(**span):
    with at(**span):
        return clockwork.run()


def steps(ticket):
    """The rules by which time acted on ``ticket``, in the order of the lines."""
    return [line.data["rule"] for line in ticket.events.filter(actor=None).order_by("number")]

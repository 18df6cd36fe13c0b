"""What a word of either side changes on the ticket's row, written or said on the phone."""

from datetime import datetime

from .models import Ticket
from .promise import sla
from .promise.promises import SILENCES
from .workflow import HANDLERS, Part, Status


def changes_by(part: Part, ticket: Ticket, now: datetime) -> dict:
    """As ``history.write`` takes them, for a word of whoever is ``part`` to ``ticket``.

    That of a rule is no answer: it keeps no promise and ends no silence.
    """
    if part == Part.RULE:
        return {}
    if part in HANDLERS:
        changes = {
            "last_message_by": Part.ASSIGNEE,
            "first_responded_at": ticket.first_responded_at or now,
        }
        if ticket.status == Status.OPEN:
            changes |= sla.answer_due(ticket, now)
    else:
        changes = {"last_message_by": Part.REQUESTER}
        sooner = sla.answer_due(ticket, now)
        if ticket.status == Status.OPEN and sooner["due_at"] < ticket.due_at:
            changes |= sooner
    if begin_anew := SILENCES.get(ticket.status):
        changes["due_at"] = begin_anew(now)
    return changes

"""What a rule would have done lately, before it is switched on."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from ..models import Rule, Ticket, TicketEvent
from ..workflow import LIVE
from .conditions import cases, holds
from .rules import CAUSES, SINCE, Deed, plan, sets_off


@dataclass(frozen=True)
class Trial:
    """What a rule would have done because of one cause."""

    ticket: Ticket
    at: datetime
    deeds: list[Deed]


def tried(rule: Rule, newest: int, *, by) -> list[Trial]:
    """What ``rule`` would have done with the ``newest`` tickets because of the last cause on each,
    judged as they stand now. Writes nothing. The own tickets of ``by`` stay out."""
    present = Ticket.objects.present().order_by("-pk")
    seen = present.exclude(requester=by).select_related("category", "assignee")[:newest]
    causes = _past_causes(rule, list(seen))
    looked_at = cases([(ticket, event) for ticket, event, _at in causes])
    trials = (
        Trial(case.ticket, at, plan(rule, case))
        for case, (_ticket, _event, at) in zip(looked_at, causes, strict=True)
        if holds(rule, case)
    )
    return [trial for trial in trials if trial.deeds]


def _past_causes(rule, tickets):
    if rule.is_timed:
        now = timezone.now()
        moments = (
            (ticket, None, getattr(ticket, SINCE[rule.trigger]) + rule.after)
            for ticket in tickets
            if ticket.status in LIVE
        )
        return [cause for cause in moments if cause[2] <= now]
    kinds, _is_cause = CAUSES[rule.trigger]
    lines = TicketEvent.objects.filter(ticket__in=[each.pk for each in tickets], kind__in=kinds)
    lines = lines.defer("text").select_related("actor").order_by("ticket", "number")
    by_pk = {ticket.pk: ticket for ticket in tickets}
    last = {}
    for line in lines.iterator():
        line.ticket = by_pk[line.ticket_id]
        if sets_off(line, rule.trigger):
            last[line.ticket_id] = line.pk
    events = TicketEvent.objects.in_bulk(last.values())
    return [
        (ticket, event, event.at)
        for ticket in tickets
        if (event := events.get(last.get(ticket.pk)))
    ]

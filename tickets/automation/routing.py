"""Tickets that get their agent by a rule: new ones are dealt, those of the absent handed on.

A job does it each minute, and at once when a ticket comes in or an agent comes to work. What
happened meanwhile is seen under the locks of ``actions``, so any number of schedulers do each
thing once. ``docs/routing.md`` tells it to operators.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import MAX_CAPACITY, AgentProfile, User

from .. import actions
from ..models import Category, Routing, Ticket
from ..workflow import TicketRefusal
from .assignment import Desk, profile_of

log = logging.getLogger(__name__)

MOST = 1_000  # tickets dealt in one go


class Rule(models.TextChoices):
    """Why the registry assigned a ticket. Kept in ``data`` of the line."""

    DEALT = "dealt", gettext_lazy("dealt to the best agent with room")
    SUBSTITUTE = "substitute", gettext_lazy("given to who stands in for an absent agent")
    ABSENT = "absent", gettext_lazy("put back, as its agent is absent")
    ADDRESSED = "addressed", gettext_lazy("mailed to the agent’s own address")


@dataclass(frozen=True)
class Step:
    ticket: Ticket
    to: User | None  # nobody: back to the pool
    rule: Rule


def run() -> int:
    """Deal and hand on what is to be, and say how many tickets that were."""
    return sum(_take(step) for step in steps())


def steps() -> Iterator[Step]:
    """What ``run`` would do now, one after the other."""
    yield from _of_the_absent()
    yield from _deals()


def _take(step) -> bool:
    """Each in a transaction of its own: two held together might wait for each other for ever."""
    if step.to is None:
        return actions.release(step.ticket, by=None, rule=step.rule) is not None
    capacity = profile_of(step.to).capacity if step.rule == Rule.DEALT else None
    try:
        actions.assign(step.ticket, to=step.to, by=None, rule=step.rule, capacity=capacity)
    except TicketRefusal as refusal:
        log.info("%s was not given to agent %s: %s", step.ticket, step.to.pk, refusal)
        return False
    return True


def _deals():
    """The oldest of each automatic category, as long as somebody of its team has room."""
    at_work = Desk([], limit=MAX_CAPACITY)
    automatic = Category.objects.filter(routing=Routing.AUTOMATIC)
    open_now = [each for each in automatic if at_work.has_room_for(each)]
    oldest = Ticket.objects.unassigned().filter(category__in=open_now).order_by("created_at", "pk")
    tickets = list(oldest.select_related("category", "requester")[:MOST])
    desk = Desk(tickets, limit=MAX_CAPACITY)
    for ticket in tickets:
        if agent := desk.deal(ticket):
            yield Step(ticket, agent, Rule.DEALT)


def _of_the_absent():
    """All that agents have who are out of office for more than a few hours."""
    today, now = timezone.localdate(), timezone.now()
    since = now - timedelta(hours=settings.ABSENCE_GRACE_HOURS)
    is_long = Q(out_until__gt=today) | Q(out_since__lte=since) | Q(out_since=None)
    absent = AgentProfile.objects.filter(is_long, out_until__gte=today)
    theirs = Ticket.objects.live().filter(assignee__agent_profile__in=absent)
    for ticket in theirs.select_related(
        "assignee__agent_profile__substitute__agent_profile"
    ).order_by("assignee", "due_at", "pk"):
        successor = ticket.assignee.agent_profile.substitute
        if _stands_in(successor, ticket):
            yield Step(ticket, successor, Rule.SUBSTITUTE)
        else:
            yield Step(ticket, None, Rule.ABSENT)


def _stands_in(substitute, ticket) -> bool:
    """Whatever else they have to do; not while absent themselves, and not for their own ticket."""
    if substitute is None or substitute.pk == ticket.requester_id:
        return False
    profile = getattr(substitute, "agent_profile", None)
    return not (profile and profile.is_out)

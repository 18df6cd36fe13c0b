"""Who could take a ticket: how much each agent has, what they know, and whether they are there.

``Candidate.rank`` is the one order in which agents are suggested, dealt tickets and given what a
leaving colleague had; ``Candidate.reasons`` says the same in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from operator import attrgetter

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import NAMES, AgentProfile, User

from ..counting import CappedCount
from ..models import Category, Expertise, Routing, Ticket
from ..wording import clock, day
from ..workflow import OURS

# What the choice of an agent says of each.
PROFILE = ("capacity", "availability", "out_until")
SHOWN = (*NAMES, "time_zone", *(f"agent_profile__{name}" for name in PROFILE))
LOAD_LIMIT = 100  # counted no further where people look
GOOD_RATING = 4


def overdue(tickets, *, at: datetime):
    """Those of ``tickets`` whose next step we have owed since before ``at``."""
    return tickets.filter(status__in=OURS, due_at__lt=at, deleted_at=None, merged_into=None)


def end_of_today() -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(), time.max))


def with_load(agents, limit=LOAD_LIMIT):
    """Each of ``agents`` with ``open_count``, ``overdue_count`` and ``due_today_count``.

    None of them counts further than ``limit``.
    """
    now = timezone.now()
    mine = Ticket.objects.filter(assignee=OuterRef("pk")).order_by("due_at", "pk")
    ours = mine.live().filter(status__in=OURS)
    return agents.annotate(
        open_count=_capped(mine.live(), limit),
        overdue_count=_capped(ours.filter(due_at__lt=now), limit),
        due_today_count=_capped(ours.filter(due_at__range=(now, end_of_today())), limit),
    )


def _capped(tickets, limit):
    return CappedCount(tickets.values("pk")[:limit])


def profile_of(agent: User) -> AgentProfile:
    """As they filled it in, or as everybody begins."""
    return getattr(agent, "agent_profile", None) or AgentProfile()


def last_helpers(tickets: Iterable[Ticket]) -> dict[int, int]:
    """D1-20: of each requester of ``tickets`` the agent who last did well for them.

    Well is a good rating, or none and never opened again.
    """
    well = Q(rating__gte=GOOD_RATING) | Q(rating=None, reopen_count=0)
    theirs = Ticket.objects.present().filter(requester=OuterRef("pk"))
    helped = theirs.lately_resolved().exclude(assignee=None).with_rating().filter(well)
    requesters = User.objects.filter(pk__in={ticket.requester_id for ticket in tickets})
    return dict(requesters.values_list("pk", Subquery(helped.values("assignee")[:1])))


KNOWS = {
    Expertise.Level.BASIC: gettext_lazy("Knows a little of “%(category)s”"),
    Expertise.Level.GOOD: gettext_lazy("Knows “%(category)s” well"),
    Expertise.Level.EXPERT: gettext_lazy("Expert in “%(category)s”"),
}


@dataclass(frozen=True)
class Candidate:
    agent: User
    level: int  # of Expertise.Level, 0 for none
    has_helped: bool  # the customer, well, and nobody since
    is_at_work: bool
    at: datetime  # when it is judged

    @property
    def rank(self) -> tuple:
        """The best is the least: who is at work, has room, helped before, knows most, has least."""
        share = self.agent.open_count / self.profile.capacity
        return not self.is_at_work, self.is_full, not self.has_helped, -self.level, share

    @property
    def is_full(self) -> bool:
        return self.agent.open_count >= self.profile.capacity

    @property
    def load(self) -> str:
        """9, or 100+."""
        counted = self.agent.open_count
        return f"{LOAD_LIMIT}+" if counted >= LOAD_LIMIT else str(counted)

    @property
    def profile(self) -> AgentProfile:
        return profile_of(self.agent)

    def __str__(self):
        """Bob Baker (9 open, expert, away), or (20 of 20 open) of who is full."""
        words = _("%(load)s of %(capacity)s open") if self.is_full else _("%(load)s open")
        facts = [words % {"load": self.load, "capacity": self.profile.capacity}]
        if self.level:
            facts.append(Expertise.Level(self.level).label.lower())
        if self.has_helped:
            facts.append(_("helped before"))
        return f"{self.agent} ({', '.join([*facts, *self._absence])})"

    @property
    def _absence(self) -> list[str]:
        if self.profile.is_out:
            return [_("out until %(day)s") % {"day": day(self.profile.out_until)}]
        if self.profile.is_away:
            return [_("away")]
        return [] if self.is_at_work else [_("not at work now")]

    def reasons(self, ticket: Ticket) -> str:
        """Knows “Returns” well · 3 of 20 open · works until 17:00 · helped Alice before"""
        facts = [KNOWS[self.level] % {"category": ticket.category}] if self.level else []
        load = {"load": self.load, "capacity": self.profile.capacity}
        facts += [_("%(load)s of %(capacity)s open") % load, *self._absence]
        if self.is_at_work and (end := self.profile.works_until(self.at)):
            facts.append(_("works until %(time)s") % {"time": clock(end)})
        if self.has_helped:
            customer = ticket.requester.get_short_name()
            facts.append(_("helped %(name)s before") % {"name": customer})
        return " · ".join(facts)


class Desk:
    """All agents as they are now, read once for all of ``tickets``."""

    def __init__(self, tickets: Iterable[Ticket], limit=LOAD_LIMIT):
        self.at = timezone.now()
        agents = User.objects.agents().select_related("agent_profile").only(*SHOWN)
        agents = with_load(agents, limit).prefetch_related("agent_profile__hours")
        self.agents = sorted(agents, key=lambda agent: (str(agent), agent.pk))
        self._at_work = {a.pk for a in self.agents if profile_of(a).is_at_work(self.at)}
        self._helpers = last_helpers(tickets)
        self._levels = {
            (agent, category): level
            for agent, category, level in Expertise.objects.values_list(
                "agent", "category", "level"
            )
        }

    def candidates(self, tickets: Iterable[Ticket], limit: int | None = None) -> list[Candidate]:
        """Who could take all of ``tickets``: the best first, or by name where that is the way."""
        found = self._candidates(tickets)
        if any(ticket.category.routing == Routing.MANUAL for ticket in tickets):
            return found[:limit]
        return sorted(found, key=attrgetter("rank"))[:limit]

    def suggested(self, ticket: Ticket) -> Candidate | None:
        """Who had better have ``ticket`` than whoever has it now."""
        if ticket.category.routing == Routing.MANUAL:
            return None
        others = (each for each in self._candidates([ticket]) if each.agent != ticket.assignee)
        return min(others, key=attrgetter("rank"), default=None)

    def choose(self, ticket: Ticket) -> User | None:
        """The best for ``ticket``, at work or not. They have one more from now on."""
        return self._best_of(self._candidates([ticket]))

    def deal(self, ticket: Ticket) -> User | None:
        """The same among those who are at work and have room."""
        return self._best_of(self._free_for(ticket))

    def has_room_for(self, category: Category) -> bool:
        return bool(self._free_for(Ticket(category=category)))

    def _free_for(self, ticket):
        """Of the category's own team, if it has one: they are who may take it, too."""
        found = self._candidates([ticket])
        team = [each for each in found if each.level] or found
        return [each for each in team if each.is_at_work and not each.is_full]

    def _best_of(self, candidates):
        best = min(candidates, key=attrgetter("rank"), default=None)
        if best is None:
            return None
        best.agent.open_count += 1
        return best.agent

    def _candidates(self, tickets) -> list[Candidate]:
        requesters = {ticket.requester_id for ticket in tickets}
        return [
            Candidate(
                agent,
                level=min((self._level(agent, ticket) for ticket in tickets), default=0),
                has_helped=all(self._helpers.get(pk) == agent.pk for pk in requesters),
                is_at_work=agent.pk in self._at_work,
                at=self.at,
            )
            for agent in self.agents
            if agent.pk not in requesters
        ]

    def _level(self, agent, ticket) -> int:
        """Knowledge of a category is knowledge of the ones below it."""
        return max(
            self._levels.get((agent.pk, category), 0)
            for category in (ticket.category_id, ticket.category.parent_id)
        )

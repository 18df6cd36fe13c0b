"""Who could take a ticket: how much each agent has, and what they know."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import NAMES, AgentProfile, User

from .counting import CappedCount
from .models import Expertise, Ticket
from .wording import day
from .workflow import Status

# What the choice of an agent says of each.
SHOWN = (*NAMES, *(f"agent_profile__{n}" for n in ("capacity", "availability", "out_until")))
LOAD_LIMIT = 100  # counted no further: who has that many is full

# Where the next step is ours; elsewhere the clock is paused.
OURS = (Status.NEW, Status.OPEN)


def overdue(tickets, *, at: datetime):
    """Those of ``tickets`` whose next step we have owed since before ``at``."""
    return tickets.filter(status__in=OURS, due_at__lt=at, deleted_at=None)


def end_of_today() -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(), time.max))


def with_load(agents):
    """Each of ``agents`` with ``open_count``, ``overdue_count`` and ``due_today_count``."""
    now = timezone.now()
    mine = Ticket.objects.filter(assignee=OuterRef("pk")).order_by("due_at", "pk")
    ours = mine.live().filter(status__in=OURS)
    return agents.annotate(
        open_count=_capped(mine.live()),
        overdue_count=_capped(ours.filter(due_at__lt=now)),
        due_today_count=_capped(ours.filter(due_at__range=(now, end_of_today()))),
    )


def _capped(tickets):
    return CappedCount(tickets.values("pk")[:LOAD_LIMIT])


@dataclass(frozen=True)
class Candidate:
    agent: User
    level: int  # of Expertise.Level, 0 for none

    @property
    def load(self) -> str:
        """9, or 100+ for who is full."""
        counted = self.agent.open_count
        return f"{LOAD_LIMIT}+" if counted >= LOAD_LIMIT else str(counted)

    @property
    def profile(self) -> AgentProfile:
        """As they filled it in, or as everybody begins."""
        return getattr(self.agent, "agent_profile", None) or AgentProfile()

    def __str__(self):
        """Bob Baker (9 open, expert, away), or (20 of 20 open) of who is full."""
        profile = self.profile
        is_full = self.agent.open_count >= profile.capacity
        words = _("%(load)s of %(capacity)s open") if is_full else _("%(load)s open")
        facts = [words % {"load": self.load, "capacity": profile.capacity}]
        if self.level:
            facts.append(Expertise.Level(self.level).label.lower())
        if profile.is_out:
            facts.append(_("out until %(day)s") % {"day": day(profile.out_until)})
        elif profile.is_away:
            facts.append(_("away"))
        return f"{self.agent} ({', '.join(facts)})"


class Desk:
    """All agents with their loads and their knowledge, read once for a whole page."""

    def __init__(self):
        self.agents = sorted(  # who has least first
            with_load(User.objects.agents().select_related("agent_profile").only(*SHOWN)),
            key=lambda agent: (agent.open_count, str(agent), agent.pk),
        )
        self._levels = {
            (agent, category): level
            for agent, category, level in Expertise.objects.values_list(
                "agent", "category", "level"
            )
        }

    def candidates(self, tickets: Iterable[Ticket], limit: int | None = None) -> list[Candidate]:
        """Who could take all of ``tickets``: those who know most first, then who has least."""
        requesters = {ticket.requester_id for ticket in tickets}
        levels = {
            agent: min((self._level(agent, ticket) for ticket in tickets), default=0)
            for agent in self.agents
            if agent.pk not in requesters
        }
        best = sorted(levels, key=levels.get, reverse=True)  # stable: least load stays first
        return [Candidate(agent, levels[agent]) for agent in best[:limit]]

    def _level(self, agent, ticket) -> int:
        """Knowledge of a category is knowledge of the ones below it."""
        return max(
            self._levels.get((agent.pk, category), 0)
            for category in (ticket.category_id, ticket.category.parent_id)
        )


class Spread:
    """Chooses an agent for one ticket after the other: who is at work and has room, of those who
    knows most, of those who has least. Each choice counts as one more."""

    def __init__(self):
        self.desk = Desk()
        self.profiles = {profile.agent_id: profile for profile in AgentProfile.objects.all()}

    def __call__(self, ticket: Ticket) -> User | None:
        candidates = self.desk.candidates([ticket])
        if not candidates:
            return None
        best = min(candidates, key=self._order).agent
        best.open_count += 1
        return best

    def _order(self, candidate):
        agent = candidate.agent
        profile = self.profiles.get(agent.pk) or AgentProfile()
        is_out = profile.availability == AgentProfile.Availability.OUT
        return is_out, agent.open_count >= profile.capacity, -candidate.level, agent.open_count

"""Agents and whether they are at work."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AgentProfile

OUT = AgentProfile.Availability.OUT


def make_profile(agent, **fields):
    return AgentProfile.objects.create(agent=agent, **fields)


def is_out(agent, *, days=7, hours=0, substitute=None):
    """Out of office for ``hours`` already and for ``days`` more."""
    return make_profile(
        agent,
        availability=OUT,
        out_until=timezone.localdate() + timedelta(days=days),
        out_since=timezone.now() - timedelta(hours=hours),
        substitute=substitute,
    )

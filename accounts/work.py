"""How an agent works, written down by the agent."""

from datetime import time

from django.db import transaction

from .models import AgentProfile, User, WorkingHours
from .signals import availability_changed

Availability = AgentProfile.Availability


def profile_of(agent: User) -> AgentProfile:
    """Theirs, or one as everybody begins, not saved yet."""
    found = AgentProfile.objects.filter(agent=agent).first()
    return found or AgentProfile(agent=agent)


def signature_of(author: User | None) -> str:
    """What ``author`` puts under their words, while they answer customers."""
    profile = getattr(author, "agent_profile", None)
    return profile.signature if profile and author.is_agent else ""


@transaction.atomic
def save_profile(profile: AgentProfile, hours: dict[int, tuple[time, time]]) -> None:
    """Keep ``profile``, and ``hours`` for each day of the week that is worked."""
    fields = ("capacity", "availability", "out_until", "out_since", "substitute", "signature")
    kept, _created = AgentProfile.objects.update_or_create(  # which holds it until we are done
        agent=profile.agent, defaults={name: getattr(profile, name) for name in fields}
    )
    kept.hours.all().delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(profile=kept, weekday=day, opens=opens, closes=closes)
        for day, (opens, closes) in hours.items()
    )
    availability_changed.send(sender=User, user=profile.agent)


@transaction.atomic
def set_availability(agent: User, to: Availability) -> None:
    """Online, or away for a moment. Whoever was out of office is back."""
    is_here = {"availability": to, "out_until": None, "out_since": None, "substitute": None}
    AgentProfile.objects.update_or_create(agent=agent, defaults=is_here)
    availability_changed.send(sender=User, user=agent)

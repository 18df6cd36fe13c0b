"""What somebody offers to know who asks to become an agent. Once they are let in, it counts."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.applications import ApplicationRefused
from accounts.models import Application, Role, User

from .models import Category, Expertise


def may_offer(person: User) -> bool:
    """They have asked to become an agent, and nobody has decided yet."""
    application = Application.objects.open_of(person)
    return application is not None and application.role == Role.AGENT


@transaction.atomic
def offer(person: User, levels: dict[Category, Expertise.Level]) -> None:
    """Keep ``levels`` as all that ``person`` knows of the active categories.

    Raises ApplicationRefused when their request is not open any more.
    """
    User.objects.select_for_update().get(pk=person.pk)  # a decision waits, or is seen here
    if not may_offer(person):
        raise ApplicationRefused(_("Your request has been decided in the meantime."))
    person.expertise.filter(category__in=Category.objects.active()).delete()
    Expertise.objects.bulk_create(
        [
            Expertise(agent=person, category=category, level=level)
            for category, level in levels.items()
        ]
    )

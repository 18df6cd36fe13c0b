"""Which tickets: those one may see, those of a list, and what a list shows of them."""

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from accounts.models import NAMES, PRIVATE, Role
from tickets.workflow import ENDED, LIVE, Status

from .categories import Category, Expertise
from .feedback import Feedback
from .participants import Participant


def categories_of_team(agent):
    """The categories ``agent`` knows, and those that no agent knows."""
    known = Expertise.objects.filter(Q(category=OuterRef("pk")) | Q(category=OuterRef("parent")))
    return Category.objects.filter(Exists(known.filter(agent=agent)) | ~Exists(known.of_agents()))


class TicketQuerySet(models.QuerySet):
    def present(self):
        """Neither in the bin nor merged: what goes on in another ticket is met there."""
        return self.filter(deleted_at=None, merged_into=None)

    def going_on_in(self, ticket):
        """``ticket`` and what was merged into it."""
        return self.filter(Q(pk=ticket.pk) | Q(merged_into=ticket))

    def visible_to(self, user):
        """The tickets ``user`` may open: everyone their own, customers also those they take part
        in, agents what they have or may take and, while they have one of a customer, the others
        of that customer (D0-21), administrators all, the unapproved none.

        See also ``Ticket.part_of``, the same rule for one row.
        """
        if not (user.is_authenticated and user.is_approved):
            return self.none()
        present = self.present()
        if user.role == Role.ADMIN:
            return present
        own = Q(requester=user)
        if user.role == Role.AGENT:
            pool = Q(pk__in=self.model.objects.pool_of(user).values("pk"))
            earlier = Q(requester__in=self.model.objects.in_hand_of(user).values("requester"))
            return present.filter(own | Q(assignee=user) | pool | earlier)
        shared = Q(pk__in=Participant.objects.filter(person=user).values("ticket"))
        return present.filter(own | shared)

    def seen_by(self, user, reference: str):
        """The ticket ``reference`` and what ``user`` is to it; (None, None) if they may not see it.

        Asks ``part_of`` about the one row, which is much quicker than ``visible_to`` about all.
        """
        found = self.filter(reference=reference).first()
        part = found.part_of(user) if found else None
        return (found, part) if part else (None, None)

    def assigned_to(self, agent):
        """What ``agent`` works on: the part of ``visible_to`` that lists ask for most."""
        return self.present().filter(assignee=agent)

    def in_hand_of(self, agent):
        """What ``agent`` has and has not brought to its end."""
        return self.assigned_to(agent).exclude(status__in=ENDED)

    def shared_with(self, person):
        """The tickets of others in which ``person`` takes part, as long as they are a customer."""
        theirs = Participant.objects.in_force().filter(person=person)
        return self.present().filter(pk__in=theirs.values("ticket"))

    def of_customer(self, ticket):
        """What else the requester of ``ticket`` has raised, in the order of their own list."""
        others = self.present().filter(requester=ticket.requester_id).exclude(pk=ticket.pk)
        return others.order_by("-needs_requester", "-last_event_at", "-pk")

    def unassigned(self):
        return self.live().filter(assignee=None)

    def pool_of(self, agent):
        """The unassigned tickets ``agent`` may take: those of their team."""
        return self.unassigned().of_team(agent)

    def of_team(self, agent):
        """Of categories ``agent`` knows, or that no agent knows, and never their own."""
        # Judged once for each category, not for each ticket.
        return self.filter(category__in=categories_of_team(agent)).exclude(requester=agent)

    def live(self):
        return self.filter(deleted_at=None, merged_into=None, status__in=LIVE)

    def lately_resolved(self):
        """The newest first; what needs its requester can't be among them, as the index knows."""
        ended = self.filter(status__in=[Status.RESOLVED, Status.CLOSED], needs_requester=False)
        return ended.order_by("-last_event_at", "-pk")

    def with_rating(self):
        """Adds ``rating``, the requester's newest; None if there is none."""
        newest = Feedback.objects.filter(ticket=OuterRef("pk")).order_by("-round")
        return self.annotate(rating=Subquery(newest.values("rating")[:1]))

    def with_people(self):
        """Who has to do with it, and what it is about, in one query."""
        people = self.select_related("requester", "assignee", "category")
        return people.defer(*(f"{who}__{n}" for who in ("requester", "assignee") for n in PRIVATE))

    def for_rows(self):
        """What a row of the workspace's list shows, and no more."""
        return self.select_related("requester", "assignee", "category").only(
            "reference", "subject", "status", "priority", "last_message_by",
            "created_at", "last_event_at", "due_at", "resolve_by", "policy", "warn_before",
            "category__name",
            *(f"{who}__{name}" for who in ("requester", "assignee") for name in NAMES),
        )  # fmt: skip

    def for_requester_rows(self, *more):
        """What a row of the requester's list shows, promise included, and no more."""
        return self.select_related("assignee", "status_event__actor").only(
            "reference", "subject", "status", "requester_id", "needs_requester", "created_at",
            "last_event_at", "due_at", "legal_due_at", "policy", "resolved_at", "closed_at",
            *(f"assignee__{name}" for name in NAMES),
            "status_event__text", "status_event__actor__first_name", *more,
        )  # fmt: skip

    def for_shared_rows(self):
        """The same of tickets of others, and whose they are."""
        names = (f"requester__{name}" for name in NAMES)
        return self.select_related("requester").for_requester_rows(*names)

    def with_promise(self):
        """What ``promises.promise_of`` reads besides."""
        return self.with_people().select_related("status_event__actor")

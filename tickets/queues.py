"""The views of the workspace: which tickets, in which order, and how many."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from .counting import capped_counts
from .models import Ticket
from .workflow import ENDED, Status


@dataclass(frozen=True)
class Queue:
    """A view over tickets; ``ordering`` is served by an index of the ticket."""

    name: str
    title: str
    icon: str
    empty: str
    ordering: tuple[str, ...]

    def tickets(self, user):
        return _ROWS[self.name](user)


_ROWS = {
    "mine": lambda user: Ticket.objects.live().filter(assignee=user),
    "waiting": lambda user: Ticket.objects.assigned_to(user).filter(status=Status.WAITING),
    "unassigned": lambda user: (
        Ticket.objects.unassigned() if user.is_admin else Ticket.objects.pool_of(user)
    ),
    "done": lambda user: Ticket.objects.assigned_to(user).filter(
        status__in=[Status.RESOLVED, *ENDED]
    ),
    "all": lambda user: Ticket.objects.visible_to(user).live(),
}

_QUEUES = [
    Queue("mine", _("My open"), "person", _("Nothing is waiting for you."), ("due_at", "pk")),
    Queue(
        "waiting", _("Waiting on customer"), "hourglass-split",
        _("No customer owes you an answer."), ("due_at", "pk"),
    ),
    Queue(
        "unassigned", _("Unassigned"), "inboxes",
        _("There is nothing left to assign"), ("created_at", "pk"),
    ),
    Queue(
        "done", _("Resolved and closed"), "check-circle",
        _("Nothing has been resolved by you yet."), ("-last_event_at", "-pk"),
    ),
    Queue("all", _("All open"), "collection", _("No ticket is open."), ("due_at", "pk")),
]  # fmt: skip


def queues_for(user) -> dict[str, Queue]:
    """An agent has their own views; an administrator, who has no tickets, sees everybody's."""
    names = ("unassigned", "all") if user.is_admin else ("mine", "waiting", "unassigned", "done")
    return {queue.name: queue for queue in _QUEUES if queue.name in names}


def counts_of(queues, user) -> dict[str, str]:
    """How many tickets stand in each of ``queues``, by name."""
    return capped_counts(user, **{queue.name: queue.tickets(user) for queue in queues})

"""The views of the workspace: which tickets, in which order, and how many."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from .models import Ticket
from .workflow import ENDED, Status

COUNT_LIMIT = 100


@dataclass(frozen=True)
class Queue:
    """A view over tickets; ``ordering`` is served by an index of the ticket."""

    name: str
    title: str
    icon: str
    empty: str
    ordering: tuple[str, ...]

    def tickets(self, user):
        visible = Ticket.objects.visible_to(user)
        return _ROWS[self.name](visible, user)

    def count(self, user) -> str:
        """How many, up to a limit: "7", "99+"."""
        found = self.tickets(user).order_by()[:COUNT_LIMIT].count()
        return f"{COUNT_LIMIT - 1}+" if found == COUNT_LIMIT else str(found)


_ROWS = {
    "mine": lambda visible, user: visible.live().filter(assignee=user),
    "waiting": lambda visible, user: visible.filter(assignee=user, status=Status.WAITING),
    "unassigned": lambda visible, user: (
        visible.unassigned() if user.is_admin else Ticket.objects.pool_of(user)
    ),
    "done": lambda visible, user: visible.filter(
        assignee=user, status__in=[Status.RESOLVED, *ENDED]
    ),
    "all": lambda visible, user: visible.live(),
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

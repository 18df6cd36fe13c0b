"""What tickets do when something happens to an account."""

from django.dispatch import receiver
from django.utils import timezone

from accounts.bells import ring
from accounts.models import User
from accounts.people import Handover
from accounts.signals import (
    agent_leaving,
    availability_changed,
    open_work_asked,
    steadiness_asked,
)

from . import actions
from .automation import clockwork
from .automation.assignment import Desk
from .improvement import problems
from .models import Routing, Ticket
from .parties import calls
from .relations import links
from .signals import ticket_raised, ticket_status_changed
from .workflow import ENDED, HANDLERS, LIVE, Status

ROUTE = "tickets.tasks.route_tickets"


@receiver(open_work_asked)
def count_open_tickets(sender, user, **kwargs):
    return Ticket.objects.live().filter(assignee=user).count()


@receiver(agent_leaving)
def hand_on_open_problems(sender, user, by, handover, **kwargs):
    """Before their tickets: whoever locks a problem and a ticket locks the problem first."""
    if not (user.is_approved and user.is_admin):
        problems.hand_on(user, to=handover if isinstance(handover, User) else by)


@receiver(agent_leaving)
def hand_on_open_tickets(sender, user, by, handover, **kwargs):
    """Each to its successor, with a line of its own; what nobody can have goes back to the pool.

    The oldest promise first. Deleted tickets, which may be restored, go back to the pool.
    """
    theirs = Ticket.objects.filter(assignee=user, status__in=LIVE, merged_into=None)
    theirs = list(theirs.order_by("due_at", "pk").select_related("category"))
    choose = Desk(theirs).choose if handover == Handover.SPREAD else lambda ticket: handover
    for ticket in theirs:
        successor = None if handover == Handover.POOL else choose(ticket)
        is_own = successor and successor.pk == ticket.requester_id
        # An administrator has no say in who gets their own complaint.
        if successor and not is_own and ticket.part_of(by) in HANDLERS:
            actions.assign(ticket, to=successor, by=by)
        else:
            actions.release(ticket, by=by)


@receiver(ticket_raised)
def call_the_dealer(sender, ticket, **kwargs):
    if ticket.category.routing == Routing.AUTOMATIC:
        ring(ROUTE)


@receiver(availability_changed)
def call_the_dealer_for_an_agent(sender, **kwargs):
    ring(ROUTE)


@receiver(ticket_status_changed)
def tell_parents_that_a_part_ended(sender, ticket, event, **kwargs):
    if Status(event.data["from"]) in LIVE and ticket.status not in LIVE:
        links.tell_the_parents_of(ticket)


@receiver(ticket_status_changed)
def free_from_an_agent_who_left(sender, ticket, event, **kwargs):
    """A ticket that had ended when its agent left, and is opened again: somebody else takes it."""
    if Status(event.data["from"]) not in LIVE and ticket.status in LIVE:
        actions.release(ticket, by=event.actor)


@receiver(ticket_status_changed)
def drop_the_call_that_waits(sender, ticket, event, **kwargs):
    if ticket.status in ENDED:
        calls.drop_at_the_end(ticket, by=event.actor)


@receiver(steadiness_asked)
def say_whether_time_is_steady(sender, **kwargs):
    return clockwork.is_steady(timezone.now())

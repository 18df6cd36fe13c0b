"""Who has a ticket."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User

from ..history import lock, mark, write
from ..models import Audience, Rule, Ticket, TicketEvent
from ..signals import ticket_assigned
from ..workflow import HANDLERS, LIVE, AlreadyAssigned, Part, Status, TicketRefusal
from .moving import move

Kind = TicketEvent.Kind


@transaction.atomic
def assign(
    ticket: Ticket,
    *,
    to: User,
    by: User | None,
    rule: Rule | str = "",
    note: str = "",
    capacity: int | None = None,
) -> TicketEvent:
    """Give ``ticket`` to the agent ``to``; a new ticket is opened by it.

    Administrators assign any live ticket, its agent hands it over, an agent of its pool takes it.
    Nobody (``by`` is None) assigns it by a ``rule`` of ``routing``, to who has less than
    ``capacity``, or of operators. ``note`` is for the next agent and stays among staff.

    Raises AlreadyAssigned when somebody was quicker, TicketRefusal when it can't be theirs.
    """
    seen = ticket.assignee_id
    # Asked anew and held, so that nobody gets a ticket while they leave. The person comes before
    # the ticket, as in people.suspend: each waits for the other in one order.
    agents = User.objects.agents().select_for_update(no_key=True)
    is_at_work = agents.filter(pk=to.pk).exists()
    theirs = Ticket.objects.live().filter(assignee=to).order_by("due_at", "pk")
    if capacity is not None and theirs[:capacity].count() == capacity:
        raise TicketRefusal(_("%(agent)s has no room.") % {"agent": to})
    lock(ticket)
    if ticket.assignee_id != seen:
        raise AlreadyAssigned(ticket, ticket.assignee)
    if by and not _may_assign(ticket, to, by):
        raise PermissionDenied
    if ticket.status not in LIVE or ticket.deleted_at:
        raise TicketRefusal(
            _("%(ticket)s is %(status)s. Open it again to assign it.")
            % {"ticket": ticket, "status": ticket.get_status_display().lower()}
        )
    if not is_at_work or to.pk == ticket.requester_id:
        raise TicketRefusal(_("%(person)s can't be given this ticket.") % {"person": to})
    if to.pk == ticket.assignee_id:
        raise AlreadyAssigned(ticket, to)
    data = {"from": ticket.assignee_id, "to": to.pk} | mark(rule)
    event = write(ticket, Kind.ASSIGNED, by=by, data=data, assignee=to)
    ticket_assigned.send(sender=Ticket, ticket=ticket, event=event)
    if note:  # once it is theirs: they are told of it, and who had it is not
        write(ticket, Kind.NOTE, by=by, audience=Audience.STAFF, text=note)
    if ticket.status == Status.NEW:
        move(ticket, Status.OPEN, by=by, via=Part.ASSIGNMENT, rule=rule)
    return event


def _may_assign(ticket, to, by) -> bool:
    part = ticket.part_of(by)
    takes = part == Part.POOL and to.pk == by.pk
    return by.has_perm("tickets.assign_ticket") and (part in HANDLERS or takes)


@transaction.atomic
def release(ticket: Ticket, *, by: User | None, rule: str = "") -> TicketEvent | None:
    """Take ``ticket`` from an agent who is none any more, so that whoever may can take it.

    It stays where it stands, and so does what was promised. ``by`` is who let the agent go: that
    may be the requester, to whom the ticket gives no say in who has it. Nothing is written when
    its agent works here, unless a ``rule`` of ``routing`` takes it from them and nobody has moved
    it since it was loaded.
    """
    seen = (ticket.assignee_id, ticket.status)
    lock(ticket)
    agent = ticket.assignee
    is_as_seen = rule and seen == (ticket.assignee_id, ticket.status)
    if agent is None or (agent.is_approved and agent.is_agent and not is_as_seen):
        return None
    data = {"from": agent.pk, "to": None} | mark(rule)
    return write(ticket, Kind.ASSIGNED, by=by, data=data, assignee=None)

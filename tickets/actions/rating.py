"""What the requester says of how a ticket was handled."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User

from ..history import lock, write
from ..models import Feedback, Ticket, TicketEvent
from ..signals import ticket_rated
from ..workflow import Part, Status, TicketRefusal
from .moving import move


@transaction.atomic
def rate(
    ticket: Ticket,
    *,
    by: User,
    rating: int,
    comment: str = "",
    improvement: str = "",
    round: int | None = None,
    part: Part | None = None,
) -> Feedback:
    """Keep the requester's rating of how the ticket was handled, once each time it ended.

    ``round`` is the ending they were asked about, the newest if none is given. The same rating
    once more is the one that is kept. A rating settles a resolved ticket: it closes. ``part`` is
    what ``by`` is to the ticket if that was proved without an account.
    """
    lock(ticket)
    if (part or ticket.part_of(by)) != Part.REQUESTER:
        raise PermissionDenied
    round = ticket.reopen_count if round is None else round
    given = {"rating": rating, "comment": comment, "improvement": improvement}
    if kept := ticket.feedback.filter(round=round).first():
        if all(getattr(kept, name) == value for name, value in given.items()):
            return kept
        raise TicketRefusal(_("You have rated this already."))
    if round != ticket.reopen_count or not ticket.may_be_rated:
        raise TicketRefusal(_("This ticket can't be rated now."))
    feedback = Feedback.objects.create(ticket=ticket, round=round, agent=ticket.assignee, **given)
    write(ticket, TicketEvent.Kind.RATED, by=by, data={"rating": rating}, text=comment)
    ticket_rated.send(sender=Ticket, ticket=ticket, feedback=feedback)
    if ticket.status == Status.RESOLVED:
        move(ticket, Status.CLOSED, by=by, part=part)
    return feedback

"""Whose ticket it is: raised for somebody who called or came by, or corrected afterwards."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import User

from ..actions import assign, raise_ticket
from ..history import lock, write
from ..models import Audience, Ticket, TicketEvent
from ..regulated.complaints import is_answered
from ..signals import requester_corrected
from ..workflow import HANDLERS, Part, TicketRefusal
from . import participants


@transaction.atomic
def raise_for(
    requester: str, *, first_name: str, by: User, take: bool = False, key: UUID | None, **told
) -> Ticket:
    """Register what the customer with the address ``requester`` told ``by``.

    Somebody new is known by ``first_name``. ``told`` are the other words of ``raise_ticket``.
    The same ``key`` makes one ticket. Raises AccountRefusal for who is no customer, TicketRefusal
    when ``by`` wants to ``take`` what only others may.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # two clicks, one after the other
    if first := _raised_before(key, by):
        return first
    person = customers.know(requester, first_name=first_name, by=by)
    ticket = raise_ticket(by=by, requester=person, draft_key=key, **told)
    if take:
        if ticket.part_of(by) != Part.POOL:
            raise TicketRefusal(_("Only agents who know this category can take the ticket."))
        assign(ticket, to=by, by=by)
    return ticket


def _raised_before(key, by) -> Ticket | None:
    first = Ticket.objects.filter(draft_key=key).first() if key else None
    if first and first.events.get(number=1).actor_id != by.pk:
        raise PermissionDenied
    return first


@transaction.atomic
def correct_requester(ticket: Ticket, requester: str, *, first_name: str, by: User) -> TicketEvent:
    """Give ``ticket`` to the customer it is really about, with everything that was said.

    Whoever had it before sees it no more, nor who took part with them, and the numbers they asked
    to be called at go. Raises AccountRefusal for who is no customer.
    """
    person = customers.know(requester, first_name=first_name, by=by)  # people before tickets
    lock(ticket)
    if not by.has_perm("tickets.correct_requester") or ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if person.pk == ticket.requester_id:
        raise TicketRefusal(_("%(ticket)s is theirs already.") % {"ticket": ticket})
    if merged := ticket.merged.first():  # it is of the same customer
        words = _("%(merged)s was merged into %(ticket)s. Undo that first.")
        raise TicketRefusal(words % {"merged": merged, "ticket": ticket})
    if is_answered(ticket):
        words = _("A letter names this customer. Raise a ticket of their own for the right one.")
        raise TicketRefusal(words)
    if ticket.feedback.exists():  # words about us, which are nobody else's to read
        words = _("This customer has rated it. Raise a ticket of their own for the right one.")
        raise TicketRefusal(words)
    ticket.call_requests.all().delete()
    participants.remove_all(ticket, by=by)
    event = write(
        ticket,
        TicketEvent.Kind.REQUESTER,
        by=by,
        audience=Audience.STAFF,
        data={"from": ticket.requester_id, "to": person.pk},
        requester=person,
    )
    requester_corrected.send(sender=Ticket, ticket=ticket, event=event)
    return event

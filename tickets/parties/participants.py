"""Who has to do with a ticket besides its requester and its agent: customers who take part in it,
and staff who follow it."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import User

from ..history import lock, lock_all, write
from ..models import Audience, Follower, Participant, Ticket, TicketEvent
from ..signals import participant_added
from ..workflow import CUSTOMERS, HANDLERS, Part, TicketRefusal

Kind = TicketEvent.Kind
MAX_PARTICIPANTS = 10  # of one ticket: each of them gets each mail


def may_choose(ticket: Ticket, user: User) -> bool:
    """Whether ``user`` says who takes part: who handles the ticket, and its requester where the
    desk allows it."""
    part = ticket.part_of(user)
    asks = part == Part.REQUESTER and settings.REQUESTERS_ADD_PARTICIPANTS
    return user.has_perm("tickets.add_participant") and (part in HANDLERS or asks)


@transaction.atomic
def add(ticket: Ticket, email: str, *, by: User) -> Participant:
    """Let the customer with the address ``email`` read and write here. They are told.

    Raises TicketRefusal for who is no confirmed customer, or is on the ticket already.
    """
    person = customers.find_confirmed(email)
    if person:  # people before tickets, as everywhere: nobody joins while they are erased
        person = User.objects.customers().select_for_update(no_key=True).get(pk=person.pk)
    lock(ticket)
    if not may_choose(ticket, by):
        raise PermissionDenied
    if refusal := _refusal_for(ticket, person):
        raise TicketRefusal(refusal)
    participant = ticket.participants.create(person=person, added_by=by)
    event = write(ticket, Kind.JOINED, by=by, data={"person": person.pk})
    participant_added.send(sender=Ticket, ticket=ticket, event=event)
    return participant


def _refusal_for(ticket, person) -> str:
    if not ticket.is_chat_open:
        return _("This ticket has ended. Open it again first.")
    if person is None:
        return _("No customer has confirmed this address here")
    if ticket.part_of(person) in CUSTOMERS:
        return _("%(name)s is on this ticket already") % {"name": person}
    if ticket.participants.count() >= MAX_PARTICIPANTS:
        return _("No more than %(n)s people can take part") % {"n": MAX_PARTICIPANTS}
    return ""


@transaction.atomic
def remove(ticket: Ticket, *, person: int, by: User) -> TicketEvent:
    """The person with this key sees the ticket no more, nor what was merged into it should that be
    undone. They may go by themselves.

    Raises TicketRefusal when they took no part.
    """
    merged = list(ticket.merged.filter(participants__person=person))
    lock_all(ticket, *merged)
    if by.pk != person and not may_choose(ticket, by):
        raise PermissionDenied
    if not ticket.participants.filter(person=person).exists():
        if by.pk == person:
            raise TicketRefusal(_("You take no part in this ticket."))
        raise TicketRefusal(_("They take no part any more."))
    for each in merged:
        _take_out(each, person, by=by)
    return _take_out(ticket, person, by=by)


def _take_out(ticket, person, *, by, audience=Audience.EVERYONE) -> TicketEvent:
    ticket.participants.filter(person=person).delete()
    return write(ticket, Kind.LEFT, by=by, audience=audience, data={"person": person})


def remove_all(ticket: Ticket, *, by: User) -> None:
    """It turned out to be somebody else's: who knew the one has no business with the other, who
    does not read of them. ``ticket`` is locked."""
    for person in list(ticket.participants.values_list("person", flat=True)):
        _take_out(ticket, person, by=by, audience=Audience.STAFF)


def leave_everything(person: User, *, by: User | None) -> None:
    """``person`` is erased: no row says any more with whom they had to do."""
    for ticket in Ticket.objects.filter(participants__person=person).order_by("pk"):
        lock(ticket)
        _take_out(ticket, person.pk, by=by)
    Follower.objects.filter(person=person).delete()


def written_on_by(person: User):
    """The tickets of others on which ``person`` wrote as a customer: taking part, or until somebody
    else turned out to be the requester."""
    lines = TicketEvent.objects.filter(ticket=OuterRef("pk"))
    took_part = Q(kind=Kind.JOINED, data__person=person.pk)
    was_requester = Q(kind=Kind.REQUESTER, data__from=person.pk)
    return Ticket.objects.filter(
        Exists(lines.filter(actor=person)), Exists(lines.filter(took_part | was_requester))
    ).exclude(requester=person)


@transaction.atomic
def follow(ticket: Ticket, *, by: User) -> None:
    """``by``, of the staff, hears of the ticket as long as they may see it. Once is enough."""
    if not by.has_perm("tickets.follow_ticket") or ticket.part_of(by) in {None, Part.REQUESTER}:
        raise PermissionDenied
    Follower.objects.get_or_create(ticket=ticket, person=by)


def unfollow(ticket: Ticket, *, by: User) -> None:
    if not by.has_perm("tickets.follow_ticket") or ticket.part_of(by) == Part.REQUESTER:
        raise PermissionDenied
    Follower.objects.filter(ticket=ticket, person=by).delete()

"""A ticket begins."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.customers import is_customer
from accounts.models import User

from .. import fields
from ..history import lock, write
from ..models import (
    Attachment,
    Category,
    Channel,
    ReferenceCounter,
    Ticket,
    TicketDraft,
    TicketEvent,
)
from ..promise import sla
from ..regulated import complaints
from ..relations import links
from ..signals import ticket_raised
from ..workflow import Part, TooMany


@transaction.atomic
def raise_ticket(
    *,
    by: User,
    category: Category,
    subject: str,
    description: str,
    draft_key: UUID | None = None,
    requester: User | None = None,
    channel: Channel = Channel.WEB,
    priority: str = "",
    answers: fields.Answers | None = None,
    about: str = "",
    how: dict | None = None,
    **details,
) -> Ticket:
    """Register a complaint of ``by``, or of ``requester`` who told it to ``by``.

    Without a ``priority`` it has the one that is usual in its category, whose questions have these
    ``answers``. ``about`` is the number of a ticket of theirs that ended and that this one follows
    up; ``how`` is what its first line says of the way it came, besides the ``channel``;
    ``details`` are the other fields of the form. A draft makes one ticket: asked again with
    the same ``draft_key``, the first one is returned. Files that waited in the draft go with it.
    Raises TooMany past the hourly limit, which is for people who write themselves.
    """
    requester = requester or by
    if requester != by and not (by.has_perm("tickets.raise_for_others") and is_customer(requester)):
        raise PermissionDenied
    if draft_key:
        # Taking the draft away is the claim: the second of two clicks finds nothing to take.
        TicketDraft.objects.filter(key=draft_key, owner=by).delete()
        if first := Ticket.objects.filter(draft_key=draft_key, requester=by).first():
            return first
    if old := links.ended_ticket_of(requester, about):
        lock(old)
    # Taken first: its lock makes simultaneous tickets wait for each other, so the limit holds.
    reference = ReferenceCounter.next_reference()
    if requester == by and _has_raised_many(by):
        raise TooMany(_("You have raised many tickets within an hour. Try again a little later."))
    ticket = register(
        reference,
        by=by,
        requester=requester,
        category=category,
        description=description,
        draft_key=draft_key,
        data={"channel": channel, **(how or {})},
        priority=priority,
        answers=answers,
        subject=subject,
        **details,
    )
    if old:
        links.follow_up(ticket, old=old, by=by)
    return ticket


def register(
    reference: str,
    *,
    by: User,
    requester: User,
    category: Category,
    description: str,
    data: dict,
    draft_key: UUID | None = None,
    priority: str = "",
    answers: fields.Answers | None = None,
    **details,
) -> Ticket:
    """The ticket with its first line, whoever decided that there is one; inside a transaction.

    ``data`` of that line says how it came; the other words are those of ``raise_ticket``.
    """
    now = timezone.now()
    priority = priority or category.default_priority
    terms = sla.terms_for(category, priority)
    ticket = Ticket.objects.create(
        reference=reference,
        requester=requester,
        category=category,
        priority=priority,
        created_at=now,
        draft_key=draft_key,
        **sla.promised(terms, now),
        **details,
    )
    event = write(
        ticket,
        TicketEvent.Kind.RAISED,
        by=by,
        at=now,
        data={"category": category.pk, "priority": priority, "kind": ticket.kind, **data},
        text=description,
        last_message_by=Part.REQUESTER,
        message_count=1,
    )
    fields.keep_first(ticket, answers or {})
    if draft_key:
        Attachment.objects.waiting_in(draft_key, by).update(event=event, draft_key=None)
    complaints.fit(ticket)
    ticket_raised.send(sender=Ticket, ticket=ticket, event=event)
    return ticket


def _has_raised_many(person) -> bool:
    since = timezone.now() - timedelta(hours=1)
    recent = Ticket.objects.filter(requester=person, created_at__gte=since).order_by()
    return recent[: settings.TICKETS_PER_HOUR].count() >= settings.TICKETS_PER_HOUR

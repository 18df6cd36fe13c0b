"""The end of a ticket that has been in the bin long enough. A tombstone is all that stays."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from . import fields, history
from .erasure import remove_files
from .models import Attachment, ComplaintCase, Ticket, TicketEvent, Tombstone
from .signals import ticket_removing
from .wording import day
from .workflow import TicketRefusal


def removable_from(ticket: Ticket) -> datetime:
    return ticket.deleted_at + timedelta(days=settings.BIN_DAYS)


def refusal_for(ticket: Ticket) -> str:
    """Why ``ticket`` can't be removed for good now; empty if it can."""
    if ticket.deleted_at is None:
        return _("%(ticket)s is not in the bin.") % {"ticket": ticket}
    if timezone.now() < removable_from(ticket):
        words = _("%(ticket)s can be removed for good from %(day)s on.")
        return words % {"ticket": ticket, "day": day(removable_from(ticket))}
    joined = Ticket.objects.going_on_in(ticket)
    people = {person for each in joined for person in _customers_of(each)}
    if User.objects.filter(pk__in=people).exclude(legal_hold="").exists():
        return _("The customer’s account is on legal hold. Release it first.")
    return ""


def _customers_of(ticket) -> set[int]:
    """Whose it is, whose it was before it was corrected, and who ever took part."""
    told = ticket.events.filter(kind__in=[TicketEvent.Kind.REQUESTER, TicketEvent.Kind.JOINED])
    others = (data.get("from") or data["person"] for data in told.values_list("data", flat=True))
    return {ticket.requester_id, *others}


@transaction.atomic
def remove_for_good(ticket: Ticket, *, by: User) -> Tombstone:
    """Remove ``ticket`` with everything that was said, and keep proof that it was so. What was
    merged into it goes with it.

    Raises TicketRefusal with the words of ``refusal_for``.
    """
    merged = list(ticket.merged.all())
    history.lock_all(ticket, *merged)
    if not by.has_perm("tickets.remove_ticket") or ticket.requester_id == by.pk:
        raise PermissionDenied
    if refusal := refusal_for(ticket):
        raise TicketRefusal(refusal)
    for each in merged:
        _remove(each, by)
    return _remove(ticket, by)


def _remove(ticket, by) -> Tombstone:
    tombstone = _tombstone_of(ticket, by)
    ticket_removing.send(sender=Ticket, ticket=ticket)
    remove_files(Attachment.objects.filter(event__ticket=ticket))
    fields.erase(ticket)
    for rows in (
        ticket.feedback,
        ticket.suggestions,
        ticket.call_requests,
        ticket.participants,
        ticket.followers,
        ticket.rule_runs,
        ticket.links,
        ticket.links_to,
    ):
        rows.all().delete()
    ComplaintCase.objects.filter(ticket=ticket).delete()
    Ticket.objects.filter(pk=ticket.pk).update(status_event=None)
    QuerySet(TicketEvent).filter(ticket=ticket).delete()  # past the refusal
    Ticket.objects.filter(pk=ticket.pk).delete()
    return tombstone


def _tombstone_of(ticket, by) -> Tombstone:
    lines = ticket.events.order_by("number").values_list("pk", "digest")
    tombstone = Tombstone(
        ticket_pk=ticket.pk,
        reference=ticket.reference,
        event_count=ticket.event_count,
        head_digest=ticket.head_digest,
        lines=[list(line) for line in lines],
        removed_by=by,
    )
    tombstone.seal = seal(tombstone)
    tombstone.save()
    return tombstone


def seal(tombstone: Tombstone) -> str:
    """What nobody without ``HISTORY_KEY`` can write under a tombstone."""
    told = [
        tombstone.ticket_pk,
        tombstone.reference,
        tombstone.event_count,
        tombstone.head_digest,
        tombstone.lines,
        tombstone.removed_at.astimezone(UTC).isoformat(),
        tombstone.removed_by_id,
    ]
    return hmac.new(
        settings.HISTORY_KEY.encode(), json.dumps(told).encode(), hashlib.sha256
    ).hexdigest()


def problems() -> Iterator[str]:
    """A sentence for each tombstone that was altered, or whose ticket is here after all."""
    stones = Tombstone.objects.order_by("pk")
    here = set(
        Ticket.objects.filter(pk__in=stones.values("ticket_pk")).values_list("pk", flat=True)
    )
    for tombstone in stones.iterator():
        if not hmac.compare_digest(tombstone.seal, seal(tombstone)):
            yield f"{tombstone}: the tombstone was altered."
        elif tombstone.ticket_pk in here:
            yield f"{tombstone}: was removed for good and is here again."

"""What a ticket is about, and how urgent it is."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User

from .. import fields
from ..history import lock, mark, write
from ..models import Audience, Category, Rule, Ticket, TicketEvent
from ..promise import sla
from ..regulated import complaints
from ..workflow import HANDLERS, LIVE
from .promising import write_promise

Kind = TicketEvent.Kind


@transaction.atomic
def classify(
    ticket: Ticket,
    *,
    by: User | None,
    priority: str,
    category: Category,
    kind: str | None = None,
    tags: list[str] | None = None,
    rule: Rule | str = "",
) -> TicketEvent | None:
    """Set priority and category, and if given kind and tags; nothing is written when all are what
    they were. Nobody (``by`` is None) does it by a ``rule`` of operators."""
    lock(ticket)
    if by and ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    changes = {}
    data = {}
    if priority != ticket.priority:
        changes["priority"] = priority
        data["priority"] = [ticket.priority, priority]
    if category.pk != ticket.category_id:
        changes["category"] = category
        data["category"] = [ticket.category_id, category.pk]
    fits_another = bool(changes)
    if kind and kind != ticket.kind:
        changes["kind"] = kind
        data["kind"] = [ticket.kind, kind]
    if tags is not None and (retagged := fields.tag(ticket, tags)):
        data["tags"] = retagged
    if not data:
        return None
    due_at = ticket.due_at
    if fits_another:
        changes |= _promised_for(ticket, priority, category)
    told = data | mark(rule)
    event = write(ticket, Kind.CLASSIFIED, by=by, data=told, audience=Audience.STAFF, **changes)
    if ticket.due_at != due_at:
        write_promise(ticket, due_at, ticket.due_at, by=by, because=next(iter(data)))
    complaints.fit(ticket)
    return event


def _promised_for(ticket, priority, category) -> dict:
    """What else changes when another service level fits."""
    terms = sla.terms_for(category, priority)
    if ticket.status not in LIVE or terms.policy_id == ticket.policy_id:
        return {}
    return sla.reckoned_anew(ticket, terms, timezone.now())

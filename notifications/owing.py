"""Writing down who must be told. The worker decides by which ways, and when, and tells them."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from messaging import live

from .models import Notification
from .tasks import ring


def owe(kind: str, *people: User | None, cause: str, event=None) -> None:
    """Write down that ``people`` must hear of ``cause``; the same cause owes each of them once."""
    now = timezone.now()
    facts = {"cause": cause, "kind": kind, "event": event, "created_at": now, "not_before": now}
    owed = [Notification(recipient=person, **facts) for person in people if person]
    if not owed:
        return
    Notification.objects.bulk_create(owed, ignore_conflicts=True)
    transaction.on_commit(ring, robust=True)
    live.tell(each.recipient_id for each in owed)

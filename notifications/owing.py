"""Writing down who must be told. The worker decides by which ways, and when, and tells them."""

from datetime import datetime

from django.utils import timezone

from accounts.bells import ring
from accounts.models import User
from messaging import live

from .models import Notification
from .owed import SEND_MAIL


def owe(
    kind: str, *people: User | None, cause: str, event=None, not_before: datetime | None = None
) -> None:
    """Write down that ``people`` must hear of ``cause``; the same cause owes each of them once.

    The bell shows it at once. What may wait until ``not_before`` lights up no telephone, and is
    mailed together with whatever else of its person has waited by then.
    """
    now = timezone.now()
    facts = {"cause": cause, "kind": kind, "event": event}
    facts |= {"created_at": now, "not_before": not_before or now}
    owed = [Notification(recipient=person, **facts) for person in people if person]
    if not owed:
        return
    Notification.objects.bulk_create(owed, ignore_conflicts=True)
    ring(SEND_MAIL)
    live.tell(each.recipient_id for each in owed)

"""Writing down who must be told. The worker decides by which ways, and when, and tells them."""

from django.db import transaction

from accounts.models import User

from .models import Notification
from .tasks import ring


def owe(kind: str, *people: User | None, cause: str, event=None) -> None:
    """Write down that ``people`` must hear of ``cause``; the same cause owes each of them once."""
    Notification.objects.bulk_create(
        [
            Notification(cause=cause, kind=kind, recipient=person, event=event)
            for person in people
            if person
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(ring, robust=True)

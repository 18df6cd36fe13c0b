"""What the tests of the complaint grade look at."""

from datetime import UTC, datetime

from django.urls import reverse

from notifications.models import Notification
from tickets.models import ComplaintCase
from tickets.workflow import ResolutionKind

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
SOLVED = {"text": "Paid back.", "resolution": ResolutionKind.REFUNDED}
WORDS = "You were right. We pay the price back."


def stage_of(ticket):
    return ComplaintCase.objects.values_list("stage", flat=True).get(ticket=ticket)


def staged(ticket):
    lines = ticket.events.filter(kind="staged").order_by("number")
    return [line.data["stage"] for line in lines]


def told(person, ticket, kind="staged"):
    return Notification.objects.filter(recipient=person, event__ticket=ticket, kind=kind).count()


def url(name, ticket):
    return reverse(f"tickets:complaint_{name}", args=[ticket.reference])

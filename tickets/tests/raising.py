"""A person raises a ticket, through the pages."""

from django.urls import reverse

from tickets.models import Ticket

from .reading import typed

NEW = reverse("tickets:new")
REVIEW = reverse("tickets:review")
IPHONE = (
    "Hi. My I Phone 14 pro max is not turning on. It is a new unit I bought it just 2 days back. "
    "I don't know what happened. Can you help me please?"
)


def form_of(category, **changes):
    return {
        "category": category.pk,
        "subject": "Phone does not turn on",
        "description": IPHONE,
        "priority": "high",
        **changes,
    }


def write(client, category, **changes):
    """Fills the form in and asks for the review."""
    return client.post(NEW, form_of(category, **changes))


def reviewed(client) -> dict:
    """What the review's button would send."""
    page = client.get(REVIEW)
    return {name: typed(page, name) for name in ("key", "version")}


def send(client):
    """Sends what the review shows."""
    return client.post(REVIEW, reviewed(client))


def raise_ticket(client, category, **changes) -> Ticket:
    write(client, category, **changes)
    done = send(client)
    return Ticket.objects.get(reference=done.url.split("/")[2])

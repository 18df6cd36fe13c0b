"""Both sides of a conversation write, through the pages or straight away."""

from uuid import uuid4

from channels.db import database_sync_to_async as in_thread
from django.urls import reverse

from messaging import actions
from tickets.models import Ticket


def talk(ticket, by, *bodies):
    for body in bodies:
        actions.post_message(ticket, by=by, body=body)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


@in_thread
def say(ticket, by, body="Any news?", post=actions.post_message):
    return post(fresh(ticket), by=by, body=body)


def reply(client, ticket, body="", key=None, files=(), **more):
    url = reverse("messaging:reply", args=[ticket.reference])
    data = {"body": body, "key": key or uuid4(), "files": files, **more}
    return client.post(url, data)


def write(client, ticket, body="", kind="reply", key=None, **more):
    """As the page open at ``ticket``'s last line would send it."""
    url = reverse("messaging:write", args=[ticket.reference])
    seen = more.pop("seen", ticket.event_count)
    data = {"body": body, "kind": kind, "key": key or uuid4(), "seen": seen, **more}
    return client.post(url, data)

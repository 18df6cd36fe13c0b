"""The numbered history: the one place where lines are written, and where they are checked.

A line's digest is HMAC-SHA-256(HISTORY_KEY, previous digest + canonical JSON of the line), so
somebody who can write the database but has not the key can't alter, remove or add a line unseen.
``docs/history.md`` says what that proves and what it can't.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from .models import Audience, Ticket, TicketEvent
from .signals import line_written


def lock(ticket: Ticket) -> None:
    """Bring ``ticket`` up to date and lock its row until the running transaction ends.

    PostgreSQL locks the row; SQLite's write transactions are alone anyway.
    """
    ticket.refresh_from_db(
        from_queryset=Ticket.objects.select_for_update(of=("self",)).select_related(
            "requester", "assignee", "category"
        )
    )


def words_hash(salt: str, words: str) -> str:
    return hashlib.sha256(f"{salt}{words}".encode()).hexdigest() if words else ""


def digest(previous: str, event: TicketEvent) -> str:
    line = {
        "ticket": event.ticket_id,
        "number": event.number,
        "kind": event.kind,
        "actor": event.actor_id,
        "at": event.at.astimezone(UTC).isoformat(),
        "audience": event.audience,
        "data": event.data,
        "words": event.words_hash,
    }
    canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(
        settings.HISTORY_KEY.encode(), f"{previous}{canonical}".encode(), hashlib.sha256
    ).hexdigest()


def write(
    ticket: Ticket,
    kind: str,
    *,
    by,
    audience: str = Audience.EVERYONE,
    data: dict | None = None,
    text: str = "",
    key=None,
    at: datetime | None = None,
    **changes,
) -> TicketEvent:
    """Add the next line to ``ticket``'s history and apply ``changes`` to its row.

    ``ticket`` comes from ``lock`` in the running transaction, or was created in it.
    """
    salt = secrets.token_hex(16) if text else ""
    event = TicketEvent(
        ticket=ticket,
        number=ticket.event_count + 1,
        kind=kind,
        actor=by,
        at=at or timezone.now(),
        audience=audience,
        data=data or {},
        text=text,
        salt=salt,
        words_hash=words_hash(salt, text),
        key=key,
    )
    event.digest = digest(ticket.head_digest, event)
    event.save()
    if kind == TicketEvent.Kind.STATUS or kind == TicketEvent.Kind.RAISED:
        changes["status_event"] = event
    changes |= {"event_count": event.number, "head_digest": event.digest, "last_event_at": event.at}
    for field, value in changes.items():
        setattr(ticket, field, value)
    ticket.save(update_fields=changes)
    line_written.send(sender=Ticket, ticket=ticket, event=event)
    return event


def problems(tickets) -> Iterator[str]:
    """What is wrong with the histories of ``tickets``: a sentence for each ticket, the first fault.

    Finds a line altered, removed, added, moved to another ticket, and a missing last line.
    """
    for ticket in tickets.iterator(chunk_size=500):
        previous, expected = "", 1
        for event in ticket.events.order_by("number").iterator():
            if event.number != expected:
                yield f"{ticket}: line {expected} is missing."
                break
            if event.digest != digest(previous, event):
                yield f"{ticket}: line {event.number} was altered."
                break
            if event.salt and event.words_hash != words_hash(event.salt, event.text):
                yield f"{ticket}: the words of line {event.number} were altered."
                break
            previous, expected = event.digest, expected + 1
        else:
            if (ticket.event_count, ticket.head_digest) != (expected - 1, previous):
                yield f"{ticket}: the last lines are missing, or the count is wrong."

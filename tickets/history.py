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
from itertools import groupby
from operator import attrgetter

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from . import belongings
from .automation.timing import wakes_at
from .models import Audience, Rule, Ticket, TicketEvent
from .signals import line_written
from .workflow import MergedAway

BATCH = 200  # tickets whose lines are in memory at a time
# What ``digest`` reads, besides the digest before.
DIGESTED = ["ticket_id", "number", "kind", "actor_id", "at", "audience", "data", "words_hash"]
# What may still happen to a ticket that goes on in another.
MERGED_TOO = (
    TicketEvent.Kind.UNMERGED,
    TicketEvent.Kind.UNLINKED,
    TicketEvent.Kind.LEFT,
    TicketEvent.Kind.ERASED,
)


def lock(ticket: Ticket) -> None:
    """Bring ``ticket`` up to date and lock its row until the running transaction ends.

    PostgreSQL locks the row; SQLite's write transactions are alone anyway.
    """
    # After waiting for the lock PostgreSQL has the new row of the ticket, but still the joined rows
    # of before, and loses what no longer fits. So only what hardly ever changes is joined, and who
    # waited while the requester was corrected asks again.
    belongings.forget(ticket)
    locked = Ticket.objects.select_for_update(of=("self",)).select_related("requester")
    try:
        ticket.refresh_from_db(from_queryset=locked)
    except Ticket.DoesNotExist:
        ticket.refresh_from_db(from_queryset=locked)


def lock_all(*tickets: Ticket) -> None:
    """Lock them in one order, so that two who do so never wait for each other."""
    for ticket in sorted(tickets, key=attrgetter("pk")):
        lock(ticket)


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


def mark(rule: Rule | str) -> dict:
    """What a line says of the ``rule`` it was written by: one of operators, or by its name one of
    the registry's own."""
    if isinstance(rule, Rule):
        return {"rule": "rule", "by_rule": rule.pk}
    return {"rule": rule} if rule else {}


def write(
    ticket: Ticket,
    kind: str,
    /,  # a ticket has a kind of its own, which may be among the changes
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

    ``ticket`` comes from ``lock`` in the running transaction, or was created in it. Raises
    MergedAway when it goes on in another ticket, whoever wants to write.
    """
    if ticket.merged_into_id and kind not in MERGED_TOO:
        raise MergedAway(ticket)
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
    changes |= {"event_count": event.number, "head_digest": event.digest}
    if audience == Audience.EVERYONE:  # the requester's list must not betray a note
        changes["last_event_at"] = event.at
    if "assignee" in changes:
        changes["pooled_at"] = event.at
    for field, value in changes.items():
        setattr(ticket, field, value)
    ticket.wakes_at = wakes_at(ticket)
    ticket.save(update_fields=[*changes, "wakes_at"])
    line_written.send(sender=Ticket, ticket=ticket, event=event)
    return event


def erase_words(ticket: Ticket, *, by, of=None, quoted=(), **changes) -> TicketEvent:
    """Empty the words of all lines of ``ticket``, and write down which lines those were. Only the
    lines ``of`` one person and those where they are ``quoted``, if that is given.

    The only change to lines there is: the law asks for it. Digests cover salted hashes, which
    stay, so the chain holds, and ``problems`` accepts emptied words where such a line says so.
    ``ticket`` and ``changes`` are those of ``write``.
    """
    said = ticket.events.exclude(text="").order_by("number")
    said = said.filter(Q(actor=of) | Q(number__in=quoted)) if of else said
    numbers = list(said.values_list("number", flat=True))
    event = write(
        ticket,
        TicketEvent.Kind.ERASED,
        by=by,
        audience=Audience.STAFF,
        data={"lines": numbers} | ({"of": of.pk} if of else {}),
        **changes,
    )
    lines = QuerySet(TicketEvent).filter(ticket=ticket, number__in=numbers)  # past the refusal
    lines.update(text="", salt="")
    return event


def problems(tickets) -> Iterator[str]:
    """What is wrong with the histories of ``tickets``: a sentence for each ticket, the first fault.

    Finds a line altered, removed, added or moved to another ticket, words that were changed, and
    a missing last line. A line and its ticket are read by one query for a batch, so a ticket
    somebody is writing to passes, memory stays small and no lock is held.
    """
    after = 0
    while batch := list(tickets.order_by("pk").filter(pk__gt=after)[:BATCH]):
        after = batch[-1].pk
        lines = (
            TicketEvent.objects.filter(ticket__in=batch)
            .select_related("ticket")
            .only(*DIGESTED, "text", "salt", "digest", "ticket__event_count", "ticket__head_digest")
            .order_by("ticket_id", "number")
        )
        histories = {
            pk: list(history) for pk, history in groupby(lines, key=attrgetter("ticket_id"))
        }
        for ticket in batch:
            if fault := _first_fault(histories.get(ticket.pk, [])):
                yield f"{ticket}: {fault}"


def _first_fault(lines: list[TicketEvent]) -> str:
    if not lines:
        return "all lines are missing."
    previous = ""
    emptied = _numbers_erased(lines)
    for expected, event in enumerate(lines, 1):
        if event.number != expected:
            return f"line {expected} is missing."
        if event.digest != digest(previous, event):
            return f"line {expected} was altered."
        is_erased = expected in emptied and not (event.text or event.salt)
        if not is_erased and event.words_hash != words_hash(event.salt, event.text):
            return f"the words of line {expected} were altered."
        previous = event.digest
    ticket = event.ticket
    if (ticket.event_count, ticket.head_digest) != (expected, previous):
        return "the last lines are missing, or the count is wrong."
    return ""


def _numbers_erased(lines) -> set[int]:
    """The lines whose words later ones say were erased. One that lies breaks the chain itself."""
    return {
        number
        for event in lines
        if event.kind == TicketEvent.Kind.ERASED
        for number in event.data.get("lines", [])
        if number < event.number
    }

"""Fingerprints of the history kept outside the database.

Whoever can write the database can put back an older state of a ticket together with its count
and last digest, and the chain alone holds. An anchor, written once a day to a file, covers every
line added since the anchor before it; a line that is gone, or another in its place, no longer
fits. The fingerprint is signed with ``HISTORY_KEY`` and covers the anchor before, so a line of
the file can't be edited or left out either. Keep copies of the file elsewhere: what was cut off
its end is found only by comparing.
"""

import hashlib
import hmac
import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from heapq import merge
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from .models import TicketEvent, Tombstone

# A number is taken from the sequence before its line can be seen. No transaction of ours lasts
# this long, so what is older has either been kept or given up.
SETTLED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Anchor:
    at: str  # when it was written, ISO 8601
    last_line: int  # primary key of the newest line it covers
    tickets: int  # how many had lines since the anchor before
    lines: int
    fingerprint: str


NOTHING = Anchor(at="", last_line=0, tickets=0, lines=0, fingerprint="")


def anchors_file() -> Path:
    return settings.DATA_DIR / "history-anchors.jsonl"


def read() -> list[Anchor]:
    """The anchors so far, the oldest first."""
    if not anchors_file().exists():
        return []
    return [Anchor(**json.loads(line)) for line in anchors_file().read_text().splitlines()]


def write() -> Anchor | None:
    """Anchor the lines written since the last anchor, or nothing if there are none."""
    previous = [NOTHING, *read()][-1]
    settled = TicketEvent.objects.filter(
        pk__gt=previous.last_line, at__lte=timezone.now() - SETTLED_AFTER
    )
    newest = settled.order_by("-pk").first()
    if newest is None:
        return None
    anchor = _anchor(previous, newest.pk, _removed_lines())
    with anchors_file().open("a") as file:
        file.write(json.dumps(asdict(anchor)) + "\n")
    return anchor


def problems() -> Iterator[str]:
    """A sentence for each anchor whose lines are no longer what they were."""
    previous = NOTHING
    removed = _removed_lines()
    for anchor in read():
        found = _anchor(previous, anchor.last_line, removed)
        if not hmac.compare_digest(found.fingerprint, anchor.fingerprint):
            yield (
                f"Anchor of {anchor.at}: {anchor.lines} lines of {anchor.tickets} tickets then, "
                f"{found.lines} lines of {found.tickets} tickets now, not the same."
            )
        previous = anchor


Line = tuple[int, int, int, str]  # its primary key, ticket, number and digest


def _removed_lines() -> list[Line]:
    """The lines of tickets that were removed for good, as their tombstones know them."""
    stones = Tombstone.objects.values_list("ticket_pk", "lines")
    return sorted(
        (pk, ticket, number, digest)
        for ticket, lines in stones
        for number, (pk, digest) in enumerate(lines, 1)
    )


def _anchor(previous: Anchor, last_line: int, removed: list[Line]) -> Anchor:
    """The anchor for the lines after ``previous`` up to ``last_line``, as they stand now.

    ``removed`` are all removed lines there are, by primary key.
    """
    fingerprint = hmac.new(settings.HISTORY_KEY.encode(), digestmod=hashlib.sha256)
    fingerprint.update(f"{previous.fingerprint}:{last_line}".encode())
    tickets = lines = ticket_before = 0
    written = TicketEvent.objects.filter(pk__gt=previous.last_line, pk__lte=last_line)
    in_order = written.order_by("ticket_id", "number").values_list("ticket_id", "number", "digest")
    start, end = (
        bisect_right(removed, pk, key=lambda line: line[0])
        for pk in (previous.last_line, last_line)
    )
    gone = sorted(line[1:] for line in removed[start:end])
    for ticket, number, digest in merge(in_order.iterator(chunk_size=2000), gone):
        fingerprint.update(f"\n{ticket}:{number}:{digest}".encode())
        lines += 1
        tickets += ticket != ticket_before
        ticket_before = ticket
    return Anchor(timezone.now().isoformat(), last_line, tickets, lines, fingerprint.hexdigest())

"""A ticket that is about two things, made two; and that undone. See ``docs/links.md``."""

import textwrap
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User

from ..actions import register
from ..history import lock, lock_all, write
from ..models import (
    Attachment,
    Audience,
    Category,
    LinkKind,
    ReferenceCounter,
    Ticket,
    TicketEvent,
    TicketLink,
)
from ..signals import participant_added, tickets_rejoined
from ..wording import when
from ..workflow import HANDLERS, TicketRefusal
from .merging import join

Kind = TicketEvent.Kind

SAID = (Kind.RAISED, Kind.MESSAGE)
OFFERED = 50  # the newest messages, to choose from

# What the new ticket takes over: it is the same customer's matter still.
TAKEN_OVER = (
    "requester", "kind", "priority", "against", "incident_on", "purchased_on", "contact_phone",
)  # fmt: skip


def splittable_lines(ticket: Ticket) -> list[TicketEvent]:
    """What both sides said on ``ticket`` lately, the oldest first."""
    said = ticket.events.filter(kind__in=SAID, audience=Audience.EVERYONE)
    newest = said.select_related("actor").order_by("-number")[:OFFERED]
    return list(newest)[::-1]


@transaction.atomic
def split(
    ticket: Ticket,
    *,
    numbers: list[int],
    subject: str,
    category: Category,
    by: User,
    key: UUID | None = None,
) -> Ticket:
    """Raise a ticket of the same customer that begins with the messages of these ``numbers``.

    They stay where they are; the new ticket quotes them, with copies of their files. The same
    ``key`` twice makes one ticket. Raises TicketRefusal when nothing was chosen.
    """
    lock(ticket)
    if not by.has_perm("tickets.link_ticket") or ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if first := _split_before(ticket, key):
        return first
    chosen = [line for line in splittable_lines(ticket) if line.number in numbers]
    if not chosen:
        raise TicketRefusal(_("Choose at least one message."))
    numbers = [line.number for line in chosen]
    new = register(
        ReferenceCounter.next_reference(),
        by=by,
        category=category,
        subject=subject,
        description="\n\n".join(map(_quoted, chosen)),
        draft_key=key,
        data={
            "channel": ticket.events.get(number=1).channel,
            "split": ticket.pk,
            "lines": numbers,
        },
        **{name: getattr(ticket, name) for name in TAKEN_OVER},
    )
    _copy_files(chosen, to=new.events.get(number=1))
    _take_along_who_takes_part(ticket, new, by)
    TicketLink.objects.create(ticket=new, other=ticket, kind=LinkKind.SPLIT, made_by=by)
    data = {"from": ticket.pk, "to": new.pk, "lines": numbers}
    event = write(ticket, Kind.SPLIT, by=by, data=data)
    tickets_rejoined.send(sender=Ticket, ticket=new, event=event)
    return new


def _split_before(ticket, key) -> Ticket | None:
    found = TicketLink.objects.filter(kind=LinkKind.SPLIT, other=ticket, ticket__draft_key=key)
    first = found.select_related("ticket").first() if key else None
    return first.ticket if first else None


def _quoted(line) -> str:
    names = {"name": line.actor or _("The registry"), "time": when(line.at)}
    words = textwrap.indent(line.text or _("Files only"), "> ", lambda _line: True)
    return _("%(name)s, %(time)s:") % names + "\n" + words


def _copy_files(lines, *, to):
    """Real copies: whatever becomes of one ticket, the other stays whole."""
    for file in Attachment.objects.filter(event__in=lines).order_by("created_at", "pk"):
        with file.file.open("rb") as content:
            Attachment.objects.create(
                event=to,
                uploader_id=file.uploader_id,
                file=ContentFile(content.read(), name=file.name),
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
            )


def _take_along_who_takes_part(ticket, new, by):
    """They know what was said already."""
    for each in ticket.participants.in_force():
        new.participants.create(person_id=each.person_id, added_by=by)
        event = write(new, Kind.JOINED, by=by, data={"person": each.person_id})
        participant_added.send(sender=Ticket, ticket=new, event=event)


@transaction.atomic
def unsplit(link: TicketLink, *, by: User) -> TicketEvent:
    """Bring what was split off back to where it came from: it is merged, so what was said on it
    meanwhile is read there. Whoever works on the one it came from may, as long as the new one is
    theirs too, or nobody's. Raises what ``merge`` raises.
    """
    ticket, source = link.ticket, link.other.home
    lock_all(ticket, source, *ticket.merged.all())
    is_theirs = ticket.assignee_id is None or ticket.part_of(by) in HANDLERS
    if not by.has_perm("tickets.link_ticket") or source.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if not is_theirs:
        words = _("%(agent)s works on %(ticket)s.")
        raise TicketRefusal(words % {"agent": ticket.assignee, "ticket": ticket})
    event = join(ticket, source, by=by)
    link.delete()
    return event

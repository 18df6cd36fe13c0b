"""What the tickets app knows about a person, as they get it in their archive.

Of the history only the lines everybody on the ticket reads: internal notes stay internal. Of other
people's tickets they took part in, only what they wrote there themselves.
"""

from django.db.models import Q
from django.dispatch import receiver
from django.utils.translation import gettext as _

from accounts.archive import Part
from accounts.signals import exporting

from .models import Attachment, Audience, CallRequest, Concern, Feedback, Ticket, TicketDraft
from .parties.participants import written_on_by
from .relations.links import links_for_requester

CHUNK = 100  # tickets that are read at a time


def _tickets_of(user):
    return Ticket.objects.filter(requester=user).order_by("pk")


def _files_of(user):
    """What came with their tickets, from both sides, what they sent to others, and what waits to
    be sent."""
    sent = Q(event__ticket__requester=user, event__audience=Audience.EVERYONE)
    to_others = Q(uploader=user, event__ticket__in=written_on_by(user).values("pk"))
    waiting = Q(uploader=user, event=None)
    files = Attachment.objects.filter(sent | to_others | waiting).select_related("event__ticket")
    return files.order_by("created_at", "pk").iterator(chunk_size=CHUNK)


def _path(attachment) -> str:
    """Where the file stands in the archive. Two files may have one name, so the id is in it."""
    where = attachment.event.ticket.reference if attachment.event else "not-sent"
    return f"files/{where}/{attachment.pk.hex[:8]}-{attachment.name}"


@receiver(exporting)
def export_tickets(sender, user, **kwargs):
    tickets = _tickets_of(user).select_related("assignee", "category", "case", "merged_into")
    return Part("tickets", (_row(each, user) for each in tickets.iterator(chunk_size=CHUNK)))


def _row(ticket, user) -> dict:
    lines = ticket.events.filter(audience=Audience.EVERYONE).select_related("actor")
    return {
        "number": ticket.reference,
        "subject": ticket.subject,
        "kind": ticket.kind,
        "category": ticket.category.name,
        "status": str(ticket.words_for_requester),
        "priority": ticket.priority,
        "against": ticket.against,
        "incident_on": ticket.incident_on,
        "purchased_on": ticket.purchased_on,
        "contact_phone": str(ticket.contact_phone),
        "details": {detail.label: detail.words for detail in ticket.details_for_requester},
        "agent": str(ticket.assignee) if ticket.assignee else "",
        "raised_at": ticket.created_at,
        "resolved_at": ticket.resolved_at,
        "closed_at": ticket.closed_at,
        "resolution": ticket.resolution_kind,
        "goes_on_in": str(ticket.merged_into or ""),
        "links": [f"{each.words} {each.other}" for each in links_for_requester(ticket)],
        "complaint": _complaint(ticket),
        "lines": [_line(line, user) for line in lines.order_by("number").iterator()],
    }


def _complaint(ticket) -> dict | None:
    """The days of its steps, if the law sets some."""
    case = getattr(ticket, "case", None)
    days = ("received_at", "acknowledged_at", "investigating_at", "responded_at", "respond_by")
    return case and {name: getattr(case, name) for name in days}


def _line(line, user) -> dict:
    return {
        "number": line.number,
        "at": line.at,
        "what": line.kind,
        "by": _("you") if line.actor_id == user.pk else str(line.actor or _("the registry")),
        "words": line.text,
    }


@receiver(exporting)
def export_words_on_others(sender, user, **kwargs):
    """The rest of these conversations is about somebody else."""
    tickets = written_on_by(user).order_by("pk").only("reference")
    return Part(
        "tickets_of_others",
        (
            {"number": each.reference, "lines": [_line(line, user) for line in _said(each, user)]}
            for each in tickets.iterator(chunk_size=CHUNK)
        ),
    )


def _said(ticket, user):
    lines = ticket.events.filter(actor=user, audience=Audience.EVERYONE).order_by("number")
    return lines.iterator()


@receiver(exporting)
def export_files(sender, user, **kwargs):
    rows = (
        {
            "name": each.name,
            "type": each.content_type,
            "size": each.size,
            "sha256": each.sha256,
            "at": each.created_at,
            "in_this_archive": _path(each),
        }
        for each in _files_of(user)
    )
    return Part("files", rows, ((_path(each), each.file) for each in _files_of(user)))


@receiver(exporting)
def export_ratings(sender, user, **kwargs):
    given = Feedback.objects.filter(ticket__requester=user).order_by("pk")
    columns = ("ticket__reference", "rating", "comment", "improvement", "created_at", "answer")
    return Part("ratings", given.values(*columns).iterator())


@receiver(exporting)
def export_concerns(sender, user, **kwargs):
    """About the registry. What an agent wrote down for a customer is about that customer."""
    own = Concern.objects.filter(author=user, ticket=None).order_by("pk")
    return Part("concerns", own.values("text", "created_at", "answer", "settled_at").iterator())


@receiver(exporting)
def export_calls(sender, user, **kwargs):
    asked = CallRequest.objects.filter(ticket__requester=user).order_by("pk")
    columns = ("ticket__reference", "phone", "wish", "asked_at", "called_at")
    rows = asked.values(*columns).iterator()
    return Part("calls", (row | {"phone": str(row["phone"])} for row in rows))


@receiver(exporting)
def export_drafts(sender, user, **kwargs):
    drafts = TicketDraft.objects.filter(owner=user).order_by("updated_at")
    return Part("drafts", drafts.values("fields", "updated_at").iterator())

"""The tickets app's part of an erasure. Tickets stay as numbers, without what anybody said."""

from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.retention import RULES, Rule
from accounts.signals import erasing, open_requests_asked

from . import fields, history
from .actions import change_status
from .models import Attachment, Concern, Expertise, Ticket, TicketDraft, TicketEvent
from .workflow import ENDED, ERASURE, LIVE, Status

SUBJECT = "Erased"


@receiver(open_requests_asked)
def name_live_tickets(sender, user, **kwargs):
    live = Ticket.objects.live().filter(requester=user).order_by("pk")
    return [f"{ticket}: {ticket.subject}" for ticket in live.only("reference", "subject")[:100]]


@receiver(erasing)
def erase_tickets(sender, user, by, **kwargs):
    """Both sides talk about the person, so no words of their tickets stay."""
    for ticket in Ticket.objects.filter(requester=user).order_by("pk").iterator():
        if ticket.status in LIVE:
            change_status(ticket, Status.WITHDRAWN, by=by, via=ERASURE)
        erase_ticket(ticket, by=by)
    Concern.objects.filter(author=user, ticket=None).update(text=SUBJECT, answer="")
    for ticket in _once_theirs(user).order_by("pk").iterator():
        _erase_words_of(user, ticket, by=by)
    Expertise.objects.filter(agent=user).delete()
    TicketDraft.objects.filter(owner=user).delete()
    remove_files(Attachment.objects.filter(uploader=user, event=None))


def _once_theirs(user):
    """The tickets they wrote on as the customer, until somebody else turned out to be it."""
    lines = TicketEvent.objects.filter(ticket=OuterRef("pk"))
    lost = lines.filter(kind=TicketEvent.Kind.REQUESTER, data__from=user.pk)
    return Ticket.objects.filter(Exists(lines.filter(actor=user)), Exists(lost)).exclude(
        requester=user
    )


@transaction.atomic
def _erase_words_of(user, ticket, *, by):
    history.lock(ticket)
    remove_files(Attachment.objects.filter(event__ticket=ticket, uploader=user))
    history.erase_words(ticket, by=by, of=user)


@transaction.atomic
def erase_ticket(ticket: Ticket, *, by: User | None) -> None:
    """Remove everything personal from ``ticket`` and its lines. The chain stays whole."""
    history.lock(ticket)
    remove_files(Attachment.objects.filter(event__ticket=ticket))
    ticket.call_requests.all().delete()
    ticket.feedback.update(comment="", improvement="", answer="")
    ticket.suggestions.update(text=SUBJECT, answer="")
    fields.erase(ticket)
    nothing = {"against": "", "contact_phone": "", "incident_on": None, "purchased_on": None}
    history.erase_words(ticket, by=by, subject=SUBJECT, **nothing)


def remove_files(attachments) -> None:
    """The rows now, each file once that is sure."""
    for attachment in attachments:
        remove = partial(attachment.file.storage.delete, attachment.file.name)
        transaction.on_commit(lambda remove=remove: remove(), robust=True)
    attachments.delete()


# --- Rules --------------------------------------------------------------------


def _ended_before(moment):
    """Those whose last line says that all of them was erased have nothing left."""
    last = TicketEvent.objects.filter(ticket=OuterRef("pk"), number=OuterRef("event_count"))
    ended = Ticket.objects.filter(status__in=ENDED, closed_at__lt=moment)
    return ended.filter(
        ~Exists(last.filter(kind=TicketEvent.Kind.ERASED, data__of__isnull=True)),
        requester__legal_hold="",
    )


def _erase_each(tickets) -> int:
    for ticket in tickets:
        erase_ticket(ticket, by=None)
    return len(tickets)


RULES.append(
    Rule(
        "tickets",
        _("The words and files of tickets that ended are erased"),
        _ended_before,
        _erase_each,
    )
)

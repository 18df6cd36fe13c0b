"""The tickets app's part of an erasure. Tickets stay as numbers, without what anybody said."""

from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.retention import RULES, Rule
from accounts.signals import erasing, open_requests_asked

from . import fields, history
from .actions import change_status
from .models import Attachment, Concern, Expertise, Ticket, TicketDraft, TicketEvent
from .parties import participants
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
        if ticket.status in LIVE and not ticket.merged_into_id:
            change_status(ticket, Status.WITHDRAWN, by=by, via=ERASURE)
        erase_ticket(ticket, by=by)
    Concern.objects.filter(author=user, ticket=None).update(text=SUBJECT, answer="")
    participants.leave_everything(user, by=by)
    for ticket in participants.written_on_by(user).order_by("pk").iterator():
        _erase_words_of(user, ticket, by=by)
    Expertise.objects.filter(agent=user).delete()
    TicketDraft.objects.filter(owner=user).delete()
    remove_files(Attachment.objects.filter(uploader=user, event=None))


@transaction.atomic
def _erase_words_of(user, ticket, *, by, quoted=()):
    """Those ``user`` said, and those of the lines ``quoted`` that cite them; wherever they are
    cited after a split, too."""
    history.lock(ticket)
    remove_files(Attachment.objects.filter(event__ticket=ticket, uploader=user))
    numbers = {*quoted, *ticket.events.filter(actor=user).values_list("number", flat=True)}
    history.erase_words(ticket, by=by, of=user, quoted=quoted)
    for split in ticket.events.filter(kind=TicketEvent.Kind.SPLIT):
        if numbers & set(split.data["lines"]):
            for new in Ticket.objects.filter(pk=split.data["to"]):
                _erase_words_of(user, new, by=by, quoted=[1])


@transaction.atomic
def erase_ticket(ticket: Ticket, *, by: User | None) -> None:
    """Remove everything personal from ``ticket`` and its lines. The chain stays whole."""
    history.lock(ticket)
    remove_files(Attachment.objects.filter(event__ticket=ticket))
    for rows in (ticket.call_requests, ticket.participants, ticket.followers):
        rows.all().delete()
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
    alone = Q(merged_into=None, status__in=ENDED, closed_at__lt=moment)
    merged = Q(merged_into__status__in=ENDED, merged_into__closed_at__lt=moment)
    return Ticket.objects.filter(
        alone | merged,
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

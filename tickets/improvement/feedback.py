"""What people think: of how a ticket was handled, of what could be better, of this registry.

The rating itself is ``actions.rate``, as it may close its ticket.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models import Avg, Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from .. import history
from ..models import Concern, Feedback, Ticket, TicketEvent
from ..signals import concern_settled, rating_answered
from ..workflow import HANDLERS, Part, TicketRefusal

AVERAGED_DAYS = 90
NEWEST_AVERAGED = 500

_signer = TimestampSigner(salt="tickets.feedback.rate")


# --- The link in the mail -----------------------------------------------------


@dataclass(frozen=True)
class Ending:
    """One of the times a ticket ended; its ``round`` is how often it had been opened again."""

    ticket: Ticket
    round: int

    @property
    def is_rated(self) -> bool:
        return self.ticket.feedback.filter(round=self.round).exists()

    @property
    def may_be_rated(self) -> bool:
        return self.round == self.ticket.reopen_count and self.ticket.may_be_rated


def path_to_rate(ticket: Ticket) -> str:
    """Where whoever got the mail about this ending rates it, once and without signing in."""
    ending = _signer.sign_object([ticket.pk, ticket.reopen_count, ticket.requester_id])
    return reverse("tickets:rate_by_link", args=[ending])


def ending_by_link(signed: str) -> Ending | None:
    """What the link is about. None if it is not ours, or its time is over."""
    try:
        told = _signer.unsign_object(signed, max_age=timedelta(days=settings.RATING_DAYS))
    except BadSignature:
        return None
    pk, round, mailed_to = told  # the ticket may be another person's by now
    theirs = Ticket.objects.present().filter(requester=mailed_to).select_related("requester")
    ticket = theirs.filter(pk=pk).first()
    if ticket is None or ticket.part_by_mail(ticket.requester) != Part.REQUESTER:
        return None
    ending = Ending(ticket, round)
    return ending if ending.may_be_rated or ending.is_rated else None


# --- What agents hear ---------------------------------------------------------


def average_of(agent: User) -> dict:
    """``mean`` (None without any) and ``count`` of the newest ratings of the last 90 days."""
    since = timezone.now() - timedelta(days=AVERAGED_DAYS)
    newest = Feedback.objects.filter(agent=agent, created_at__gte=since).order_by("-created_at")
    return newest[:NEWEST_AVERAGED].aggregate(mean=Avg("rating"), count=Count("pk"))


@transaction.atomic
def answer(rating: Feedback, *, by: User, text: str) -> None:
    """The agent who was rated answers, once, while the ticket is theirs. Everyone on it reads it.

    The same words once more change nothing. Raises TicketRefusal for others.
    """
    ticket = rating.ticket
    history.lock(ticket)
    rating.refresh_from_db(fields=["answer", "answered_at"])
    if rating.agent_id != by.pk or ticket.part_of(by) != Part.ASSIGNEE:
        raise PermissionDenied
    if rating.answered_at and rating.answer == text:
        return
    if rating.answered_at:
        raise TicketRefusal(_("You have answered this rating already."))
    kind = TicketEvent.Kind.ANSWERED
    event = history.write(ticket, kind, by=by, data={"rating": rating.rating}, text=text)
    rating.answer, rating.answered_by, rating.answered_at = text, by, event.at
    rating.save(update_fields=["answer", "answered_by", "answered_at"])
    rating_answered.send(sender=Ticket, ticket=ticket, event=event)


# --- Concerns and suggestions -------------------------------------------------


@transaction.atomic
def raise_concern(*, by: User, text: str, ticket: Ticket | None = None) -> Concern:
    """Keep what ``by`` thinks is wrong here, or what the customer of ``ticket`` suggested to them.

    The same words again are the same concern, until somebody settles it.
    """
    verb = "tickets.record_suggestion" if ticket else "tickets.raise_concern"
    if not by.has_perm(verb) or (ticket and ticket.part_of(by) not in HANDLERS):
        raise PermissionDenied
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # the second of two clicks waits
    concern, _created = Concern.objects.get_or_create(
        author=by, ticket=ticket, text=text, settled_at=None
    )
    return concern


class AlreadySettled(Exception):
    """Another administrator was quicker."""


@transaction.atomic
def settle(concern: Concern, *, by: User, answer: str) -> None:
    """Answer ``concern`` and take it from the queue, once. Raises AlreadySettled."""
    if not by.has_perm("tickets.settle_concern"):
        raise PermissionDenied
    unsettled = Concern.objects.filter(pk=concern.pk, settled_at=None)
    if not unsettled.update(answer=answer, settled_by=by, settled_at=timezone.now()):
        raise AlreadySettled(_("%(concern)s has been settled already.") % {"concern": concern})
    concern.refresh_from_db()
    concern_settled.send(sender=Concern, concern=concern)

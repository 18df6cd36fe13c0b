"""Who hears of what. Receivers only write down what is owed; the worker renders and sends.

Each runs inside the transaction of its cause, so a rollback takes the mail with it.
"""

from django.db import transaction
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import (
    account_mail_composed,
    application_decided,
    application_received,
    user_confirmed,
)
from messaging.signals import message_posted
from tickets.signals import ticket_assigned, ticket_raised, ticket_status_changed
from tickets.workflow import Part, Status

from .models import Notification, OutgoingMail
from .tasks import ring

Kind = Notification.Kind


def owe(kind: str, *people: User | None, cause: str, event=None) -> None:
    """Write down that ``people`` must hear of ``cause``; the same cause owes each of them once."""
    Notification.objects.bulk_create(
        [
            Notification(cause=cause, kind=kind, recipient=person, event=event)
            for person in people
            if person
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(ring, robust=True)


def owe_ticket_mail(kind: str, *people: User | None, event) -> None:
    owe(kind, *people, cause=f"ticket-event:{event.pk}", event=event)


@receiver(user_confirmed)
def owe_welcome(sender, user, **kwargs):
    owe(Kind.WELCOME, user, cause=f"user:{user.pk}")


@receiver(application_received)
def owe_admins_an_application(sender, application, **kwargs):
    owe(Kind.APPLICATION_RECEIVED, *User.objects.admins(), cause=f"application:{application.pk}")


@receiver(application_decided)
def owe_applicant_the_decision(sender, application, **kwargs):
    accepted = application.decision == application.Decision.ACCEPTED
    owe(
        Kind.APPLICATION_ACCEPTED if accepted else Kind.APPLICATION_DECLINED,
        application.applicant,
        cause=f"application-decision:{application.pk}",
    )


@receiver(ticket_raised)
def owe_receipt_and_call_admins(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.TICKET_RAISED, ticket.requester, event=event)
    if ticket.assignee is None:
        admins = User.objects.admins().exclude(pk=ticket.requester_id)
        owe_ticket_mail(Kind.TICKET_UNASSIGNED, *admins, event=event)


@receiver(ticket_assigned)
def owe_news_of_assignment(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.ASSIGNED, ticket.requester, event=event)
    if event.actor != ticket.assignee:
        owe_ticket_mail(Kind.ASSIGNED_TO_YOU, ticket.assignee, event=event)


@receiver(message_posted)
def owe_message_to_other_side(sender, ticket, event, **kwargs):
    by_requester = event.actor == ticket.requester
    other_side = ticket.assignee if by_requester else ticket.requester
    owe_ticket_mail(Kind.MESSAGE, other_side, event=event)


@receiver(ticket_status_changed)
def owe_status_mail(sender, ticket, event, **kwargs):
    """Both sides hear of a move by others. Of resolving and closing the requester always hears."""
    why = event.data.get("why")
    if why in (Part.ASSIGNMENT, Part.REPLY):
        return  # the mail about the assignment or the message tells it
    if event.actor != ticket.assignee:
        owe_ticket_mail(Kind.STATUS_CHANGED, ticket.assignee, event=event)
    to = event.data["to"]
    if to in (Status.RESOLVED, Status.CLOSED):
        owe_ticket_mail(Kind(to), ticket.requester, event=event)
    elif event.actor != ticket.requester and why != Part.MESSAGE:
        owe_ticket_mail(Kind.STATUS_CHANGED, ticket.requester, event=event)


@receiver(account_mail_composed)
def owe_composed_mail(sender, user, kind, email, subject, text, html, expires_at, **kwargs):
    """Keep a mail that is written already, like a code. Its subject may hold the code, so the
    outbox shows only its kind."""
    OutgoingMail.objects.create(
        recipient=user,
        email=email,
        subject=kind.rpartition("/")[2].replace("_", " ").capitalize(),
        content={"subject": subject, "text": text, "html": html},
        expires_at=expires_at,
    )
    transaction.on_commit(ring, robust=True)

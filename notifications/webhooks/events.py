"""What is told of: receivers that write down what is owed, in the transaction of its cause.

What is kept of it are codes, numbers and times. Internal notes are not among the events at all.
"""

import secrets

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts.bells import ring
from accounts.remembered import Remembered
from accounts.signals import (
    application_decided,
    application_received,
    erasing,
    user_confirmed,
    user_suspended,
)
from tickets.models import TicketEvent
from tickets.signals import line_written, ticket_removing
from tickets.workflow import LIVE, Status

from ..owed import CALL_WEBHOOKS
from .models import Event, Webhook, WebhookDelivery

Line = TicketEvent.Kind

OF_LINES = {
    Line.RAISED: Event.RAISED,
    Line.ASSIGNED: Event.ASSIGNED,
    Line.MESSAGE: Event.MESSAGE,
    Line.MERGED: Event.MERGED,
    Line.RATED: Event.RATED,
    Line.BREACHED: Event.PROMISE_MISSED,
}


def _read_events() -> frozenset[str]:
    """What webhooks wait for: most lines are told to none."""
    wanted = Webhook.objects.filter(is_active=True).values_list("events", flat=True)
    return frozenset(event for events in wanted for event in events)


_awaited = Remembered(_read_events)


@receiver(post_save, sender=Webhook)
def forget(**kwargs):
    """A webhook was changed."""
    _awaited.forget()
    transaction.on_commit(lambda: _awaited.forget(), robust=True)


def owe(event: str, payload: dict, *, cause: str, about: str, line=None) -> None:
    """Write down that each webhook that wants to must hear of ``cause``."""
    if event not in _awaited():
        return
    listeners = [
        webhook for webhook in Webhook.objects.filter(is_active=True) if event in webhook.events
    ]
    owe_to(listeners, event, payload, cause=cause, about=about, line=line)


def owe_to(webhooks, event: str, payload: dict, *, cause: str, about: str, line=None) -> None:
    if not webhooks:
        return
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                webhook=webhook, event=event, payload=payload, cause=cause, about=about, line=line
            )
            for webhook in webhooks
        ],
        ignore_conflicts=True,
    )
    ring(CALL_WEBHOOKS)


def owe_test(webhook: Webhook) -> None:
    payload = {"at": timezone.now().isoformat()}
    cause = f"test:{secrets.token_hex(8)}"
    Webhook.objects.filter(pk=webhook.pk).update(rests_until=timezone.now())
    owe_to([webhook], Event.TEST, payload, cause=cause, about=cause)


# --- Tickets --------------------------------------------------------------------


def event_of(line: TicketEvent) -> Event | None:
    """What ``line`` is to other programs, if anything."""
    if line.kind != Line.STATUS:
        return OF_LINES.get(line.kind)
    to = line.data["to"]
    if to in (Status.RESOLVED, Status.CLOSED):
        return Event.RESOLVED if to == Status.RESOLVED else Event.CLOSED
    was_over = line.data["from"] not in LIVE
    return Event.REOPENED if was_over else Event.MOVED


@receiver(line_written)
def owe_the_line(sender, ticket, event, **kwargs):
    if name := event_of(event):
        cause = f"ticket-event:{event.pk}"
        owe(name, told_of(ticket, event), cause=cause, about=f"ticket:{ticket.pk}", line=event)


def told_of(ticket, line) -> dict:
    return {
        "at": line.at.isoformat(),
        "ticket": {
            "id": ticket.pk,
            "reference": ticket.reference,
            "url": settings.SITE_URL + ticket.get_absolute_url(),
            "kind": ticket.kind,
            "status": ticket.status,
            "priority": ticket.priority,
            "category": ticket.category_id,
            "requester": ticket.requester_id,
            "assignee": ticket.assignee_id,
        },
        "line": {"number": line.number, "by": line.actor_id, "data": line.data},
    }


@receiver(ticket_removing)
def remove_what_was_told(sender, ticket, **kwargs):
    WebhookDelivery.objects.filter(line__ticket=ticket).delete()


# --- Accounts -------------------------------------------------------------------


def owe_account(event: str, user, *, cause: str, **codes) -> None:
    account = {"id": user.pk, "role": user.role, "standing": user.standing}
    payload = {"at": timezone.now().isoformat(), "account": account, **codes}
    owe(event, payload, cause=cause, about=f"user:{user.pk}")


@receiver(user_confirmed)
def owe_confirmed(sender, user, **kwargs):
    owe_account(Event.CONFIRMED, user, cause=f"user:{user.pk}")


@receiver(application_received)
def owe_role_requested(sender, application, **kwargs):
    owe_account(
        Event.ROLE_REQUESTED,
        application.applicant,
        cause=f"application:{application.pk}",
        role_requested=application.role,
    )


@receiver(application_decided)
def owe_role_decided(sender, application, **kwargs):
    owe_account(
        Event.ROLE_DECIDED,
        application.applicant,
        cause=f"application-decision:{application.pk}",
        role_requested=application.role,
        decision=application.decision,
    )


@receiver(user_suspended)
def owe_suspended(sender, user, event, **kwargs):
    owe_account(Event.SUSPENDED, user, cause=f"account-event:{event.pk}")


@receiver(erasing)
def owe_erased(sender, user, **kwargs):
    owe_account(Event.ERASED, user, cause=f"erased:{user.pk}")

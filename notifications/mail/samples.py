"""A mail of each kind about people and a ticket that there are not, to look at and to check.

What they are made of is undone right away: nothing stays, nobody is told, no number is used up.
"""

from contextlib import contextmanager
from types import SimpleNamespace

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import translation

from messaging.models import Reason
from tickets.models import TicketEvent

from ..models import Notification, OutgoingMail
from .composing import enveloped, letter, together
from .envelopes import envelope
from .facts import facts_for, unasked
from .sample_desk import MADE, Desk

Kind = Notification.Kind

DIGEST = "digest"
LETTERS = ("mail_unreadable", "mail_held", "mailbox_silent")  # about nothing in the registry
NAMES = [*Kind.values, DIGEST, *LETTERS]


def sample_of(name: str, language: str) -> EmailMultiAlternatives:
    with translation.override(language), _undone():
        desk = Desk()
        if name in LETTERS:
            mailbox = SimpleNamespace(name="Care")
            facts = {"mailbox": mailbox, "minutes": 30, "detail": "More than 25 MB."}
            words = letter(name, desk.admin, reason=Reason.STAFF.label, **facts)
            return envelope(_mail_to(desk.admin), **words)
        if name == DIGEST:
            things = [
                facts_for(_notification(kind, desk)) for kind in (Kind.ASSIGNED, Kind.MESSAGE)
            ]
            desk.ticket = desk.raised("CCR-1999-00483", "The toaster smokes")
            things.append(facts_for(_notification(Kind.TICKET_RAISED, desk)))
            return enveloped(_mail_to(desk.customer), name, together(things, desk.customer))
        told = _notification(name, desk)
        return enveloped(_mail_to(told.recipient), name, facts_for(told))


def _mail_to(person) -> OutgoingMail:
    return OutgoingMail(recipient=person, email=person.email)


@contextmanager
def _undone():
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _notification(kind, desk) -> Notification:
    """As it would be owed, to be written as it would be read."""
    told = {"cause": "sample", "recipient": desk.customer} | MADE[kind](desk)
    notification = Notification(kind=kind, **told)
    unasked(notification)
    if notification.event:
        notification.event = TicketEvent.objects.get(pk=notification.event.pk)
    return notification

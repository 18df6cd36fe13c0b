"""Mails that are owed because of mail that came in: receipts within limits, and three letters of
its own. The people may have no account, so these are written at once."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.bells import ring
from accounts.models import User
from messaging.models import Reason
from messaging.signals import mail_held, mail_unreadable, mailbox_silent
from tickets.models import Channel, Ticket
from tickets.own_addresses import without_plus

from ..models import Notification, OutgoingMail
from ..owed import SEND_MAIL
from .composing import letter

RECEIPTS_PER_HOUR = 3  # for mails from one mailbox, which anybody may have written


def is_receipt_too_many(event) -> bool:
    """Whether the ticket of ``event`` came by a mail, and its mailbox got enough within the hour,
    whatever stands after a plus (SEC-D8)."""
    if event.channel != Channel.EMAIL:
        return False
    since = timezone.now() - timedelta(hours=1)
    receipts = Notification.objects.filter(
        kind=Notification.Kind.TICKET_RAISED,
        recipient__in=_same_mailbox(event.ticket.requester.email),
        created_at__gte=since,
    )
    return receipts[:RECEIPTS_PER_HOUR].count() >= RECEIPTS_PER_HOUR


def _same_mailbox(email) -> QuerySet[User]:
    plain = without_plus(email)
    local, _at, domain = plain.rpartition("@")
    with_plus = Q(email__startswith=f"{local}+", email__endswith=f"@{domain}")
    return User.objects.filter(Q(email=plain) | with_plus)


@receiver(mail_unreadable)
def owe_word_of_what_nobody_read(sender, mail, **kwargs):
    """Once an hour for an address; nothing that the sender chose goes back there (SEC-D8)."""
    kind = _("Mail unreadable")
    if not _was_told(mail.sender, kind):
        facts = {"detail": mail.detail, "why": _because_of_a_mail()}
        _owe_letter("mail_unreadable", None, mail.sender, kind, facts)


@receiver(mail_held)
def owe_word_of_what_is_held(sender, mail, **kwargs):
    """Once an hour for a person and a ticket. Anybody may have written their address into From: so
    no word of the mail, and the ticket only if it is theirs to see (SEC-D8)."""
    person, kind = mail.person, _("Mail held")
    ticket = Ticket.objects.visible_to(person).filter(pk=mail.ticket_id).first()
    if _was_told(person.email, kind, ticket):
        return
    facts = {"reason": Reason(mail.reason).label, "why": _because_of_a_mail()}
    if ticket:
        link = settings.SITE_URL + ticket.url_for(person)
        facts |= {"link_words": _("Open the ticket"), "link": link}
    _owe_letter("mail_held", person, person.email, kind, facts, ticket)


def _was_told(email, kind, ticket=None) -> bool:
    """Within the hour."""
    since = timezone.now() - timedelta(hours=1)
    letters = OutgoingMail.objects.filter(email=email, subject=kind, ticket=ticket)
    return letters.filter(created_at__gte=since).exists()


def _because_of_a_mail() -> str:
    return _("You’re getting this because a mail came to us from this address.")


@receiver(mailbox_silent)
def owe_word_of_silence(sender, mailbox, **kwargs):
    path = reverse("admin:messaging_mailbox_change", args=[mailbox.pk])
    facts = {
        "mailbox": mailbox,
        "minutes": settings.MAIL_SILENT_MINUTES,
        "link_words": _("Open the mailbox"),
        "link": settings.SITE_URL + path,
    }
    for admin in User.objects.admins():
        _owe_letter("mailbox_silent", admin, admin.email, _("Mailbox silent"), facts)


def _owe_letter(name, person, email, kind, facts, ticket=None):
    content = letter(name, person, **facts)
    OutgoingMail.objects.create(
        recipient=person, email=email, ticket=ticket, subject=kind, content=content
    )
    ring(SEND_MAIL)

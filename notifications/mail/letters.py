"""Mails that are owed because of mail that came in: receipts within limits, and two letters of its
own. The people may have no account, so these are written at once."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from messaging.signals import mail_too_large, mailbox_silent
from tickets.models import Channel

from ..models import Notification, OutgoingMail
from ..tasks import ring
from .composing import letter

RECEIPTS_PER_HOUR = 3  # for mails from one address, which anybody may have written


def is_receipt_too_many(event) -> bool:
    """Whether the ticket of ``event`` came by a mail that gets no receipt: a machine's, or one of
    many (SEC-D8, SEC-D9)."""
    if event.channel != Channel.EMAIL:
        return False
    since = timezone.now() - timedelta(hours=1)
    receipts = Notification.objects.filter(
        kind=Notification.Kind.TICKET_RAISED,
        recipient=event.ticket.requester_id,
        created_at__gte=since,
    )
    return "automatic" in event.data or receipts.count() >= RECEIPTS_PER_HOUR


@receiver(mail_too_large)
def owe_word_of_its_size(sender, mail, **kwargs):
    """Once an hour for an address; nothing that the sender chose goes back there."""
    since = timezone.now() - timedelta(hours=1)
    told = OutgoingMail.objects.filter(
        email=mail.sender, subject=_too_large(), created_at__gte=since
    )
    if told.exists():
        return
    facts = {
        "megabytes": settings.MAX_MAIL_BYTES // 1024**2,
        "why": _("You’re getting this because a mail came to us from this address."),
    }
    _owe_letter("mail_too_large", None, mail.sender, _too_large(), facts)


def _too_large() -> str:
    return _("Mail too large")


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


def _owe_letter(name, person, email, kind, facts):
    OutgoingMail.objects.create(
        recipient=person, email=email, subject=kind, content=letter(name, person, **facts)
    )
    transaction.on_commit(ring, robust=True)

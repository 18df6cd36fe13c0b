"""Mailboxes that fell silent, and files that a crash left behind."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.leftovers import remove_unknown
from messaging.models import InboundMail, Mailbox
from messaging.signals import mailbox_silent


def silent_mailboxes():
    """Active ones that could not be polled for ``MAIL_SILENT_MINUTES``."""
    since = timezone.now() - timedelta(minutes=settings.MAIL_SILENT_MINUTES)
    silent = Mailbox.objects.filter(is_active=True, watched_since__lt=since)
    return silent.filter(Q(polled_at=None) | Q(polled_at__lt=since))


def alarm() -> None:
    """Tell of each that fell silent, once until it answers again."""
    for mailbox in silent_mailboxes().filter(alarmed_at=None):
        with transaction.atomic():
            ours = silent_mailboxes().filter(pk=mailbox.pk, alarmed_at=None)
            if ours.update(alarmed_at=timezone.now()):
                mailbox_silent.send(sender=Mailbox, mailbox=mailbox)


def remove_left_mails() -> int:
    storage = InboundMail._meta.get_field("raw").storage
    return remove_unknown(storage, "mail-in", InboundMail.objects.all(), "raw")

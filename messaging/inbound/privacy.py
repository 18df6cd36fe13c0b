"""Raw mails as personal data: in the archive of whoever wrote them, erased with them, and kept no
longer than the rule says."""

from functools import partial

from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.utils.translation import gettext_lazy

from accounts.archive import Part
from accounts.retention import RULES, Rule
from accounts.signals import erasing, exporting
from messaging.models import Fate, InboundMail
from tickets.signals import ticket_removing

from .ledger import WAITING


def _path(mail) -> str:
    return f"mails/{mail.pk}.eml"


@receiver(exporting)
def export_mails(sender, user, **kwargs):
    """What became words of theirs; anybody may claim to be them in the rest."""
    mails = InboundMail.objects.filter(person=user, event__isnull=False).order_by("pk")
    rows = (
        {
            "received_at": mail.received_at,
            "from": mail.sender,
            "subject": mail.subject,
            "in_this_archive": _path(mail) if mail.raw else "",
        }
        for mail in mails.iterator()
    )
    return Part("mails_received", rows, ((_path(each), each.raw) for each in mails if each.raw))


@receiver(erasing)
def forget_mails(sender, user, addresses, **kwargs):
    """That a mail came, and what became of it, stays."""
    theirs = Q(person=user) | Q(sender__in=addresses) | Q(ticket__requester=user)
    empty(InboundMail.objects.filter(theirs))


@receiver(ticket_removing)
def forget_mails_of_a_ticket(sender, ticket, **kwargs):
    mails = InboundMail.objects.filter(ticket=ticket)
    empty(mails)
    mails.update(ticket=None, event=None)


_TOLD = ("sender", "subject", "message_id", "detail")
_NO_WORDS = dict.fromkeys(_TOLD, "") | {"envelope_to": [], "envelope_from": None}


def empty(mails) -> int:
    """Remove the files of ``mails`` once that is sure, and the words of their rows now. What waits
    is dropped, as nothing is left to decide about."""
    for mail in mails.exclude(raw=""):
        remove = partial(mail.raw.storage.delete, mail.raw.name)
        transaction.on_commit(lambda remove=remove: remove(), robust=True)
    mails.filter(fate__in=(Fate.RECEIVED, *WAITING)).update(fate=Fate.DROPPED)
    return mails.update(raw="", **_NO_WORDS)


def _old_mails(moment):
    old = InboundMail.objects.exclude(fate=Fate.RECEIVED).exclude(raw="")
    return old.filter(Q(person=None) | Q(person__legal_hold=""), received_at__lt=moment)


RULES.append(
    Rule(
        "mails_in",
        gettext_lazy("Mails that came in are removed; what was added to tickets stays"),
        _old_mails,
        empty,
    )
)

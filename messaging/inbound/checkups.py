"""What the doctor asks of mail that comes in."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import Finding, Level, checkup
from accounts.console import capped
from messaging.models import Fate, InboundMail, Mailbox

from .ledger import WAITING
from .watching import silent_mailboxes

LATE = timedelta(minutes=5)  # of a mail that was stored
MOST_NAMED = 3
MOST_COUNTED = 100


@checkup("mail_in", gettext_lazy("Mail in"))
def ask_mailboxes() -> Finding:
    active = Mailbox.objects.filter(is_active=True)
    hint = _("Test it in the console. If that works, see whether the worker runs.")
    if silent := silent_mailboxes()[:MOST_NAMED]:
        return Finding(Level.BAD, _named(silent), hint)
    if failed := active.exclude(last_problem="")[:MOST_NAMED]:
        return Finding(Level.WARN, _named(failed), hint)
    count = active.count()
    if not count:
        return _without_mailboxes()
    if incomplete := active.filter(missing__gt=0)[:MOST_NAMED]:
        found = "; ".join(f"{each}: {_not_here(each.missing)}" for each in incomplete)
        return Finding(Level.WARN, found, _("See which in the console, and in a mail program."))
    found = ngettext("%(n)s mailbox answers", "%(n)s mailboxes answer", count)
    return Finding(Level.OK, found % {"n": count})


def _without_mailboxes() -> Finding:
    """Servers may hand mail over, but nobody knows of one before it did."""
    newest = InboundMail.objects.first()
    if settings.REPLY_ADDRESS and newest is None:
        words = _("Our mails ask for answers to %(address)s, and none has ever come in")
        hint = _("Make that mailbox known in the console, or see docs/mail-in.md.")
        return Finding(Level.WARN, words % {"address": settings.REPLY_ADDRESS}, hint)
    if newest is None:
        return Finding(Level.OK, _("Not used"))
    words = _("No mailbox is polled; the last mail was handed over %(time)s ago")
    return Finding(Level.OK, words % {"time": timesince(newest.received_at)})


def _not_here(count) -> str:
    words = ngettext("%(n)s mail can’t be fetched", "%(n)s mails can’t be fetched", count)
    return words % {"n": count}


def _named(mailboxes) -> str:
    return "; ".join(f"{mailbox}: {mailbox.last_problem or _('silent')}" for mailbox in mailboxes)


@checkup("mail_waiting", gettext_lazy("Mail that waits"))
def ask_waiting() -> Finding:
    since = timezone.now() - LATE
    late = InboundMail.objects.filter(fate=Fate.RECEIVED).order_by("pk").first()
    if late and late.received_at < since:
        hint = _("The worker reads it. See whether it runs, and its log.")
        return Finding(Level.BAD, _("Mail was stored and not read yet"), hint)
    stopped = InboundMail.objects.filter(fate__in=WAITING)
    count = stopped[: MOST_COUNTED + 1].count()
    if not count:
        return Finding(Level.OK, _("None"))
    found = ngettext(
        "%(n)s mail is held or could not be processed",
        "%(n)s mails are held or could not be processed",
        count,
    )
    hint = _("Look at them in the console, under Incoming mail.")
    return Finding(Level.WARN, found % {"n": capped(count, MOST_COUNTED)}, hint)

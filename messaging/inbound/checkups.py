"""What the doctor asks of mail that comes in."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import Finding, Level, checkup
from messaging.models import Fate, InboundMail, Mailbox

from .watching import silent_mailboxes

LATE = timedelta(minutes=5)  # of a mail that was stored
MOST_NAMED = 3
MOST_COUNTED = 100


@checkup("mail_in", gettext_lazy("Mail in"))
def ask_mailboxes() -> Finding:
    active = Mailbox.objects.filter(is_active=True).count()
    silent = list(silent_mailboxes()[:MOST_NAMED])
    if silent:
        named = "; ".join(f"{mailbox}: {mailbox.last_problem or _('silent')}" for mailbox in silent)
        hint = _("Test it in the console. If that works, see whether the worker runs.")
        return Finding(Level.BAD, named, hint)
    if not active:
        return Finding(Level.OK, _("No mailbox is polled"))
    found = ngettext("%(n)s mailbox answers", "%(n)s mailboxes answer", active)
    return Finding(Level.OK, found % {"n": active})


@checkup("mail_waiting", gettext_lazy("Mail that waits"))
def ask_waiting() -> Finding:
    since = timezone.now() - LATE
    late = InboundMail.objects.filter(fate=Fate.RECEIVED).order_by("pk").first()
    if late and late.received_at < since:
        hint = _("The worker reads it. See whether it runs, and its log.")
        return Finding(Level.BAD, _("Mail was stored and not read yet"), hint)
    stopped = InboundMail.objects.filter(fate__in=(Fate.HELD, Fate.QUARANTINED))
    count = stopped[:MOST_COUNTED].count()
    if not count:
        return Finding(Level.OK, _("None"))
    found = ngettext(
        "%(n)s mail is held or could not be processed",
        "%(n)s mails are held or could not be processed",
        count,
    )
    hint = _("Look at them in the console, under Incoming mail.")
    return Finding(Level.WARN, found % {"n": count}, hint)

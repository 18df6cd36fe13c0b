"""Is push well, and are SMS? See ``accounts/checkups.py``."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.checkups import Finding, Level, checkup
from accounts.console import capped

from ..models import Channel, ShortMessage
from . import push, sms

State = ShortMessage.State
LATE = timedelta(minutes=10)
LATELY = timedelta(days=7)
MOST_COUNTED = 100


@checkup("push", gettext_lazy("Browser push"))
def ask_push():
    try:
        key = push.our_key()
    except push.BadKey:
        found = _("PUSH_KEY is no key, so nobody is offered push.")
        hint = _("It is 64 hexadecimal digits: openssl rand -hex 32 makes some.")
        return Finding(Level.BAD, found, hint)
    if key is None:
        return Finding(Level.OK, _("Not set up: PUSH_KEY is empty."))
    hint = _("See what the push services answered under “Push and SMS” in the console.")
    return _judged(Channel.PUSH, _("Browsers are offered push."), hint)


@checkup("sms", gettext_lazy("SMS"))
def ask_sms():
    try:
        provider = sms.provider()
    except sms.BadAddress as trouble:
        hint = _("It is like https://account:secret@api.example.com/?from=+15550100.")
        return Finding(Level.BAD, str(trouble), hint)
    if provider is None:
        return Finding(Level.OK, _("Not set up: SMS_URL is empty."))
    hint = _("See what the gateway answered under “Push and SMS” in the console.")
    return _judged(Channel.SMS, _("SMS go to %(where)s.") % {"where": provider.where}, hint)


def _judged(channel, well, hint) -> Finding:
    """By what waits too long, and what was given up lately."""
    now = timezone.now()
    ours = ShortMessage.objects.filter(channel=channel)
    if ours.filter(state=State.OWED, next_try_at__lte=now - LATE).exists():
        found = _("Some could have been sent ten minutes ago, and wait.")
        return Finding(Level.BAD, found, _("Is the worker running? manage.py doctor says more."))
    given_up = ours.filter(state=State.FAILED, created_at__gte=now - LATELY)
    count = given_up[: MOST_COUNTED + 1].count()
    if not count:
        return Finding(Level.OK, well)
    words = ngettext("%(n)s was given up in a week.", "%(n)s were given up in a week.", count)
    return Finding(Level.WARN, words % {"n": capped(count, MOST_COUNTED)}, hint)

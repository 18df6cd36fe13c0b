"""Pushes and SMS on their way: claimed, judged, written, sent and marked; tried again ever more
seldom, until nobody would want them any more.

Between "the server took it" and "marked as sent" lies the one moment in which a crash sends one
twice. A push then takes its own place on the screen; ``owed.py`` says how rows are claimed.
"""

import logging
from datetime import timedelta
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import limits
from accounts.faults import fault

from ..mail.meant import NotMeant
from ..models import Channel, Reaching, ShortMessage
from ..owed import FIRST_DELAY, LEASE, UNLEASED, retry_delay
from ..pacing import quiet_until
from ..preferences import Wishes
from . import browsers, push, sms
from .answers import Gone, NoAnswer, Refused
from .wording import as_text, news_of

State = ShortMessage.State
logger = logging.getLogger(__name__)

# After which nobody wants to be called to the telephone for it; mail and bell still say it.
LIVES = {Channel.PUSH: timedelta(hours=24), Channel.SMS: timedelta(hours=4)}
BATCH = 20
TURN_SECONDS = 10  # after which the worker's other jobs have their turn
LONGEST_OUTAGE_DELAY = timedelta(minutes=5)
WHOLE = (
    "recipient",
    "notification__recipient",
    "notification__event__ticket",
    "subscription__user",
)


def take_turn() -> bool:
    """Send for a while what is due. Whether more may be."""
    until, silent = monotonic() + TURN_SECONDS, set()
    while batch := claim():
        while batch and monotonic() < until:
            deliver(batch.pop(0), silent)
        if batch:  # others may take them at once
            ShortMessage.objects.filter(lease=batch[0].lease).update(**UNLEASED)
            return True
    return False


def claim() -> list[ShortMessage]:
    """Lease the next that are due."""
    now = timezone.now()
    expired = ShortMessage.objects.filter(state=State.OWED, expires_at__lte=now).unleased(now)
    answer = _("It expired before it could be sent.")
    expired.update(state=State.DROPPED, text="", last_answer=answer)
    return ShortMessage.objects.due(now).claim(BATCH)


def deliver(message: ShortMessage, silent: set[str]) -> None:
    """Send one that is claimed and write down what became of it. ``silent`` are the servers that
    did not answer in this turn: they are not waited for again."""
    if not _held(message).update(leased_until=timezone.now() + LEASE):
        return  # we were so slow that somebody else has it
    message = _held(message).select_related(*WHOLE).get()
    where = _server_of(message)
    if where in silent:
        put_off(message, _("Its server did not answer to another one."))
        return
    wishes = Wishes([message.notification] if message.notification else [])
    if _is_put_to_rest(message, wishes):
        return
    try:
        answer = _send(message, wishes)
    except NotMeant as reason:
        finish(message, State.DROPPED, str(reason))
    except Gone as answer:
        message.subscription.delete()
        finish(message, State.DROPPED, _("The browser takes none any more: %s") % answer)
    except Refused as refusal:
        settle_refusal(message, str(refusal), is_final=refusal.is_final)
    except NoAnswer as trouble:
        silent.add(where)
        settle_refusal(message, str(trouble), is_final=False)
    except DatabaseError:
        raise
    except Exception:  # one that can't be written must not hold up the others
        logger.exception("Push or SMS %s can't be sent.", message.pk)
        finish(message, State.FAILED, _("It could not be sent. The worker’s log says why."))
    else:
        fault("after_short_answer")
        finish(message, State.SENT, answer, sent_at=timezone.now())


def _server_of(message) -> str:
    to_browser = message.channel == Channel.PUSH and message.subscription
    return urlsplit(message.subscription.endpoint).netloc if to_browser else message.channel


# --- One message ----------------------------------------------------------------


def _is_put_to_rest(message, wishes) -> bool:
    """Whether their quiet hours have begun since it was owed: then it waits for their end."""
    notification, person = message.notification, message.recipient
    if notification is None or wishes.is_due(notification):
        return False
    ends = quiet_until(wishes.reaching(person.pk), person.zone, timezone.now())
    if ends:
        lasts = ends + LIVES[message.channel]
        _held(message).update(next_try_at=ends, expires_at=lasts, **UNLEASED)
    return bool(ends)


def _send(message, wishes) -> str:
    notification = message.notification
    if notification and not wishes.wants(notification, message.channel):
        raise NotMeant(_("The person chose not to be told this way."))
    return _push(message) if message.channel == Channel.PUSH else _text(message)


def _push(message) -> str:
    browser = message.subscription
    if browser is None or browser.user_id != message.recipient_id:
        raise NotMeant(_("The person is told in this browser no more."))
    if not browsers.is_signed_in(browser):
        raise NotMeant(_("The person is not signed in there any more."))
    if not push.is_on():
        raise NotMeant(_("Push is switched off."))
    lasts = message.expires_at - timezone.now()
    return push.send(browser, news_of(message.notification), lasts=lasts)


def _text(message) -> str:
    if not sms.is_on():
        raise NotMeant(_("SMS are switched off."))
    if message.notification is None:  # a code: as it was asked for
        return sms.provider().send(message.number.as_e164, message.text)
    if not Reaching.objects.filter(user=message.recipient, sms_number=message.number).exists():
        raise NotMeant(_("The person has another number, or none."))
    text = as_text(news_of(message.notification))
    try:
        counted = limits.take(limits.bucket("sms_person", message.recipient_id))
    except limits.Limited as limited:
        raise NotMeant(_("Enough SMS for one day.")) from limited
    try:
        return sms.provider().send(message.number.as_e164, text)
    except (Refused, NoAnswer):
        limits.give_back(counted)
        raise


# --- What came of it ------------------------------------------------------------


def _held(message):
    """``message``'s row, as long as it is owed and the lease is ours."""
    return message.held().filter(state=State.OWED)


def settle_refusal(message, answer: str, *, is_final: bool) -> None:
    """Try later, if it is not final and somebody will still want it then."""
    tries = message.tries + 1
    later = timezone.now() + retry_delay(tries)
    if is_final or tries >= settings.OUTBOX_MAX_TRIES or later >= message.expires_at:
        finish(message, State.FAILED, answer, tries=tries)
    else:
        changes = {"tries": tries, "next_try_at": later, "last_answer": answer}
        _held(message).update(**changes, **UNLEASED)


def put_off(message, answer: str) -> None:
    """No fault of this one, so it costs it no try: it waits as long again as it has waited."""
    now = timezone.now()
    waits = min(max(now - message.created_at, FIRST_DELAY), LONGEST_OUTAGE_DELAY)
    _held(message).update(next_try_at=now + waits, last_answer=answer, **UNLEASED)


def finish(message, state: str, answer: str, **changes) -> None:
    """Nothing is owed any more, and a code is not kept."""
    if state == State.FAILED:
        logger.error("Push or SMS %s was given up; the outbox says why.", message.pk)
    _held(message).update(state=state, last_answer=answer, text="", **UNLEASED, **changes)


def send_again(messages) -> int:
    """Owe the queryset ``messages`` anew, and return how many. Codes stay as they are."""
    now, count = timezone.now(), 0
    for channel, life in LIVES.items():
        chosen = messages.filter(channel=channel, notification__isnull=False)
        # A subquery: there may be more keys than SQLite takes in one statement.
        count += ShortMessage.objects.filter(pk__in=chosen.values("pk")).update(
            state=State.OWED,
            tries=0,
            next_try_at=now,
            created_at=now,
            sent_at=None,
            expires_at=now + life,
            **UNLEASED,
        )
    return count

"""Which of what people must be told lights up a telephone of theirs, and from when on."""

from collections import defaultdict

from accounts.bells import ring

from .. import pacing
from ..models import Channel, ShortMessage
from ..owed import SEND_SHORT
from . import browsers, push, sms
from .sending import LIVES


def fan_out(notifications, wishes, now) -> None:
    """Owe what of ``notifications`` lights up a telephone. Inside the transaction that found them,
    with their recipients; ``wishes`` are the ``preferences.Wishes`` of their people."""
    owed = [*_pushes(notifications, wishes, now), *_texts(notifications, wishes, now)]
    if owed:
        ShortMessage.objects.bulk_create(owed, ignore_conflicts=True)
        ring(SEND_SHORT)


def _pushes(notifications, wishes, now):
    if not push.is_on():
        return
    people, theirs = {each.recipient_id for each in notifications}, defaultdict(list)
    for browser in browsers.alive(now).filter(user__in=people).order_by("pk"):
        theirs[browser.user_id].append(browser)
    for notification in notifications:
        if wishes.wants(notification, Channel.PUSH):
            for browser in theirs[notification.recipient_id]:
                yield _owed(Channel.PUSH, notification, wishes, now, subscription=browser)


def _texts(notifications, wishes, now):
    if not sms.is_on():
        return
    for notification in notifications:
        number = wishes.reaching(notification.recipient_id).sms_number
        if number and wishes.wants(notification, Channel.SMS):
            yield _owed(Channel.SMS, notification, wishes, now, number=number)


def _owed(channel, notification, wishes, now, **to) -> ShortMessage:
    """Held back in quiet hours, unless it is of what nobody may refuse."""
    person, begins = notification.recipient, now
    if not wishes.is_due(notification):
        begins = pacing.quiet_until(wishes.reaching(person.pk), person.zone, now) or now
    return ShortMessage(
        channel=channel,
        recipient=person,
        notification=notification,
        next_try_at=begins,
        expires_at=(begins if begins > now else notification.created_at) + LIVES[channel],
        **to,
    )

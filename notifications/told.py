"""Who was told of what on a ticket, by which ways, and how far each got. Never with which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.models import Audience, Ticket, TicketEvent
from tickets.wording import when

from .models import Notification, OutgoingMail, ShortMessage
from .owed import Owed
from .pacing import digest_after, quiet_until
from .preferences import Wishes

State = Owed.State
ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


@dataclass(frozen=True)
class Way:
    """How far one way got."""

    name: str | Promise
    words: str
    icon: str
    is_trouble: bool = False


@dataclass(frozen=True)
class Told:
    """One person and one occasion."""

    notification: Notification
    ways: list[Way]


def told_about(ticket: Ticket, *, with_notes: bool) -> QuerySet:
    """All that was owed because of the lines of ``ticket`` and of what was merged into it."""
    tickets = Ticket.objects.going_on_in(ticket).values("pk")
    lines = TicketEvent.objects.filter(ticket__in=tickets)
    if not with_notes:
        lines = lines.filter(audience=Audience.EVERYONE)
    told = Notification.objects.filter(event__in=lines.values("pk"))
    in_order = Prefetch("short_messages", ShortMessage.objects.order_by("pk"))
    return told.select_related("recipient", "event__ticket", "mail").prefetch_related(in_order)


def how_far(notifications, *, shows_addresses: bool) -> list[Told]:
    """Servers name mail addresses in what they answer; ``shows_addresses`` says whether its
    reader may know them."""
    found = list(notifications)
    wishes = Wishes(found)

    def ways(notification) -> Iterator[Way]:
        yield _bell(notification)
        mail = notification.mail
        yield _mail(mail, shows_addresses) if mail else _unwritten(notification, wishes)
        for message in notification.short_messages.all():
            yield _short(message, shows_addresses)

    return [Told(each, list(ways(each))) for each in found]


BELL, MAIL = gettext_lazy("Bell"), gettext_lazy("Mail")


def _bell(notification) -> Way:
    if notification.read_at:
        return Way(BELL, _("read %(time)s") % {"time": when(notification.read_at)}, "check2-all")
    return Way(BELL, _("not read yet"), "bell")


def _unwritten(notification, wishes) -> Way:
    """Why there is no mail yet."""
    now = timezone.now()
    if notification.not_before <= now:
        return Way(MAIL, _("about to be written"), "clock")
    reaching, zone = wishes.reaching(notification.recipient_id), notification.recipient.zone
    words = _("waits until %(time)s: too many mails within an hour")
    if (
        wishes.is_daily(notification)
        and digest_after(reaching, zone, notification.created_at) > now
    ):
        words = _("waits for the daily digest %(time)s")
    elif quiet_until(reaching, zone, now):
        words = _("waits until quiet hours end %(time)s")
    return Way(MAIL, words % {"time": when(notification.not_before)}, "clock")


def _mail(mail: OutgoingMail, shows_addresses) -> Way:
    if mail.bounced_at:
        answer = _shown(mail.last_answer, shows_addresses)
        facts = {"time": when(mail.bounced_at), "answer": answer}
        return Way(
            MAIL, _("came back %(time)s: %(answer)s") % facts, "exclamation-circle-fill", True
        )
    return _owed(MAIL, mail, shows_addresses)


def _short(message: ShortMessage, shows_addresses) -> Way:
    return _owed(message.get_channel_display(), message, shows_addresses)


def _owed(name, owed: Owed, shows_addresses) -> Way:
    """What became of a mail, a push or an SMS."""
    answer = _shown(owed.last_answer, shows_addresses)
    match owed.state:
        case State.SENT:
            words = _("accepted by the server %(time)s") % {"time": when(owed.sent_at)}
            return Way(name, words, "check")
        case State.FAILED:
            words = _("given up: %(answer)s") % {"answer": answer}
            return Way(name, words, "exclamation-circle-fill", True)
        case State.DROPPED:
            return Way(name, _("not sent: %(reason)s") % {"reason": answer}, "slash-circle")
    if not owed.tries:
        return Way(name, _("waits to be sent"), "clock")
    facts = {"time": when(owed.next_try_at), "answer": answer}
    words = _("not accepted yet: %(answer)s. Next try %(time)s")
    return Way(name, words % facts, "hourglass-split")


def _shown(answer, shows_addresses) -> str:
    return answer if shows_addresses else ADDRESS.sub("…", answer)

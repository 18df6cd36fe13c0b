"""Who was told of what on a ticket, by which ways, and how far each got. Never with which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets.models import Audience, Ticket, TicketEvent
from tickets.wording import when

from .mail.addressing import HOUR
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


def lost_mail(ticket: Ticket, person: User) -> dict | None:
    """From when the last mail about ``ticket`` to ``person``'s address is, and the answer to it, if
    it did not arrive."""
    # By address alone: asked for the person, SQLite reads through all they were ever told.
    mailed = Notification.objects.filter(event__ticket=ticket, mail__email=person.email)
    known = mailed.filter(mail__state__in=[State.SENT, State.FAILED])
    last = known.select_related("mail").order_by("-event__number").first()
    if last is None or last.mail.state == State.SENT:
        return None
    return {"at": last.mail.created_at, "answer": _shown(last.mail.last_answer, False)}


def how_far(notifications, *, shows_addresses: bool) -> list[Told]:
    """Servers name mail addresses in what they answer; ``shows_addresses`` says whether its
    reader may know them."""
    found = list(notifications)
    wishes, behind = Wishes(found), _behind(found)

    def ways(notification) -> Iterator[Way]:
        yield _bell(notification)
        mail = notification.mail
        if mail is None:
            yield _unwritten(notification, wishes)
        else:
            yield _mail(mail, shows_addresses, is_behind=mail.pk in behind)
        for message in notification.short_messages.all():
            yield _short(message, shows_addresses)

    return [Told(each, list(ways(each))) for each in found]


def _behind(notifications) -> set[int]:
    """The keys of the mails that wait for an earlier one."""
    mails = (each.mail for each in notifications)
    owed = {mail.pk for mail in mails if mail and mail.state == State.OWED}
    found = OutgoingMail.objects.filter(pk__in=owed).behind()
    return set(found.values_list("pk", flat=True)) if owed else set()


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
    if notification.read_at and not wishes.is_due(notification):
        return Way(MAIL, _("none will be sent, as it was read meanwhile"), "slash-circle")
    reaching, zone = wishes.reaching(notification.recipient_id), notification.recipient.zone
    words = _("waits until %(time)s, so that not too many mails come within an hour")
    if notification.not_before > notification.created_at + HOUR:
        words = _("waits until %(time)s, as was chosen when it happened")
    if (
        wishes.is_daily(notification)
        and digest_after(reaching, zone, notification.created_at) > now
    ):
        words = _("waits for the daily digest %(time)s")
    elif quiet_until(reaching, zone, now):
        words = _("waits until quiet hours end %(time)s")
    return Way(MAIL, words % {"time": when(notification.not_before)}, "clock")


def _mail(mail: OutgoingMail, shows_addresses, *, is_behind) -> Way:
    if mail.bounced_at:
        answer = _shown(mail.last_answer, shows_addresses)
        facts = {"time": when(mail.bounced_at), "answer": answer}
        return Way(
            MAIL, _("came back %(time)s: %(answer)s") % facts, "exclamation-circle-fill", True
        )
    return _owed(MAIL, mail, shows_addresses, is_behind=is_behind)


def _short(message: ShortMessage, shows_addresses) -> Way:
    return _owed(message.get_channel_display(), message, shows_addresses)


def _owed(name, owed: Owed, shows_addresses, *, is_behind=False) -> Way:
    """What became of a mail, a push or an SMS."""
    answer = _shown(owed.last_answer, shows_addresses)
    match owed.state:
        case State.SENT:
            words = _("accepted by the server %(time)s")
            if owed.is_file:
                words = _("written to a file %(time)s")
            return Way(name, words % {"time": when(owed.sent_at)}, "check")
        case State.FAILED:
            words = _("given up: %(answer)s") % {"answer": answer}
            return Way(name, words, "exclamation-circle-fill", True)
        case State.DROPPED:
            return Way(name, _("not sent: %(reason)s") % {"reason": answer}, "slash-circle")
    if not owed.last_answer:
        behind = _("waits behind an earlier mail to the same person")
        return Way(name, behind if is_behind else _("waits to be sent"), "clock")
    facts = {"time": when(owed.next_try_at), "answer": answer}
    words = _("not accepted yet: %(answer)s. Next try %(time)s")
    if is_behind:
        words = _("not accepted yet: %(answer)s. Waits behind an earlier mail to the same person")
    elif owed.next_try_at < timezone.now():
        words = _("not accepted yet: %(answer)s. Next try as soon as possible")
    return Way(name, words % facts, "hourglass-split")


def _shown(answer, shows_addresses) -> str:
    return answer if shows_addresses else ADDRESS.sub("…", answer)

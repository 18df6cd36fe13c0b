"""The bell: what somebody was told, and how much of it they have not read.

A row of ``Notification`` is what it shows. What its person may no longer see is neither shown nor
counted, by the same rules as mails: they are asked each time, as nothing tells when a right is
lost.
"""

from collections import defaultdict

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.models import User
from messaging import live
from messaging.signals import news_asked
from tickets.models import Audience, Ticket, TicketEvent

from .mail.meant import STILL_MEANT
from .models import Notification

MOST = 99  # more are not counted

# What decides about most lines without asking again: see ``_surely_reads``. Put together once, as
# that takes longer than to ask. Without an order, so that the index of the unread serves it.
UNREAD = (
    Notification.objects.filter(read_at=None)
    .order_by()
    .values_list(
        "kind",
        "event",
        "event__audience",
        "event__ticket__requester",
        "event__ticket__assignee",
        "event__ticket__deleted_at",
        "event__ticket__merged_into",
    )
)


def shown_to(user: User) -> QuerySet:
    """What the bell of ``user`` may show."""
    lines = Exists(TicketEvent.objects.visible_to(user).filter(pk=OuterRef("event")))
    about_account = Q(event=None) & ~Q(kind__in=_no_more_meant(user))
    return Notification.objects.filter(about_account | lines, recipient=user)


def _no_more_meant(user) -> list[str]:
    """The kinds of account news that are none any more."""
    return [kind for kind, is_meant in STILL_MEANT.items() if not is_meant(user)]


def _unread(user) -> QuerySet:
    return Notification.objects.filter(recipient=user, read_at=None)


def count_unread(user: User) -> int:
    """How many of ``shown_to`` are unread, at most one more than ``MOST``.

    Every page asks, so this is one query by an index made for it; one more if it is not plain from
    who has to do with the tickets that their lines may be read.
    """
    rows = list(UNREAD.filter(recipient=user)[: MOST + 1])
    gone = set(_no_more_meant(user))
    count = sum(kind not in gone for kind, event, *_facts in rows if event is None)
    lines = {event: _surely_reads(user, *facts) for _kind, event, *facts in rows if event}
    if doubtful := [event for event, is_sure in lines.items() if not is_sure]:
        seen = TicketEvent.objects.visible_to(user).filter(pk__in=doubtful)
        lines |= dict.fromkeys(seen.values_list("pk", flat=True), True)
    count += sum(lines[event] for _kind, event, *_facts in rows if event)
    if count < len(rows) > MOST:  # others may stand behind those that are not shown
        unread = shown_to(user).filter(read_at=None).order_by()
        return len(unread.values_list("pk")[: MOST + 1])
    return count


def _surely_reads(user, audience, requester, assignee, deleted_at, merged_into) -> bool:
    """Whether ``TicketEvent.objects.visible_to`` is sure to say yes."""
    if not user.is_approved or deleted_at or merged_into:
        return False
    if requester == user.pk:
        return audience == Audience.EVERYONE
    return user.is_admin or (user.is_agent and assignee == user.pk)


def words_for(count: int) -> tuple[str, str]:
    """What stands beside the bell, and how it is called."""
    if not count:
        return "", _("Notifications")
    shown = f"{MOST}+" if count > MOST else str(count)
    return shown, _("Notifications, %(count)s unread") % {"count": shown}


def header(request) -> dict:
    """For the header of every page. Asked only where a template shows it."""
    return {"bell": SimpleLazyObject(lambda: facts_of(request.user))}


def facts_of(user: User) -> dict:
    count, label = words_for(count_unread(user))
    return {"count": count, "label": label}


def read(notification: Notification) -> None:
    _read(notification.recipient_id, Notification.objects.filter(pk=notification.pk))


def _read(user_id: int, notifications: QuerySet) -> None:
    """The person's other open pages ask how much is left."""
    if notifications.filter(read_at=None).update(read_at=timezone.now()):
        live.tell([user_id])


def read_about(ticket: Ticket, user: User) -> None:
    """``user`` has the page of ``ticket`` before them, where what was merged into it stands too."""
    tickets = Ticket.objects.going_on_in(ticket).values("pk")
    lines = TicketEvent.objects.visible_to(user).filter(ticket__in=tickets)
    _read(user.pk, _unread(user).filter(event__in=lines.values("pk")))


def read_all(user: User) -> None:
    """Also what they may not see any more: it is over."""
    _read(user.pk, _unread(user))


@receiver(news_asked)
def say_who_was_told(sender, people, since, **kwargs):
    """Asked once a second for all pages that are open: by the index of what is unread."""
    news = Notification.objects.filter(recipient__in=people, read_at=None, created_at__gte=since)
    told = defaultdict(set)
    for person, notification in news.order_by().values_list("recipient", "pk"):
        told[person].add(notification)
    return told

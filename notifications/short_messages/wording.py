"""How a push and an SMS read: what happened and to which ticket, and where to look. No subject and
no word of a message: others see the screen of a telephone that lies on a table.
"""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ..mail.envelopes import one_line
from ..mail.facts import facts_for, unasked
from ..mail.meant import NotMeant
from ..mail.templates import language_for, words_of
from ..models import Notification

Kind = Notification.Kind
URGENT = {
    Kind.MESSAGE,
    Kind.ASSIGNED_TO_YOU,
    Kind.CALL_ASKED,
    Kind.AT_RISK,
    Kind.MISSED,
    Kind.NEW_DEVICE,
}

# The letters of GSM 03.38: an SMS holds 160 of them, of any others 70, or 67 in each part of two.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = set("^{}\\[~]|€")  # these count as two
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
ONE_SMS, TWO_OF_OTHERS = 160, 134


@dataclass(frozen=True)
class News:
    headline: str
    reference: str  # of the ticket, if it is about one
    path: str
    tag: str  # the newer of two with the same replaces the older
    is_urgent: bool


def news_of(notification: Notification) -> News:
    """``notification`` as it is to be told now. Raises NotMeant."""
    person = notification.recipient
    if not person.is_active:
        raise NotMeant(_("The person’s account has changed."))
    if notification.read_at:
        raise NotMeant(_("The person has read it already."))
    unasked(notification)  # and ``sending`` has asked what they chose
    with timezone.override(person.zone), translation.override(language_for(person)):
        facts = facts_for(notification)
        headline = one_line(words_of(f"{notification.kind}_subject.txt", facts))
    ticket = facts.get("ticket")
    return News(
        headline=headline,
        reference=ticket.reference if ticket else "",
        path=_path_for(notification.kind, ticket, person),
        tag=ticket.reference if ticket else notification.kind,
        is_urgent=notification.kind in URGENT,
    )


def _path_for(kind, ticket, person) -> str:
    """None that lets anybody in, unlike those in mails: SMS are not sealed."""
    if ticket:
        return ticket.url_for(person)
    is_sign_in = kind == Kind.NEW_DEVICE
    return reverse("account_sign_ins" if is_sign_in else "notifications:bell")


def as_text(news: News) -> str:
    """One SMS, or two of letters that SMS was not made for."""
    tail = ": " + " ".join(filter(None, [news.reference, settings.SITE_URL + news.path]))
    head = news.headline.translate(PLAIN)
    room = (ONE_SMS if is_gsm(head + tail) else TWO_OF_OTHERS) - length(tail)
    while length(head) > room and head != "...":
        words = head.removesuffix("...")
        head = f"{words.rpartition(' ')[0] or words[:-1]}..."
    return head + tail


def is_gsm(words: str) -> bool:
    return set(words) <= GSM | GSM_TWICE


def length(words: str) -> int:
    return len(words) + sum(letter in GSM_TWICE for letter in words)

"""What people choose to hear, by which way. Whatever is not in the table is always mailed at once:
what proves that a ticket arrived, how it was resolved, the steps of a regulated complaint, all
about the account and its safety, and to administrators that mails can't be sent. The pages say so
in ``notifications/_always.html``.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .models import Channel, Notification, Preference, Reaching

Kind = Notification.Kind


@dataclass(frozen=True)
class Choice:
    """What somebody chooses about in one go."""

    name: str
    words: Promise
    kinds: frozenset[str]
    roles: frozenset[str]


def _choice(name, words, kinds, roles):
    return Choice(name, words, frozenset(kinds), frozenset(roles))


EVERYBODY = set(Role)
CHOICES = (
    _choice("given", _("A ticket is given to me"), {Kind.ASSIGNED_TO_YOU}, {Role.AGENT}),
    _choice(
        "found", _("A ticket comes in that nobody has"), {Kind.TICKET_UNASSIGNED}, {Role.ADMIN}
    ),
    _choice("left", _("A ticket stays without an agent"), {Kind.LEFT_ALONE}, {Role.ADMIN}),
    _choice(
        "promises",
        _("A promise on a ticket of mine is at risk or was missed"),
        {Kind.AT_RISK, Kind.MISSED},
        {Role.AGENT},
    ),
    _choice(
        "promises_of_all",
        _("A promise was missed, or is at risk and nobody has the ticket"),
        {Kind.AT_RISK, Kind.MISSED},
        {Role.ADMIN},
    ),
    _choice("asks", _("Somebody asks for a role"), {Kind.APPLICATION_RECEIVED}, {Role.ADMIN}),
    _choice(
        "news",
        _("An agent writes to me or changes the status"),
        {Kind.MESSAGE, Kind.STATUS_CHANGED, Kind.RATING_ANSWERED, Kind.CALL_LOGGED},
        {Role.CUSTOMER},
    ),
    _choice(
        "words",
        _("Somebody writes on a ticket of mine, or asks to be called"),
        {Kind.MESSAGE, Kind.RATING_ANSWERED, Kind.CALL_ASKED, Kind.CALL_LOGGED},
        {Role.AGENT},
    ),
    _choice(
        "words_to_nobody",
        _("Somebody writes on a ticket of mine, or on one that nobody has"),
        {Kind.MESSAGE, Kind.RATING_ANSWERED, Kind.CALL_ASKED, Kind.CALL_LOGGED},
        {Role.ADMIN},
    ),
    _choice(
        "moves",
        _("Somebody changes the status of a ticket of mine, or its parts have ended"),
        {Kind.STATUS_CHANGED, Kind.CHILDREN_DONE, Kind.SILENCED},
        {Role.AGENT, Role.ADMIN},
    ),
    _choice(
        "rules",
        _("A rule of the registry tells me of a ticket"),
        {Kind.RULED},
        {Role.AGENT, Role.ADMIN},
    ),
    _choice(
        "webhooks",
        _("A webhook was switched off because it failed"),
        {Kind.WEBHOOK_OFF},
        {Role.ADMIN},
    ),
    _choice("taken", _("An agent takes on a ticket I raised"), {Kind.ASSIGNED}, EVERYBODY),
    _choice(
        "reminders",
        _("A ticket I raised waits for my answer, or closes soon"),
        {Kind.REMINDER},
        EVERYBODY,
    ),
    _choice("closed", _("A ticket I raised is closed"), {Kind.CLOSED}, EVERYBODY),
    _choice(
        "joined",
        _("A ticket of mine is merged with another, or I am added to one"),
        {Kind.MERGED, Kind.JOINED},
        EVERYBODY,
    ),
    _choice(
        "mended",
        _("The cause of a ticket I raised is mended, or a concern of mine is answered"),
        {Kind.MENDED, Kind.CONCERN_SETTLED},
        EVERYBODY,
    ),
)


def choices_for(role: str) -> list[Choice]:
    return [choice for choice in CHOICES if role in choice.roles]


def may_be_refused(kind: str, role: str) -> bool:
    return _choice_of(kind, role) is not None


def _choice_of(kind, role) -> Choice | None:
    """The one that ``kind`` stands in."""
    return next((choice for choice in choices_for(role) if kind in choice.kinds), None)


# The rows of one person, by kind and channel.
Rows = dict[tuple[str, str], Preference]


def _kept(choice: Choice, channel: str, rows: Rows) -> Preference | None:
    """What they chose about all of it. In another role they may have chosen differently about some
    of its kinds: then it is what keeps back the most."""
    kept = [rows[kind, channel] for kind in choice.kinds if (kind, channel) in rows]
    return min(kept, key=lambda each: (each.is_wanted, not each.is_daily), default=None)


def kept_of(kind: str, channel: str, role: str, rows: Rows) -> Preference | None:
    """What they chose about ``kind``. One that joined a choice after it was made, or with another
    ``role``, goes with the others of that choice, as the page shows it."""
    own, choice = rows.get((kind, channel)), _choice_of(kind, role)
    return own or (choice and _kept(choice, channel, rows))


class Wishes:
    """What the people of some notifications chose, asked in two queries for all of them.

    Without a choice of theirs mail comes at once, push comes to the browsers they allowed it in,
    and no SMS comes.
    """

    def __init__(self, notifications):
        people = {each.recipient_id for each in notifications}
        self._chosen = defaultdict(dict)
        for each in Preference.objects.filter(user__in=people):
            self._chosen[each.user_id][each.kind, each.channel] = each
        self._reaching = Reaching.objects.in_bulk(people, field_name="user_id")

    def reaching(self, user_id: int) -> Reaching:
        return self._reaching.get(user_id) or Reaching(user_id=user_id)

    def wants(self, notification, channel: str) -> bool:
        """Mail that can't be refused is wanted whatever they chose; ``recipient`` is loaded."""
        choice = self._of(notification, channel)
        if channel == Channel.EMAIL and self.is_due(notification):
            return True
        return choice.is_wanted if choice else channel != Channel.SMS

    def is_daily(self, notification) -> bool:
        """Whether its mail goes into the digest of the day."""
        choice = self._of(notification, Channel.EMAIL)
        return bool(choice and choice.is_daily) and not self.is_due(notification)

    def is_due(self, notification) -> bool:
        """Whether nobody may refuse or put off such."""
        return not may_be_refused(notification.kind, notification.recipient.role)

    def _of(self, notification, channel):
        person = notification.recipient
        return kept_of(notification.kind, channel, person.role, self._chosen[person.pk])


def is_refused() -> Exists:
    """Whether the person of a notification chose not to be mailed such since ``Wishes`` were asked:
    whoever chooses now has a row for each kind."""
    return Exists(
        Preference.objects.filter(
            user=OuterRef("recipient"),
            kind=OuterRef("kind"),
            channel=Channel.EMAIL,
            is_wanted=False,
        )
    )


class Mail(models.TextChoices):
    AT_ONCE = "at_once", _("At once")
    DAILY = "daily", _("In the daily digest")
    NEVER = "never", _("Not")


@dataclass(frozen=True)
class Chosen:
    """By which ways somebody hears of a choice."""

    mail: str = Mail.AT_ONCE
    push: bool = True
    sms: bool = False


def ways_for(reaching: Reaching) -> set[str]:
    """The ways that somebody may choose among here."""
    ways = {Channel.EMAIL}
    if settings.PUSH_KEY:
        ways.add(Channel.PUSH)
    if settings.SMS_URL and reaching.sms_number:
        ways.add(Channel.SMS)
    return ways


def chosen(user: User) -> dict[str, Chosen]:
    """What they chose, by the names of the choices."""
    rows = rows_of(user)
    return {choice.name: _chosen(choice, rows) for choice in choices_for(user.role)}


def rows_of(user: User) -> Rows:
    return {(each.kind, each.channel): each for each in user.notification_preferences.all()}


def _chosen(choice, rows) -> Chosen:
    mail, push, sms = (
        _kept(choice, way, rows) for way in (Channel.EMAIL, Channel.PUSH, Channel.SMS)
    )
    return Chosen(
        mail=_mail_of(mail) if mail else Mail.AT_ONCE,
        push=push is None or push.is_wanted,
        sms=sms is not None and sms.is_wanted,
    )


def _mail_of(kept) -> Mail:
    if not kept.is_wanted:
        return Mail.NEVER
    return Mail.DAILY if kept.is_daily else Mail.AT_ONCE


@transaction.atomic
def choose(user: User, wanted: dict[str, Chosen], ways: set[str]) -> None:
    """Keep what ``user`` chose, by the names of the choices; of other ``ways`` what it was."""
    Preference.objects.bulk_create(
        [
            preference
            for choice in choices_for(user.role)
            for kind in choice.kinds
            for preference in _rows(user, kind, wanted[choice.name])
            if preference.channel in ways
        ],
        update_conflicts=True,
        unique_fields=["user", "kind", "channel"],
        update_fields=["is_wanted", "is_daily"],
    )


def _rows(user, kind, wish):
    yield Preference(
        user=user,
        kind=kind,
        channel=Channel.EMAIL,
        is_wanted=wish.mail != Mail.NEVER,
        is_daily=wish.mail == Mail.DAILY,
    )
    yield Preference(user=user, kind=kind, channel=Channel.PUSH, is_wanted=wish.push)
    yield Preference(user=user, kind=kind, channel=Channel.SMS, is_wanted=wish.sms)

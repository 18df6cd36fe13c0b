"""What people may choose not to be mailed about. Whatever is not in the table is always sent:
what proves that a ticket arrived, how it was resolved, and all about the account and its safety.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .models import Channel, Notification, Preference, Reaching

Kind = Notification.Kind


@dataclass(frozen=True)
class Choice:
    """One box to tick. Wanted until somebody says otherwise."""

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
        {Kind.MESSAGE, Kind.CALL_ASKED},
        {Role.AGENT},
    ),
    _choice(
        "words_to_nobody",
        _("Somebody writes on a ticket of mine, or on one that nobody has"),
        {Kind.MESSAGE, Kind.CALL_ASKED},
        {Role.ADMIN},
    ),
    _choice(
        "moves",
        _("Somebody changes the status of a ticket of mine, or its parts have ended"),
        {Kind.STATUS_CHANGED, Kind.CHILDREN_DONE},
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
)


def choices_for(role: str) -> list[Choice]:
    return [choice for choice in CHOICES if role in choice.roles]


def may_be_refused(kind: str, role: str) -> bool:
    return any(kind in choice.kinds for choice in choices_for(role))


class Wishes:
    """What the people of some notifications chose, asked in two queries for all of them.

    Without a choice of theirs mail comes at once, push comes to the browsers they allowed it in,
    and no SMS comes.
    """

    def __init__(self, notifications):
        people = {each.recipient_id for each in notifications}
        chosen = Preference.objects.filter(user__in=people)
        self._chosen = {(each.user_id, each.kind, each.channel): each for each in chosen}
        self._reaching = Reaching.objects.in_bulk(people, field_name="user")

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
        return self._chosen.get((notification.recipient_id, notification.kind, channel))


def is_refused() -> Exists:
    """Whether the person of a notification chose not to be mailed such."""
    return Exists(
        Preference.objects.filter(
            user=OuterRef("recipient"),
            kind=OuterRef("kind"),
            channel=Channel.EMAIL,
            is_wanted=False,
        )
    )


def chosen(user: User) -> dict[str, bool]:
    """Each of their choices by name: whether they are mailed."""
    refused = set(
        user.notification_preferences.filter(channel=Channel.EMAIL, is_wanted=False).values_list(
            "kind", flat=True
        )
    )
    return {choice.name: not choice.kinds & refused for choice in choices_for(user.role)}


@transaction.atomic
def choose(user: User, wanted: dict[str, bool]) -> None:
    """Keep what ``user`` chose, by the names of the choices."""
    Preference.objects.bulk_create(
        [
            Preference(user=user, kind=kind, channel=Channel.EMAIL, is_wanted=wanted[choice.name])
            for choice in choices_for(user.role)
            for kind in choice.kinds
        ],
        update_conflicts=True,
        unique_fields=["user", "kind", "channel"],
        update_fields=["is_wanted"],
    )

"""What people may choose not to be mailed about. Whatever is not in the table is always sent:
what proves that a ticket arrived, how it was resolved, and all about the account and its safety.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .models import Channel, Notification, Preference

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

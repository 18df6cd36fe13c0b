"""How long things are kept. Each app registers its own rules; nothing is removed without one.

A rule without days is off. A person on legal hold keeps everything.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .forgetting import forget_invitations
from .models import Application, Invitation, KnownDevice, LoginRecord, SignUp, User

logger = logging.getLogger(__name__)

BATCH = 500  # rows that one statement touches, so that nobody waits long for it


@dataclass(frozen=True)
class Rule:
    """``name`` is its key in ``settings.RETENTION_DAYS``. ``older_than`` gives the rows it is
    about; ``retire`` takes some of them and says how many it removed or emptied."""

    name: str
    words: str
    older_than: Callable[[datetime], QuerySet]
    retire: Callable[[QuerySet], int]

    @property
    def days(self) -> int:
        return max(settings.RETENTION_DAYS.get(self.name, 0), 0)


@dataclass(frozen=True)
class Outcome:
    rule: Rule
    count: int


RULES: list[Rule] = []


def keep_rules(*, dry_run: bool = False) -> Iterator[Outcome]:
    """Follow every rule, or count what that would touch. Rules that are off touch nothing."""
    for rule in RULES:
        count = _follow(rule, dry_run) if rule.days else 0
        if rule.days and not dry_run:
            logger.info("Retention, %s (%s days): %s rows.", rule.name, rule.days, count)
        yield Outcome(rule, count)


def _follow(rule, dry_run) -> int:
    rows = rule.older_than(timezone.now() - timedelta(days=rule.days)).order_by("pk")
    if dry_run:
        return rows.count()
    count = last = 0
    while batch := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        last = batch[-1]
        count += rule.retire(rows.model.objects.filter(pk__in=batch))
    return count


def _words_of_declined(moment):
    decided = Application.objects.filter(decided_at__lt=moment, applicant__legal_hold="")
    said = ~Q(why="") | ~Q(reason="")
    return decided.filter(said).exclude(decision=Application.Decision.ACCEPTED)


def _invitations_to_nobody(moment):
    """Also of those the invited person or whoever invited them is held for, nothing goes."""
    over = Q(revoked_at__lt=moment) | Q(revoked_at=None, expires_at__lt=moment)
    held = User.objects.exclude(legal_hold="")
    rows = Invitation.objects.filter(over, accepted_at=None, invited_by__legal_hold="")
    return rows.exclude(email__in=held.values("email"))


RULES += [
    Rule(
        "sign_ins",
        _("Records of sign-ins are removed"),
        lambda moment: LoginRecord.objects.filter(
            Q(user=None) | Q(user__legal_hold=""), at__lt=moment
        ),
        lambda rows: rows.purge(),
    ),
    Rule(
        "unconfirmed",
        _("Sign-ups whose address was never confirmed are removed"),
        lambda moment: SignUp.objects.filter(secret_at__lt=moment),
        lambda rows: rows.delete()[0],
    ),
    Rule(
        "applications",
        _("The words of declined and expired applications are emptied"),
        _words_of_declined,
        lambda rows: rows.update(why="", reason=""),
    ),
    Rule(
        "invitations",
        _("Invitations that nobody accepted are removed"),
        _invitations_to_nobody,
        forget_invitations,
    ),
    Rule(
        "devices",
        _("Browsers that nobody signs in with any more are forgotten"),
        lambda moment: KnownDevice.objects.filter(seen_at__lt=moment, user__legal_hold=""),
        lambda rows: rows.delete()[0],
    ),
]

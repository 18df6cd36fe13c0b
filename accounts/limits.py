"""How often somebody may try. The one limiter, for whatever strangers could do too often.

Tries are rows, so limits hold over all processes and while Redis is down; how many within how
long stands in ``settings.LIMITS``. A bucket's name is a keyed hash: nobody who reads the table
learns which addresses were tried.

What all the world counts in together, strangers could use up: a browser or a network that has
signed in to an account before has an allowance of its own there, so its owner is not locked out
with them.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .devices import address_of, known_as
from .models import Attempt

NO_TIME = timedelta()

SENTENCES = {
    "sign_in": gettext_lazy(
        "Too many tries. Wait %(wait)s, then try again. Or let us email you a sign-in code"
    ),
    "code_pause": gettext_lazy(
        "An email went there a moment ago: look in your email first. "
        "You can ask for another in %(wait)s"
    ),
    "ticket": gettext_lazy("Many tickets were begun from here. Wait %(wait)s, then try again"),
    "code": gettext_lazy("Too many emails were asked for. Wait %(wait)s, then try again"),
}
ANY_SENTENCE = gettext_lazy("That was a lot in a short time. Wait %(wait)s, then try again")


class Limited(ValidationError):
    """Too often. A form shows it like any other error, and ``answer`` makes the page a 429."""

    def __init__(self, purpose: str, wait: timedelta):
        self.wait = wait
        names = (purpose, purpose.rpartition("_")[0])
        sentence = next((SENTENCES[name] for name in names if name in SENTENCES), ANY_SENTENCE)
        super().__init__(sentence % {"wait": in_words(wait)}, code="limited")


@dataclass(frozen=True)
class Bucket:
    """What is counted together: a purpose of ``settings.LIMITS``, and whose tries."""

    purpose: str
    who: tuple[str, ...]

    @property
    def name(self) -> str:
        key = json.dumps([self.purpose, *self.who])
        return salted_hmac("accounts.limits", key, algorithm="sha256").hexdigest()

    def wait(self, now: datetime) -> timedelta:
        """Until one more try fits; no time if it does now."""
        amount, period = settings.LIMITS[self.purpose]
        kept = Attempt.objects.filter(bucket=self.name, at__gt=now - period).order_by("-at")
        in_the_way = kept.values_list("at", flat=True)[amount - 1 : amount].first()
        return in_the_way + period - now if in_the_way else NO_TIME


def bucket(purpose: str, *who) -> Bucket:
    return Bucket(purpose, tuple(str(part) for part in who))


def sign_in(request, email: str) -> tuple[Bucket, ...]:
    """What a password typed for ``email`` counts in: first the pair of account and address."""
    email, address = email.lower(), address_of(request)
    return (
        bucket("sign_in_pair", email, address),
        bucket("sign_in_account", email, known_as(request, email)),
        bucket("sign_in_address", address),
    )


def second_factor(request, user) -> tuple[Bucket, ...]:
    """What a code typed as the second step of ``user``'s sign-in counts in."""
    browser = known_as(request, user.email)
    return (
        bucket("second_factor", user.pk, browser or address_of(request)),
        bucket("second_factor_day", user.pk, browser),
    )


def code_mail(request, email: str) -> tuple[Bucket, ...]:
    """What a code (or link) asked for ``email`` counts in, whether or not anybody has it: first
    the pause until the next one."""
    email = email.lower()
    browser = known_as(request, email)
    return (
        bucket("code_pause", email, browser),
        bucket("code_recipient", email, browser),
        bucket("code_address", address_of(request)),
    )


@transaction.atomic
def take(*buckets: Bucket) -> list[Attempt]:
    """Count one try in each of ``buckets``. Raises Limited, and counts none, if one is full.

    Call it before the transaction of what is counted: its rollback would forget the try.
    """
    _wait_for_our_turn(buckets)
    now = timezone.now()
    waits = {each: each.wait(now) for each in buckets}
    longest = max(buckets, key=waits.get)
    if waits[longest]:
        raise Limited(longest.purpose, waits[longest])
    return Attempt.objects.bulk_create(Attempt(bucket=each.name, at=now) for each in buckets)


def _wait_for_our_turn(buckets):
    """Until the end of the transaction nobody else counts in these. On SQLite nobody writes at
    all once a transaction has begun."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for key in sorted(int(each.name[:15], 16) for each in buckets):  # one order: no deadlock
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def give_back(attempts: list[Attempt]) -> None:
    """These tries were no mistakes."""
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).delete()


def clear(*buckets: Bucket) -> None:
    Attempt.objects.filter(bucket__in=[each.name for each in buckets]).delete()


def forget_old() -> None:
    longest = max(period for _amount, period in settings.LIMITS.values())
    Attempt.objects.filter(at__lte=timezone.now() - longest).delete()


def answer(response, form):
    """``response``, which shows ``form``, as a 429 if a limit is among its errors."""
    for error in form.errors.as_data().get("__all__", []):
        if isinstance(error, Limited):
            return too_many(response, error)
    return response


def too_many(response, limited: Limited):
    response.status_code = 429
    response.headers["Retry-After"] = str(seconds(limited.wait))
    return response


def in_words(wait: timedelta) -> str:
    left = seconds(wait)
    if left <= 60:
        return ngettext("%d second", "%d seconds", left) % left
    return _("%d minutes") % -(-left // 60)


def seconds(wait: timedelta) -> int:
    """Rounded up, so that coming back then works."""
    return -(-wait // timedelta(seconds=1))

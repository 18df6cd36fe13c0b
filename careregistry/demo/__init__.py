"""The demonstration: people, tickets and the month behind them, made by the product's own actions.

Only the clock is turned back while they act, so histories, promises and figures are what they
would have been. The mails they would have caused are not owed: nobody waits for them.
"""

import os
import secrets
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import actions as account_actions
from accounts import consents
from accounts.models import Application, Role, Standing, User
from notifications.models import Notification, OutgoingMail
from tickets import anchors
from tickets.models import (
    Calendar,
    Category,
    ComplaintCode,
    ComplaintTrack,
    Expertise,
    Routing,
    SlaPolicy,
    Ticket,
)
from tickets.summaries import summarise_days

from .cast import (
    CATEGORIES,
    COMPLAINT_CODES,
    DEALT,
    EXPERTISE,
    PEOPLE,
    PROCEDURE,
    SERVICE_LEVELS,
)
from .settled import settled_stories
from .stories import STORIES

JOINED = timedelta(days=40)
ASKED = {"ines": timedelta(hours=2), "wole": timedelta(days=1)}


def people():
    return User.objects.filter(is_demo=True)


@transaction.atomic
def load() -> None:
    """Make everything, all or nothing."""
    now = timezone.now()
    with _clock_at(now - JOINED):
        categories = _make_categories()
        _regulate(categories["insurance"])
    cast = {}
    for name in PEOPLE:
        with _clock_at(now - ASKED.get(name, JOINED)):
            cast[name] = _make_person(name, decided_by=cast.get("ruth"))
    for name, levels in EXPERTISE.items():
        for category, level in levels.items():
            Expertise.objects.create(agent=cast[name], category=categories[category], level=level)
    _tell_stories(now, cast, categories)
    _owe_no_mail()
    _promise_service_levels(categories)
    Ticket.objects.update(clocked_until=now)  # nor does the clock make up for the month behind
    summarise_days(since=timezone.localdate() - timedelta(days=29))
    # As the worker would have, each day.
    transaction.on_commit(lambda: anchors.write(), robust=True)


@contextmanager
def _clock_at(moment):
    """Let ``timezone.now()`` say ``moment``, also where it was kept as a field's default."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment.astimezone(tz)

    real = timezone.datetime
    timezone.datetime = Clock
    try:
        yield
    finally:
        timezone.datetime = real


def _make_categories():
    return {
        key: Category.objects.get_or_create(
            name=name,
            defaults={
                "team_name": team,
                "position": position,
                "routing": Routing.AUTOMATIC if key in DEALT else Routing.SUGGESTED,
            },
        )[0]
        for position, (key, (name, team)) in enumerate(CATEGORIES.items())
    }


def _office():
    named = {"name": "Office", "defaults": {"time_zone": settings.TIME_ZONE}}
    return Calendar.objects.get_or_create(**named)[0]


def _regulate(category):
    """What the law wants of complaints about ``category``, and how reports count them."""
    name, days = PROCEDURE
    category.track, _is_new = ComplaintTrack.objects.get_or_create(
        name=name, defaults={"calendar": _office(), **days}
    )
    category.save()
    for kind, code, words in COMPLAINT_CODES:
        ComplaintCode.objects.get_or_create(kind=kind, code=code, defaults={"name": words})


def _promise_service_levels(categories):
    """What the office promises from now on. The month behind was promised by the setting."""
    office = _office()
    for day in range(5):
        office.hours.get_or_create(weekday=day, opens_at=time(8), defaults={"closes_at": time(18)})
    for category, priority, answer, solve in SERVICE_LEVELS:
        SlaPolicy.objects.get_or_create(
            category=categories.get(category),
            priority=priority,
            defaults={
                "calendar": office,
                "answer_within": timedelta(hours=answer),
                "resolve_within": timedelta(hours=solve),
                "warn_before": timedelta(hours=answer / 4),
            },
        )


def _make_person(name, *, decided_by):
    """Somebody who signed up, confirmed the address and, as staff, was accepted."""
    person = PEOPLE[name]
    user = User.objects.create_user(
        person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        role=person.role,
        is_demo=True,
    )
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    consents.agree(user, consents.versions())
    if person.role == Role.ADMIN:
        user.standing = Standing.ACTIVE
        user.save()
        return user
    account_actions.confirm(user)
    if person.role == Role.AGENT and person.is_accepted:
        application = user.applications.get()
        account_actions.decide(application, Application.Decision.ACCEPTED, by=decided_by)
        user.refresh_from_db()
    return user


def _tell_stories(now, cast, categories):
    """All steps of all stories in the order of their time, so that numbers follow the calendar."""
    steps = []
    for story in [*STORIES, *settled_stories()]:
        steps.append((story.ago, story, None))
        steps += [(step.ago, story, step) for step in story.steps]
    tickets = {}
    for ago, story, step in sorted(steps, key=lambda each: each[0], reverse=True):
        with _clock_at(now - ago):
            if step is None:
                opened = story.open(by=cast[story.by], category=categories[story.category])
                tickets[id(story)] = opened
            else:
                step.act(tickets[id(story)], cast[step.by], cast)


def _owe_no_mail():
    mine = Q(recipient__is_demo=True)
    Notification.objects.filter(mine | Q(event__ticket__requester__is_demo=True)).delete()
    OutgoingMail.objects.filter(mine | Q(ticket__requester__is_demo=True)).delete()


# --- Passwords ---------------------------------------------------------------------------


def accounts() -> list[tuple[User, str]]:
    """Who may sign in, each with the password; new passwords if the file with them is gone."""
    order = [Role.CUSTOMER, Role.AGENT, Role.ADMIN]
    doors = {person.email for person in PEOPLE.values() if person.signs_in}
    users = sorted(
        people().filter(email__in=doors, deleted_at=None).order_by("pk"),
        key=lambda user: (order.index(Role(user.role)), not user.is_approved),
    )
    known = _read_passwords()
    if any(user.email not in known for user in users):
        known = _set_passwords(users)
    return [(user, known[user.email]) for user in users]


def _password_file():
    return settings.DATA_DIR / "demo-accounts.txt"


def _read_passwords() -> dict[str, str]:
    if not _password_file().exists():
        return {}
    return dict(line.split() for line in _password_file().read_text().splitlines())


def _set_passwords(users) -> dict[str, str]:
    passwords = {user.email: secrets.token_urlsafe(9) for user in users}
    for user in users:
        user.set_password(passwords[user.email])
        user.save(update_fields=["password"])
    _password_file().unlink(missing_ok=True)  # the mode below is for a file made here
    new = os.open(_password_file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(new, "w") as file:
        file.writelines(f"{email} {password}\n" for email, password in passwords.items())
    return passwords

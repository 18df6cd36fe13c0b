"""SEC-F8: a clock that is wrong for a moment removes nothing and mails nobody."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts import erasure, exports, tasks
from accounts.models import Application, DataExport, LoginRecord, Standing, User
from accounts.tests.factories import make_application
from notifications.models import Notification
from tickets.models import TicketDraft
from tickets.tasks import drop_old_drafts, run_the_clock

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-F8")]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
JOBS = [
    tasks.expire_applications, tasks.forget_old_attempts, tasks.drop_old_exports, tasks.erase_due,
    tasks.keep_retention, drop_old_drafts,
]  # fmt: skip


@pytest.fixture
def tomorrow(alice, bob, ada, settings):
    """What is over within a day, and nothing of it today."""
    settings.RETENTION_DAYS = dict.fromkeys(settings.RETENTION_DAYS, 0) | {"sign_ins": 30}
    old = NOON - timedelta(days=29.5)
    LoginRecord.objects.create(user=bob, kind="signed_in", at=old)
    make_application(created_at=NOON - timedelta(days=settings.APPLICATION_DAYS - 0.5))
    with time_machine.travel(old, tick=False):
        TicketDraft.objects.create(owner=bob, fields={"subject": "Kettle"})
    settings.DRAFT_DAYS = 30
    DataExport.objects.create(
        user=bob, asked_by=bob, ready_at=old, expires_at=NOON + timedelta(hours=12)
    )
    alice.erase_at = NOON + timedelta(hours=12)
    alice.save()


def run_at(moment):
    with time_machine.travel(moment, tick=False):
        for job in JOBS:
            job()


def watch(start, hours):
    """The minutely job looks at the clock, now and again."""
    moment = start
    while moment <= start + timedelta(hours=hours):
        with time_machine.travel(moment, tick=False):
            run_the_clock()
        moment += MINUTES


def what_is_left():
    return {
        "sign-in": LoginRecord.objects.exists(),
        "application": Application.objects.pending().exists(),
        "draft": TicketDraft.objects.exists(),
        "download": DataExport.objects.exists(),
        "person": not User.objects.filter(standing=Standing.ERASED).exists(),
    }


def all_is(left):
    return dict.fromkeys(what_is_left(), left)


@pytest.mark.parametrize("days", [1, -1])
def test_a_jump_removes_nothing_until_time_is_steady_again(tomorrow, days):
    watch(NOON, 0)
    jumped = NOON + timedelta(days=days)

    run_at(jumped)  # before anybody looked
    watch(jumped, 0.5)
    run_at(jumped + timedelta(minutes=31))

    assert what_is_left() == all_is(True)
    assert not Notification.objects.filter(kind="application_expired").exists()


def test_a_day_that_really_passed_removes_it(tomorrow):
    """An hour after a night without a worker, or a clock that was set right."""
    watch(NOON, 0)
    morning = NOON + timedelta(days=1)
    run_at(morning)
    assert what_is_left() == all_is(True)

    watch(morning, 1)
    run_at(morning + timedelta(hours=1))

    assert what_is_left() == all_is(False)
    assert Notification.objects.filter(kind="application_expired").count() == 1


def test_nobody_waits_for_a_jump_of_an_hour_of_the_wall(tomorrow, settings):
    """Summer time moves no clock that counts in UTC."""
    settings.TIME_ZONE = "Europe/Lisbon"
    watch(NOON, 24)

    run_at(NOON + timedelta(hours=24))

    assert what_is_left() == all_is(False)


def test_by_hand_it_is_done_whatever_the_clock_did(tomorrow):
    """Whoever types the command has looked at the clock."""
    watch(NOON, 0)

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        erasure.erase_due()
        exports.drop_old()

    assert what_is_left() == all_is(True) | {"person": False, "download": False}

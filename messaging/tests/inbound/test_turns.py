"""Who reads what was stored: a turn at a time, and one process at a time."""

from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.utils import timezone

from messaging import tasks
from messaging.inbound import ledger
from messaging.models import Fate, InboundMail

from .mails import make_mail

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-P11")]

RECEIVED = InboundMail.objects.filter(fate=Fate.RECEIVED)


@pytest.fixture(autouse=True)
def stored(kettles):
    for number in range(3):
        ledger.store(make_mail(subject=f"Number {number}").as_bytes(), source="pipe")


def test_slow_mails_leave_time_for_other_work(monkeypatch):
    """After each turn the worker is called again, until a turn finds nothing."""
    bells, left = [], []
    seconds = count(0, 6)  # each look at the clock
    monkeypatch.setattr(ledger, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr(tasks, "ring", bells.append)

    for _turn in range(5):
        tasks.process_mail()
        left.append(RECEIVED.count())

    assert (left, bells) == ([2, 1, 0, 0, 0], ["messaging.tasks.process_mail"] * 3)


@pytest.mark.plan("SEC-F8")
def test_a_lease_that_a_wrong_clock_made_holds_up_nothing():
    """Its clock was a day ahead when the process was killed."""
    InboundMail.objects.update(leased_until=timezone.now() + timedelta(days=1))

    assert ledger.process_waiting() == 3


def test_who_meets_a_mail_that_somebody_is_at_leaves_the_rest():
    first = RECEIVED.order_by("pk").first()
    RECEIVED.filter(pk=first.pk).update(leased_until=timezone.now() + timedelta(minutes=1))

    assert ledger.process_waiting() == 0
    assert RECEIVED.count() == 3

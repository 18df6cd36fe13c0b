"""How often somebody may try: how it is counted."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import limits, tasks
from accounts.models import Attempt

from .doors import ask_for_reset
from .factories import make_user

pytestmark = pytest.mark.django_db


HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def small_limits(settings):
    settings.LIMITS = settings.LIMITS | {"kettle": (3, timedelta(minutes=5))}


@pytest.fixture
def now():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def boil(whose="alice"):
    return limits.take(limits.bucket("kettle", whose))


def test_one_more_than_allowed_is_refused_until_the_first_is_old_enough(now):
    for _ in range(3):
        boil()
        now.shift(60)

    with pytest.raises(limits.Limited) as refusal:
        boil()
    assert refusal.value.wait == timedelta(minutes=2)

    now.shift(119)
    with pytest.raises(limits.Limited):
        boil()
    now.shift(1)
    boil()


def test_a_refused_try_does_not_make_the_wait_longer(now):
    for _ in range(3):
        boil()
    for _ in range(10):
        with pytest.raises(limits.Limited):
            boil()

    assert Attempt.objects.count() == 3


def test_a_try_counts_everywhere_or_nowhere():
    for _ in range(3):
        boil("alice")

    with pytest.raises(limits.Limited):
        limits.take(limits.bucket("kettle", "bob"), limits.bucket("kettle", "alice"))

    assert Attempt.objects.filter(bucket=limits.bucket("kettle", "bob").name).count() == 0
    boil("bob")


def test_buckets_with_the_same_letters_are_apart():
    names = {
        limits.bucket("kettle", "ab", "c").name,
        limits.bucket("kettle", "a", "bc").name,
        limits.bucket("kettle", "abc").name,
        limits.bucket("code_pause", "abc").name,
    }

    assert len(names) == 4


def test_who_reads_the_table_learns_no_address(client, settings):
    """P9: a keyed hash, so that addresses can't be tried out without the key either."""
    name = limits.bucket("sign_in_account", "alice@example.org").name
    settings.SECRET_KEY = "another" * 10

    assert len(name) == 64
    assert int(name, 16)
    assert name != limits.bucket("sign_in_account", "alice@example.org").name


def test_what_was_no_mistake_is_given_back():
    kept, given = boil(), boil()

    limits.give_back(given)

    assert list(Attempt.objects.all()) == kept


def test_a_cleared_bucket_is_empty_and_others_are_not():
    for whose in ("alice", "bob"):
        boil(whose)

    limits.clear(limits.bucket("kettle", "alice"))

    assert Attempt.objects.get().bucket == limits.bucket("kettle", "bob").name


@pytest.mark.django_db(transaction=True)
def test_a_try_counts_though_what_came_of_it_was_rolled_back(monkeypatch):
    make_user(email="alice@example.org")
    client = Client(raise_request_exception=False)
    monkeypatch.setattr("accounts.adapter.account_mail_composed.send", no_paper)

    answers = [ask_for_reset(client, "alice@example.org").status_code for _ in range(2)]

    assert answers == [500, 429]


def no_paper(**kwargs):
    raise RuntimeError


@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-C2")
def test_tries_at_the_same_moment_are_counted_one_by_one(settings):
    """P10: on SQLite and on PostgreSQL."""
    settings.LIMITS = settings.LIMITS | {"kettle": (5, HOUR)}
    barrier, outcomes = Barrier(12), []

    def try_once():
        barrier.wait()
        try:
            outcomes.append(len(boil()))
        except limits.Limited:
            outcomes.append(0)
        finally:
            connection.close()

    threads = [Thread(target=try_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [0] * 7 + [1] * 5


def test_a_daily_job_forgets_what_no_limit_looks_at(client, alice, now):
    """Sessions that are over as well, and nobody's who is still signed in."""
    boil()
    client.force_login(alice)
    now.shift(timedelta(days=13))
    boil()
    Client().force_login(alice)
    now.shift(timedelta(days=1, seconds=1))
    boil()

    tasks.forget_old_attempts()

    assert Attempt.objects.count() == 1
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("came_from", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_what_one_household_has(came_from, address):
    request = RequestFactory(REMOTE_ADDR=came_from).get("/", headers={"X-Forwarded-For": "8.8.8.8"})

    assert limits.address_of(request) == address


@pytest.mark.parametrize(
    ("wait", "words"),
    [(1, "1 second"), (59.2, "60 seconds"), (61, "2 minutes"), (300, "5 minutes")],
)
def test_a_wait_is_said_in_words(wait, words):
    assert limits.in_words(timedelta(seconds=wait)) == words

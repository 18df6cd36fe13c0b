import shutil
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils import timezone

from careregistry import health
from notifications.models import OutgoingMail
from tickets.automation import clockwork
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

LIVE, READY = "/health/live", "/health/ready"


@pytest.fixture(autouse=True)
def nothing_known_of_migrations():
    health.is_migrated.known = False
    yield
    health.is_migrated.known = False


@pytest.fixture
def no_database(monkeypatch):
    def refuse():
        raise DatabaseError("password authentication failed for user careregistry")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.mark.plan("SEC-I11")
def test_live_says_ok_without_asking_the_database(client):
    """No database mark: a query would fail this test."""
    answer = client.get(reverse("health_live"))

    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.plan("SEC-I11")
@pytest.mark.parametrize("reader", ["nobody", "alice", "bob", "pete"])
def test_ready_is_bare_for_everybody_but_administrators(client, db, request, reader):
    if reader != "nobody":
        client.force_login(request.getfixturevalue(reader))

    answer = client.get(READY)

    assert (answer.status_code, answer.content) == (200, b"ready")


@pytest.mark.plan("SEC-I11")
def test_ready_has_details_for_administrators(login, ada):
    OutgoingMail.objects.create(email="alice@example.org")

    answer = login(ada).get(READY)

    details = answer.json()
    assert answer.status_code == 200
    assert details.pop("disk_free_bytes") > 0
    assert details.pop("oldest_due_mail_seconds") >= 0
    assert (details.pop("clock_looked_seconds_ago"), details.pop("stuck_tickets")) == (None, 0)
    assert details == {
        "ready": True,
        "database": True,
        "migrations": True,
        "data_folder": True,
        "redis": details["redis"],
    }


@pytest.mark.plan("SEC-I11")
def test_without_a_database_it_is_not_ready_and_does_not_say_why(client, no_database):
    client.cookies["sessionid"] = "of-somebody-who-signed-in-before"

    answer = client.get(READY)

    assert (answer.status_code, answer.content) == (503, b"not ready")
    assert client.get(LIVE).status_code == 200


@pytest.mark.plan("SEC-I11")
def test_with_migrations_to_do_it_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(health, "unapplied_migrations", lambda: ["tickets.0099"])
    waiting = client.get(READY).status_code
    monkeypatch.setattr(health, "unapplied_migrations", lambda: [])
    done = client.get(READY).status_code

    assert (waiting, done) == (503, 200)


@pytest.mark.plan("SEC-I11")
def test_without_room_on_the_disk_it_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1024))

    assert client.get(READY).status_code == 503


@pytest.mark.plan("SEC-I11")
def test_an_unreachable_redis_is_told_but_does_not_stop_anybody(login, ada, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = login(ada).get(READY)

    assert (answer.status_code, answer.json()["redis"]) == (200, False)


@pytest.mark.parametrize("path", [LIVE, READY])
def test_health_is_only_read(client, db, path):
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_ready_asks_the_migrations_once(client, db, django_assert_num_queries):
    client.get(READY)

    with django_assert_num_queries(1):
        client.get(READY)


def test_ready_tells_administrators_when_the_clock_last_looked_and_what_it_fails_with(login, ada):
    clockwork.tick()
    Ticket.objects.filter(pk=make_ticket().pk).update(stuck_since=timezone.now())

    details = login(ada).get(READY).json()

    assert 0 <= details["clock_looked_seconds_ago"] < 60
    assert details["stuck_tickets"] == 1

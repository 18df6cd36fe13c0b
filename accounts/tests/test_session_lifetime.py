"""How long somebody stays signed in (SEC-C9): the server decides, whatever the browser keeps."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from messaging import live

from .doors import sign_in, signed_in_id
from .factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C9")]

STAFF = [Role.AGENT, Role.ADMIN]
HOMES = {Role.CUSTOMER: "/tickets/", Role.AGENT: "/workspace/", Role.ADMIN: "/admin/"}


@pytest.fixture
def now():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def stay_busy(client, now, home, *, hours, every=6):
    """Open a page now and then; how many times it was shown."""
    shown = 0
    for _ in range(0, hours, every):
        now.shift(timedelta(hours=every))
        shown += client.get(home).status_code == 200
    return shown


@pytest.mark.parametrize("remember", ["on", ""])
def test_a_customers_session_ends_after_fourteen_days_however_busy(client, now, remember):
    john = make_user()
    sign_in(client, john.email, remember=remember)

    assert stay_busy(client, now, "/tickets/", hours=14 * 24 - 6) == 55
    now.shift(timedelta(hours=6))
    assert client.get("/tickets/").headers["Location"].startswith("/account/login/")
    assert signed_in_id(client) is None


@pytest.mark.parametrize("remember", ["on", ""])
@pytest.mark.parametrize("role", STAFF)
def test_the_session_of_staff_ends_after_a_day_however_busy(client, now, role, remember):
    person = make_user(role=role)
    sign_in(client, person.email, remember=remember)

    assert stay_busy(client, now, HOMES[role], hours=18) == 3
    now.shift(timedelta(hours=6))
    assert client.get(HOMES[role]).status_code == 302


@pytest.mark.parametrize(("hours", "status"), [(11.9, 200), (12, 302)])
@pytest.mark.parametrize("role", STAFF)
def test_staff_who_are_away_for_twelve_hours_are_signed_out(client, now, role, hours, status):
    person = make_user(role=role)
    sign_in(client, person.email, remember="on")

    now.shift(timedelta(hours=hours))

    assert client.get(HOMES[role]).status_code == status


def test_a_customer_may_be_away(client, now):
    sign_in(client, make_user().email)

    now.shift(timedelta(days=13))

    assert client.get("/tickets/").status_code == 200


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(client, now, bob):
    """An open list asks every 20 seconds, all night."""
    sign_in(client, bob.email)

    for _ in range(2):
        now.shift(timedelta(hours=6))
        client.get("/workspace/", headers={"X-Background": "1"})

    assert client.get("/workspace/").status_code == 302


@pytest.mark.parametrize("role", Role.values)
def test_keep_me_signed_in_lasts_as_long_as_the_session(client, now, role):
    sign_in(client, make_user(role=role).email, remember="on")
    age = client.cookies["sessionid"]["max-age"]

    assert age == (14 * 24 * 3600 if role == Role.CUSTOMER else 12 * 3600)


@pytest.mark.parametrize("role", Role.values)
def test_otherwise_it_ends_with_the_browser(client, now, role):
    """Also when the clock of the idle is wound."""
    sign_in(client, make_user(role=role).email)
    assert client.cookies["sessionid"]["max-age"] == ""

    now.shift(timedelta(hours=1))
    client.get(HOMES[role])
    assert client.cookies["sessionid"]["max-age"] == ""


@pytest.mark.parametrize("role", Role.values)
def test_the_clock_costs_no_query_and_seldom_a_write(client, now, role):
    sign_in(client, make_user(role=role).email)
    client.get(HOMES[role])

    def writes():
        with CaptureQueriesContext(connection) as queries:
            client.get(HOMES[role])
        return [query for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]

    now.shift(timedelta(minutes=5))
    assert writes() == []
    now.shift(timedelta(seconds=1))
    assert len(writes()) == (0 if role == Role.CUSTOMER else 1)
    now.shift(timedelta(minutes=5))
    assert writes() == []


def test_another_role_has_another_end(client, now, alice):
    """The limits of staff hold from the request after the change, counted from the sign-in."""
    sign_in(client, alice.email)
    now.shift(timedelta(hours=20))
    User.objects.update(role=Role.AGENT)
    assert client.get("/workspace/").status_code == 200

    now.shift(timedelta(hours=4))
    assert client.get("/workspace/").status_code == 302


def test_a_session_from_before_an_update_begins_now(client, now, alice):
    client.force_login(alice)
    session = client.session
    for key in ("_started_at", "_seen_at", "_role"):
        del session[key]
    session.save()

    now.shift(timedelta(days=13))
    assert client.get("/tickets/").status_code == 200
    now.shift(timedelta(days=13))
    assert client.get("/tickets/").status_code == 200
    now.shift(timedelta(days=1))
    assert client.get("/tickets/").status_code == 302


def test_the_draft_of_a_visitor_does_not_end_with_the_day(client, now, kettles):
    client.post("/tickets/new/save/", {"subject": "Kettle"})

    assert Session.objects.get().expire_date == timezone.now() + timedelta(days=14)


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.plan("SEC-A13")
def test_a_socket_ends_with_its_session(client, now, role):
    """The watch over open pages closes what ``without_rights`` names within seconds."""
    person = make_user(role=role)
    client.force_login(person)
    socket = SimpleNamespace(
        user_id=person.pk,
        session_key=client.session.session_key,
        session_hash=client.session["_auth_user_hash"],
        ticket_id=None,
        part=None,
    )

    now.shift(timedelta(hours=12) - timedelta(seconds=1))
    assert live.without_rights.func([socket]) == []
    now.shift(timedelta(seconds=1))
    assert live.without_rights.func([socket]) == [socket]

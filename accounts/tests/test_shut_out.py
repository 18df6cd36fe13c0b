"""Who is declined, suspended or deleted is nobody, in every channel; the waiting almost."""

import pytest
from channels.db import database_sync_to_async as in_thread
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LoginRecord, Role, Standing, User
from messaging import live
from messaging.tests.sockets import PageSocket, use_a_layer_of_its_own

from .doors import ask_for_reset, sign_in, signed_in_id
from .test_login import REFUSAL, refusal_of

LIST = "/ws/tickets/"
CLOSED = {
    "declined": {"standing": Standing.DECLINED},
    "suspended": {"standing": Standing.SUSPENDED},
    "deleted": {"deleted_at": timezone.now()},
    "erased": {"standing": Standing.ERASED},
}
WAITING = {"standing": Standing.PENDING}
closed = pytest.mark.parametrize("state", CLOSED)
pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C7")]


@pytest.fixture(autouse=True)
def layer(settings, monkeypatch):
    use_a_layer_of_its_own(settings)
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)


@pytest.fixture
def boss(db, ada):
    """An administrator, who has a way to lose in every channel."""
    return ada


def become(person, changes):
    User.objects.filter(pk=person.pk).update(**changes)


def browser_of(person):
    browser = Client()
    sign_in(browser, person.email)
    return browser


def where(response):
    """The status, and where it leads."""
    return response.status_code, response.headers.get("Location", "").partition("?")[0]


TO_SIGN_IN = (302, reverse("account_login"))


# --- Login ------------------------------------------------------------------------


def test_who_is_active_comes_in(boss):
    assert signed_in_id(browser_of(boss)) == str(boss.pk)


@closed
def test_the_door_is_shut_in_neutral_words(boss, client, state):
    become(boss, CLOSED[state])

    answer = sign_in(client, boss.email)
    stranger = sign_in(Client(), "nobody@example.org")

    assert refusal_of(answer) == refusal_of(stranger) == [REFUSAL]
    assert signed_in_id(client) is None


@closed
def test_the_door_of_the_code_is_shut_in_the_same_way(boss, client, mails, state):
    become(boss, CLOSED[state])

    ask = reverse("account_request_login_code")
    answer = client.post(ask, {"email": boss.email})
    stranger = Client().post(ask, {"email": "nobody@example.org"})

    assert where(answer) == where(stranger)
    assert mails == []


# --- Live session -----------------------------------------------------------------


@closed
@pytest.mark.parametrize("page", ["/tickets/", "/workspace/", "/account/security/"])
def test_a_session_from_before_is_nobodys(boss, state, page):
    browser = browser_of(boss)
    assert browser.get(page).status_code == 200
    become(boss, CLOSED[state])

    assert where(browser.get(page)) == TO_SIGN_IN
    assert where(browser.post(reverse("account_end_other_sessions"))) == TO_SIGN_IN


@closed
def test_the_admin_site_is_shut(boss, state):
    browser = browser_of(boss)
    assert browser.get("/admin/").status_code == 200
    become(boss, CLOSED[state])

    assert where(browser.get("/admin/")) == TO_SIGN_IN
    assert where(browser.get(reverse("admin:accounts_loginrecord_changelist"))) == TO_SIGN_IN


# --- Reset ------------------------------------------------------------------------


def test_who_is_active_gets_a_code(boss, client, mails):
    ask_for_reset(client, boss.email)

    assert [mail.email for mail in mails] == [boss.email]


@closed
def test_a_reset_answers_like_for_an_unknown_address(boss, client, mails, state):
    become(boss, CLOSED[state])

    answer = ask_for_reset(client, boss.email)
    stranger = ask_for_reset(Client(), "nobody@example.org")

    assert where(answer) == where(stranger)
    assert mails == []


# --- Sockets ----------------------------------------------------------------------


@closed
@pytest.mark.django_db(transaction=True)
async def test_no_socket_is_opened(boss, state):
    browser = await in_thread(browser_of)(boss)
    async with PageSocket(LIST, browser):
        pass

    await in_thread(become)(boss, CLOSED[state])

    assert await PageSocket(LIST, browser).open() == 4401


@closed
@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-A13")
async def test_an_open_socket_is_closed(boss, ticket, state):
    browser = await in_thread(browser_of)(boss)
    sockets = [PageSocket(LIST, browser), PageSocket(f"{LIST}{ticket}/", browser)]
    for socket in sockets:
        assert await socket.open() is None

    await in_thread(become)(boss, CLOSED[state])

    assert [await socket.code() for socket in sockets] == [4403, 4403]


# --- The waiting: see SEC-A4 ------------------------------------------------------


@pytest.mark.plan("SEC-A4")
@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_waiting_come_in_and_see_what_is_theirs(boss, role):
    become(boss, WAITING | {"role": role})
    browser = browser_of(boss)

    assert signed_in_id(browser) == str(boss.pk)
    theirs = ("account_waiting", "account_security", "account_sign_ins", "account_profile")
    assert [browser.get(reverse(name)).status_code for name in theirs] == [200] * 4
    staffs = ("/tickets/", "/workspace/", "/admin/", "/admin/accounts/loginrecord/")
    assert [browser.get(path).status_code for path in staffs] == [403] * 4


@pytest.mark.plan("SEC-A4")
@pytest.mark.django_db(transaction=True)
async def test_the_waiting_hold_no_socket(boss):
    browser = await in_thread(browser_of)(boss)
    socket = PageSocket(LIST, browser)
    assert await socket.open() is None

    await in_thread(become)(boss, WAITING)

    assert await socket.code() == 4403
    assert await PageSocket(LIST, browser).open() == 4403


@closed
@pytest.mark.plan("SEC-H6")
def test_each_try_is_in_the_record(boss, client, state):
    become(boss, CLOSED[state])

    sign_in(client, boss.email)

    records = LoginRecord.objects.values_list("user", "kind", "method")
    assert list(records) == [(boss.pk, "refused", "password")]

"""REQUIRE_STAFF_MFA=1: agents and administrators set up a second factor before anything else, and
keep one. And what an administrator does for somebody who lost theirs."""

import pytest
from allauth.mfa.models import Authenticator
from channels.db import database_sync_to_async as in_thread
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import factors
from accounts.models import AccountEvent
from messaging.tests.sockets import PageSocket

from .doors import sign_in, signed_in_id
from .factor_tools import code_of, give_app, second_step, to_second_step
from .factories import PASSWORD, make_admin, make_agent
from .test_second_factor import set_up

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C17")]

OVERVIEW = reverse("account_second_factor")


@pytest.fixture
def demanded(settings):
    settings.REQUIRE_STAFF_MFA = True


PAGES = ["/workspace/", "/admin/", "/account/", "/account/security/", "/account/edit/"]


@pytest.mark.parametrize("who", ["bob", "ada"])
@pytest.mark.parametrize("page", PAGES)
def test_staff_without_one_are_led_to_set_one_up(request, demanded, login, who, page):
    person = request.getfixturevalue(who)

    answer = login(person).get(page)

    assert answer.headers["Location"] == OVERVIEW


def test_nothing_is_demanded_until_it_is_set(login, bob):
    assert login(bob).get("/workspace/").status_code == 200


def test_customers_are_free_to_have_none(demanded, login, alice):
    assert login(alice).get("/tickets/").status_code == 200


def test_whoever_must_can(demanded, login, bob):
    """From the sign-in to the work, through the pages."""
    browser = login(bob)
    page = browser.get(OVERVIEW)
    assert "Agents and administrators need a second factor here" in page.text
    assert "Sign out instead" in page.text
    assert browser.get(reverse("account_add_passkey")).status_code == 200

    _secret, answer = set_up(browser)

    assert browser.get(answer.headers["Location"]).status_code == 200
    assert browser.get("/workspace/").status_code == 200


def test_it_can_be_left(demanded, login, bob):
    browser = login(bob)

    browser.post(reverse("account_logout"))

    assert signed_in_id(browser) is None


def test_it_costs_no_query_at_each_page(demanded, client, bob):
    """That they have one stands in the session."""
    secret = give_app(bob)
    to_second_step(client, bob)
    second_step(client, code_of(secret))
    client.get("/workspace/")

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/workspace/").status_code == 200

    assert not [each for each in queries if Authenticator._meta.db_table in each["sql"]]


def test_the_last_one_stays(demanded, login, bob):
    give_app(bob)
    page = reverse("account_remove_factor", args=[factors.app_of(bob).pk])

    answer = login(bob).post(page, {"password": PASSWORD}, follow=True)

    assert "Your organisation demands a second factor" in answer.text
    assert factors.of(bob).exists()


def test_a_password_reset_is_no_way_around(demanded, client, mails, bob):
    secret = give_app(bob)
    client.post(reverse("account_reset_password"), {"email": bob.email})
    code = mails[-1].subject.split()[0]
    client.post(reverse("account_confirm_password_reset_code"), {"code": code})
    new = "four quite small words"
    client.post(reverse("account_complete_password_reset"), {"password1": new, "password2": new})
    assert signed_in_id(client) is None

    answer = sign_in(client, bob.email, new)

    assert answer.headers["Location"] == reverse("mfa_authenticate")
    assert signed_in_id(client) is None
    assert second_step(client, code_of(secret)).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_no_socket_opens_before(settings):
    settings.REQUIRE_STAFF_MFA = True

    def make():
        browser, person = Client(), make_agent()
        browser.force_login(person)
        return browser, person

    browser, person = await in_thread(make)()

    refused = await PageSocket("/ws/tickets/", browser).open()
    await in_thread(give_app)(person)
    async with PageSocket("/ws/tickets/", browser):
        pass

    assert refused == 4403


# --- Somebody lost theirs -----------------------------------------------------------------


def lost_page(person):
    return reverse("admin:accounts_user_factor", args=[person.pk])


def test_an_administrator_removes_what_was_lost(login, mails, ada, bob):
    secret = give_app(bob)
    theirs = Client()
    to_second_step(theirs, bob)
    second_step(theirs, code_of(secret))
    browser = login(ada)
    console = browser.get(reverse("admin:accounts_user_change", args=[bob.pk]))
    assert "Remove second factor" in console.text
    assert "Remove the second factor of Bob Baker?" in browser.get(lost_page(bob)).text

    browser.post(lost_page(bob), {"reason": "He came to my desk."})

    assert not factors.of(bob).exists()
    event = bob.account_events.latest("pk")
    assert (event.kind, event.by) == (AccountEvent.Kind.SECOND_FACTOR_REMOVED, ada)
    assert event.reason == "He came to my desk."
    assert (mails[-1].kind, mails[-1].email) == ("factor_taken_away", bob.email)
    assert theirs.get("/workspace/").status_code == 302  # signed out everywhere
    assert sign_in(Client(), bob.email).headers["Location"] == "/workspace/"


def test_it_takes_a_reason(login, ada, bob):
    give_app(bob)

    page = login(ada).post(lost_page(bob), {"reason": " "})

    assert "Enter how you made sure" in page.text
    assert factors.of(bob).exists()


def test_there_must_be_one(login, ada, bob):
    browser = login(ada)
    console = browser.get(reverse("admin:accounts_user_change", args=[bob.pk]))
    assert "Remove second factor" not in console.text

    answer = browser.post(lost_page(bob), {"reason": "He came to my desk."}, follow=True)

    assert "This account has no second factor." in answer.text


@pytest.mark.plan("SEC-A11")
def test_of_an_administrator_only_a_superuser_removes_it(login, ada):
    """And nobody their own."""
    ruth, sue = make_admin(), make_admin(is_superuser=True)
    give_app(ruth)
    with pytest.raises(PermissionDenied):
        factors.take_away(ruth, by=ada, reason="x")
    with pytest.raises(PermissionDenied):
        factors.take_away(ruth, by=ruth, reason="x")
    assert login(ada).post(lost_page(ruth), {"reason": "x"}).status_code == 403

    factors.take_away(ruth, by=sue, reason="x")

    assert not factors.of(ruth).exists()


def test_the_only_administrator_is_helped_at_the_machine(capsys, mails, ada):
    give_app(ada)

    call_command("remove_second_factor", "Ada@example.org")

    assert not factors.of(ada).exists()
    assert "ada@example.org comes in with the first step alone" in capsys.readouterr().out
    assert mails[-1].kind == "factor_taken_away"
    assert ada.account_events.latest("pk").by is None
    for email in ("ada@example.org", "nobody@example.org"):
        with pytest.raises(CommandError):
            call_command("remove_second_factor", email)

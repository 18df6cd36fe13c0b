"""Signing in with a one-time code from the mailbox instead of a password."""

from datetime import UTC, datetime

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import reverse

from accounts.models import Role, Standing, User

from .doors import code_in, sign_in, signed_in_id, type_code
from .factories import make_user

pytestmark = pytest.mark.django_db

ASK = "account_request_login_code"
PAGE = "account_confirm_login_code"
HOMES = {Role.CUSTOMER: "/tickets/", Role.AGENT: "/workspace/", Role.ADMIN: "/admin/"}


def ask(client, email, **more):
    return client.post(reverse(ASK), {"email": email, **more})


@pytest.mark.parametrize("role", Role.values)
def test_a_code_from_the_mailbox_lets_each_role_in(client, mails, role):
    person = make_user(role=role)

    asked = ask(client, person.email)
    response = type_code(client, code_in(mails[0]), PAGE)

    assert asked.headers["Location"] == reverse(PAGE)
    assert mails[0].subject == f"{code_in(mails[0])} is your sign-in code"
    assert (mails[0].user, mails[0].kind) == (person, "login_code")
    assert response.headers["Location"] == HOMES[role]
    assert signed_in_id(client) == str(person.pk)


def test_an_address_is_the_same_in_capitals(client, mails, alice):
    ask(client, "ALICE@Example.ORG")
    type_code(client, code_in(mails[0]), PAGE)

    assert signed_in_id(client) == str(alice.pk)


def test_who_waits_for_approval_comes_in_to_read_that_they_wait(client, mails, pete):
    ask(client, pete.email)

    response = type_code(client, code_in(mails[0]), PAGE)

    assert response.headers["Location"] == reverse("account_waiting")


@pytest.mark.parametrize(
    "fields",
    [
        {"standing": Standing.UNCLAIMED},
        {"standing": Standing.DECLINED},
        {"standing": Standing.SUSPENDED},
        {"deleted_at": datetime(2026, 11, 1, tzinfo=UTC)},
    ],
    ids=str,
)
@pytest.mark.plan("SEC-C7")
def test_a_closed_account_gets_no_code_and_the_same_page(client, mails, alice, fields):
    User.objects.update(**fields)

    response = ask(client, alice.email)

    assert response.headers["Location"] == reverse(PAGE)
    assert mails == []
    assert type_code(client, "", PAGE).status_code == 200
    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C7")
def test_who_is_suspended_between_the_mail_and_the_code_stays_out(client, mails, alice):
    ask(client, alice.email)
    User.objects.update(standing=Standing.SUSPENDED)

    type_code(client, code_in(mails[0]), PAGE)

    assert client.get("/tickets/").status_code == 302


@pytest.mark.plan("SEC-C1")
def test_nobody_is_written_to_who_has_no_account(client, mails):
    """And no code is right: not even none."""
    response = ask(client, "nobody@example.org")

    assert response.headers["Location"] == reverse(PAGE)
    assert "If there is an account for" in client.get(reverse(PAGE)).text
    for typed in ("", "00000000", " "):
        assert type_code(client, typed, PAGE).status_code == 200
    assert mails == []


def test_an_address_without_a_proper_form_is_said_to_be_one(client):
    """D1-T68"""
    response = ask(client, "alice")

    assert response.context["form"].errors == {"email": ["Invalid email"]}
    assert 'value="alice"' in response.text


@pytest.mark.plan("SEC-C5")
def test_the_session_key_changes(client, mails, alice):
    ask(client, alice.email)
    known = client.session.session_key

    type_code(client, code_in(mails[0]), PAGE)

    assert client.session.session_key != known


@pytest.mark.parametrize(("remember", "lasts"), [("on", True), ("", False)])
@pytest.mark.plan("SEC-C9")
def test_the_session_outlives_the_browser_only_when_asked_to(client, mails, alice, remember, lasts):
    ask(client, alice.email, remember=remember)
    type_code(client, code_in(mails[0]), PAGE)

    assert bool(client.cookies["sessionid"]["max-age"]) == lasts


@pytest.mark.plan("SEC-B15")
def test_it_leads_to_the_page_that_was_asked_for(client, mails, alice):
    door = client.get("/tickets/?tab=all").headers["Location"]
    link = client.get(door).context["request_login_code_url"]
    page = client.post(link, {"email": alice.email}).headers["Location"]

    response = client.post(page, {"code": code_in(mails[0])})

    assert response.headers["Location"] == "/tickets/?tab=all"


@pytest.mark.plan("SEC-B15")
@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example/", "javascript:alert(1)"]
)
def test_a_code_never_leads_to_another_site(client, mails, alice, where):
    ask(client, alice.email)

    response = client.post(reverse(PAGE, query={"next": where}), {"code": code_in(mails[0])})

    assert response.headers["Location"] == "/tickets/"


@pytest.mark.plan("SEC-C17")
def test_a_code_from_the_mailbox_is_only_the_first_factor(client, mails, bob):
    """Whoever set up a second one is asked for it, whatever the door."""
    TOTP.activate(bob, generate_totp_secret())
    RecoveryCodes.activate(bob)
    ask(client, bob.email)

    response = type_code(client, code_in(mails[0]), PAGE)

    assert response.headers["Location"] == reverse("mfa_authenticate")
    assert signed_in_id(client) is None


@pytest.mark.parametrize("door", [ASK, "account_login"])
def test_who_waits_for_a_code_can_still_choose_another_way(client, mails, alice, door):
    """And the code they have goes on working until then."""
    ask(client, "mistyped@example.org")
    assert client.get(reverse(door)).status_code == 200
    assert client.get(reverse(PAGE)).status_code == 200

    if door == ASK:
        ask(client, alice.email)
        type_code(client, code_in(mails[0]), PAGE)
    else:
        sign_in(client, alice.email)

    assert signed_in_id(client) == str(alice.pk)
    assert client.get(reverse(PAGE)).headers["Location"] == reverse("account_login")


def test_the_sign_in_page_offers_it(client):
    page = client.get(reverse("account_login"))

    assert f'href="{reverse(ASK)}"' in page.text
    assert "Email me a sign-in code" in page.text


def test_who_is_signed_in_already_goes_home(login, alice):
    assert login(alice).get(reverse(ASK)).headers["Location"] == "/tickets/"

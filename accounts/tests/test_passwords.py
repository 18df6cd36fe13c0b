import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Standing, User

from .doors import ask_for_reset, code_in, sign_in, signed_in_id, type_code
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NEW = "four entirely other words"
CODE = "account_confirm_password_reset_code"
COMPLETE = "account_complete_password_reset"


def reset(client, mails, email, password1=NEW, password2=NEW):
    ask_for_reset(client, email)
    type_code(client, code_in(mails[-1]), CODE)
    return client.post(reverse(COMPLETE), {"password1": password1, "password2": password2})


def change(client, old=PASSWORD, password1=NEW, password2=NEW):
    return client.post(
        reverse("account_change_password"),
        {"oldpassword": old, "password1": password1, "password2": password2},
    )


def login_page_after(client, response):
    """The page a person ends on, followed step by step."""
    while response.status_code == 302:
        response = client.get(response.headers["Location"])
    assert response.request["PATH_INFO"] == reverse("account_login")
    return response


@pytest.mark.parametrize("name", ["alice", "bob", "ada"])
def test_a_forgotten_password_is_replaced_by_code(client, mails, request, name):
    """D0-7, D1-T67, D1-T70, D1-T72: the code, two equal passwords, the sign-in page, a mail."""
    person = request.getfixturevalue(name)

    page = login_page_after(client, reset(client, mails, person.email))

    assert "Password changed! Please Login" in page.text
    assert [mail.kind for mail in mails] == ["password_reset_code", "password_reset"]
    sign_in(client, person.email, NEW)
    assert signed_in_id(client) == str(person.pk)


def test_different_new_passwords_are_refused(client, mails, alice):
    """D1-T73"""
    response = reset(client, mails, alice.email, password2="something else entirely")

    assert response.context["form"].errors == {"password2": ["Passwords do not match!"]}
    assert User.objects.get().check_password(PASSWORD)


def test_a_reset_proves_the_address_as_well(client, mails):
    """Who signed up, lost the code and came back by "Forgot password?" is let in."""
    make_user(email="una@example.org", standing=Standing.UNCLAIMED)

    reset(client, mails, "una@example.org")
    sign_in(client, "una@example.org", NEW)

    assert User.objects.get().standing == Standing.ACTIVE
    assert signed_in_id(client) == str(User.objects.get().pk)


@pytest.mark.parametrize("standing", [Standing.DECLINED, Standing.SUSPENDED])
@pytest.mark.plan("SEC-C7")
def test_a_closed_account_gets_no_code(client, mails, alice, standing):
    """D1-T69: the page is the same, the mailbox stays empty."""
    User.objects.update(standing=standing)

    response = ask_for_reset(client, alice.email)

    assert response.headers["Location"] == reverse(CODE)
    assert mails == []


def test_the_new_password_page_is_behind_the_code(client, mails, alice):
    ask_for_reset(client, alice.email)

    response = client.post(reverse(COMPLETE), {"password1": NEW, "password2": NEW})

    assert response.headers["Location"] == reverse(CODE)
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.plan("SEC-C6")
def test_changing_the_password_ends_every_session(login, mails, alice):
    """D1-T40, D1-10: this device too, at the sign-in page, and a mail says so."""
    elsewhere = Client()
    elsewhere.force_login(alice)
    client = login(alice)

    page = login_page_after(client, change(client))

    assert "Password changed! Please Login" in page.text
    assert elsewhere.get("/tickets/").status_code == 302
    assert [(mail.kind, mail.email) for mail in mails] == [("password_changed", alice.email)]
    sign_in(client, alice.email, NEW)
    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C6")
def test_a_reset_ends_every_session(client, mails, alice):
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert elsewhere.get("/tickets/").status_code == 200

    reset(client, mails, alice.email)

    assert elsewhere.get("/tickets/").status_code == 302


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"old": "not it"}, {"oldpassword": ["Check your current password"]}),
        ({"old": ""}, {"oldpassword": ["Enter your current password"]}),
        ({"password2": "another one here"}, {"password2": ["Passwords do not match!"]}),
        (
            {"password1": "aXuq7!z", "password2": "aXuq7!z"},
            {"password1": ["Passwords must be at least 8 characters long!"]},
        ),
        (
            {"password1": PASSWORD, "password2": PASSWORD},
            {"password1": ["Old and New password cannot be the same!"]},
        ),
    ],
)
def test_a_change_is_refused_beside_its_field(login, alice, typed, errors):
    """D1-T37, D1-T38, D1-T39"""
    client = login(alice)

    response = change(client, **typed)

    assert response.context["form"].errors == errors
    assert User.objects.get().check_password(PASSWORD)
    assert signed_in_id(client) == str(alice.pk)


def test_a_visitor_changes_no_password(client, alice):
    assert change(client).headers["Location"].startswith(reverse("account_login"))
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("door", ["account_login", "account_signup"])
def test_passwords_offer_to_be_shown(client, door):
    """D1-18: the button is the script's, the words are the page's."""
    page = client.get(reverse(door))

    assert 'data-show="Show" data-show-label="Show password"' in page.text
    assert 'type="module" src="/static/js/password.js"' in page.text

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, Standing, User

from .doors import ask_for_reset, code_in, sign_in, signed_in_id, type_code, wrong
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NEW = "four entirely other words"
CODE = "account_confirm_password_reset_code"
COMPLETE = "account_complete_password_reset"
HOMES = {Role.CUSTOMER: "/tickets/", Role.AGENT: "/workspace/", Role.ADMIN: "/admin/"}


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
    assert mails[1].subject == "Your password was changed"
    sign_in(client, person.email, NEW)
    assert signed_in_id(client) == str(person.pk)


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"password2": "something else entirely"}, {"password2": ["Passwords do not match!"]}),
        (
            {"password1": "aXuq7!z", "password2": "aXuq7!z"},
            {"password1": ["Passwords must be at least 8 characters long!"]},
        ),
    ],
)
@pytest.mark.parametrize("role", Role.values)
def test_a_bad_new_password_is_refused_beside_its_field(client, mails, role, typed, errors):
    """D1-T37, D1-T73: and may be mended."""
    person = make_user(role=role)

    response = reset(client, mails, person.email, **typed)

    assert response.context["form"].errors == errors
    assert User.objects.get().check_password(PASSWORD)
    client.post(reverse(COMPLETE), {"password1": NEW, "password2": NEW})
    assert User.objects.get().check_password(NEW)


@pytest.mark.parametrize("role", Role.values)
def test_a_wrong_code_changes_no_password(client, mails, role):
    """D1-T71"""
    person = make_user(role=role)
    ask_for_reset(client, person.email)

    response = type_code(client, wrong(code_in(mails[0])), CODE)
    client.post(reverse(COMPLETE), {"password1": NEW, "password2": NEW})

    assert response.context["form"].errors == {"code": ["Invalid code!"]}
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(("typed", "status"), [("alice", 200), ("nobody@example.org", 302)])
def test_an_address_without_a_proper_form_is_said_to_be_one(client, mails, typed, status):
    """D1-T61, D1-T62, D1-T68, D1-T69: of any other nothing is said."""
    response = ask_for_reset(client, typed)

    assert response.status_code == status
    if status == 200:
        assert response.context["form"].errors == {"email": ["Invalid email"]}
        assert 'value="alice"' in response.text
    assert mails == []


@pytest.mark.parametrize(
    "standing", [Standing.UNCLAIMED, Standing.DECLINED, Standing.SUSPENDED, Standing.ERASED]
)
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


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.plan("SEC-C6")
def test_changing_the_password_ends_every_session(login, mails, role):
    """D1-T40, D1-10: this device too, at the sign-in page, and a mail says so."""
    person = make_user(role=role)
    elsewhere = Client()
    elsewhere.force_login(person)
    client = login(person)
    assert elsewhere.get(HOMES[role]).status_code == 200

    page = login_page_after(client, change(client))

    assert "Password changed! Please Login" in page.text
    assert elsewhere.get(HOMES[role]).status_code == 302
    assert client.get(HOMES[role]).status_code == 302
    assert [(mail.kind, mail.email) for mail in mails] == [("password_changed", person.email)]
    sign_in(client, person.email, NEW)
    assert signed_in_id(client) == str(person.pk)


@pytest.mark.parametrize("way", ["change", "reset"])
@pytest.mark.plan("SEC-H6")
def test_the_account_notes_when_its_password_changed(client, mails, alice, way):
    """And who was given a password by somebody else has chosen their own now."""
    now = timezone.now()
    User.objects.update(must_change_password=True)

    with time_machine.travel(now, tick=False):
        if way == "change":
            client.force_login(alice)
            change(client)
        else:
            reset(client, mails, alice.email)

    alice.refresh_from_db()
    assert (alice.password_changed_at, alice.must_change_password) == (now, False)
    (event,) = alice.account_events.all()
    assert (event.kind, event.by) == ("password_changed", alice)


@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-C6")
def test_a_password_and_the_mail_about_it_are_kept_together_or_not_at_all(client, monkeypatch):
    alice = make_user("Alice")
    client.force_login(alice)
    monkeypatch.setattr("accounts.adapter.account_mail_composed.send", fail)

    with pytest.raises(RuntimeError, match="no paper"):
        change(client)

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert alice.password_changed_at is None
    assert not alice.account_events.exists()


def fail(**kwargs):
    raise RuntimeError("no paper")


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
@pytest.mark.parametrize("role", Role.values)
def test_a_change_is_refused_beside_its_field(login, role, typed, errors):
    """D1-T37, D1-T38, D1-T39"""
    alice = make_user(role=role)
    client = login(alice)

    response = change(client, **typed)

    assert response.context["form"].errors == errors
    assert User.objects.get().check_password(PASSWORD)
    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.parametrize("way", ["change", "reset"])
def test_hashing_holds_up_nobody_elses_writing(client, mails, alice, monkeypatch, way):
    """On SQLite a transaction has the only write lock from its beginning to its end."""
    within = []
    encode = MD5PasswordHasher.encode

    def note_where(hasher, *args, **kwargs):
        within.append(len(connection.savepoint_ids))
        return encode(hasher, *args, **kwargs)

    outside = len(connection.savepoint_ids)
    if way == "change":
        client.force_login(alice)
        monkeypatch.setattr(MD5PasswordHasher, "encode", note_where)
        change(client)
    else:
        monkeypatch.setattr(MD5PasswordHasher, "encode", note_where)
        reset(client, mails, alice.email)

    assert User.objects.get().check_password(NEW)
    assert set(within) == {outside}


def test_who_has_no_password_gets_one_by_code(login, mails, alice):
    """They came by Google, and nobody can ask them for the current one."""
    alice.set_unusable_password()
    alice.save()
    client = login(alice)

    page = client.get(reverse("account_change_password"))
    assert page.headers["Location"] == reverse("account_reset_password")
    reset(client, mails, alice.email)

    assert User.objects.get().check_password(NEW)
    assert client.get("/tickets/").status_code == 302


def test_a_visitor_changes_no_password(client, alice):
    assert change(client).headers["Location"].startswith(reverse("account_login"))
    assert User.objects.get().check_password(PASSWORD)


STRANGE = "пароль 密碼 \"'<>&;%00 \\ 🔑"
REFUSED = {
    "too short": ("aXuq7!z", "Passwords must be at least 8 characters long!"),
    "too long": ("aXuq7!zz" * 16 + "a", "Password must be 128 characters or less"),
    "common": ("password123", "Many people use this password. Choose one that only you think of"),
    "the first name": ("Aurelia1", "The password is too similar to the first name."),
    "the last name": ("Marchetti", "The password is too similar to the last name."),
    "the address": ("kettlefan77", "The password is too similar to the email address."),
}
ACCEPTED = {
    "eight": "aXuq7!zz",
    "only digits, not common": "8203948572",
    "the longest": "aXuq7!zz" * 16,
    "words with spaces": " three small words ",
    "any characters": STRANGE,
}


def make_aurelia():
    return make_user("Aurelia", last_name="Marchetti", email="kettlefan77@example.org")


@pytest.mark.parametrize(("password", "error"), REFUSED.values(), ids=REFUSED)
@pytest.mark.plan("SEC-C10")
def test_a_weak_password_is_refused(login, password, error):
    """D1-12"""
    response = change(login(make_aurelia()), password1=password, password2=password)

    assert response.context["form"].errors == {"password1": [error]}


@pytest.mark.parametrize("password", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.plan("SEC-C10")
def test_any_other_password_is_taken_as_it_was_typed(login, password):
    aurelia = make_aurelia()
    client = login(aurelia)

    change(client, password1=password, password2=password)

    sign_in(client, aurelia.email, password)
    assert signed_in_id(client) == str(aurelia.pk)


@pytest.mark.parametrize(
    "cut", [ACCEPTED["the longest"][:-1], ACCEPTED["words with spaces"].strip()]
)
@pytest.mark.plan("SEC-C10")
def test_nothing_is_cut_from_a_password(client, cut):
    whole = next(each for each in ACCEPTED.values() if cut in each)
    person = make_aurelia()
    person.set_password(whole)
    person.save()

    sign_in(client, person.email, cut)
    assert signed_in_id(client) is None
    sign_in(client, person.email, whole)
    assert signed_in_id(client) == str(person.pk)


@pytest.mark.plan("SEC-C10")
def test_a_password_can_be_pasted_and_filled_in(login, alice):
    page = login(alice).get(reverse("account_change_password")).text

    assert "onpaste" not in page
    assert "maxlength" not in page
    assert page.count('autocomplete="current-password"') == 1
    assert page.count('autocomplete="new-password"') == 2


@pytest.mark.parametrize("door", ["account_login", "account_signup"])
def test_passwords_offer_to_be_shown(client, door):
    """D1-18: the button is the script's, the words are the page's."""
    page = client.get(reverse(door))

    assert 'data-show="Show" data-show-label="Show password"' in page.text
    assert 'type="module" src="/static/js/password.js"' in page.text

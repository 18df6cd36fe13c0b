import pytest
from django.urls import reverse

from accounts.models import Role, Standing, User

from .doors import code_in, sign_in, sign_up, signed_in_id, type_code
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

HOMES = {Role.CUSTOMER: "/tickets/", Role.AGENT: "/workspace/", Role.ADMIN: "/admin/"}
REFUSAL = "Check your email address and password"
LIMIT = "Too many tries. Wait 5 minutes, then try again. Or let us email you a sign-in code"


def refusal_of(response):
    """The words at the top of the sign-in page."""
    return list(response.context["form"].non_field_errors())


@pytest.mark.parametrize("role", Role.values)
def test_each_role_lands_on_its_own_home(client, role):
    """D0-T2, D1-T9, D1-T12, D1-18, D0-4: one door, three homes."""
    person = make_user(role=role)

    response = sign_in(client, person.email)

    assert response.headers["Location"] == HOMES[role]
    assert signed_in_id(client) == str(person.pk)


def test_an_address_is_the_same_in_capitals(client, alice):
    sign_in(client, "ALICE@Example.ORG")

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.parametrize("role", Role.values)
def test_a_wrong_password_is_refused_in_neutral_words(client, role):
    """D0-T7, D1-T8, D1-T11: the address stays in its field."""
    person = make_user(role=role)

    response = sign_in(client, person.email, "not the password")

    assert refusal_of(response) == [REFUSAL]
    assert f'value="{person.email}"' in response.text
    assert "not the password" not in response.text
    assert "<title>Error: " in response.text
    assert signed_in_id(client) is None


def test_an_unknown_address_is_refused_in_the_same_words(client):
    """D0-T5, D0-T8, D1-T7, D1-T10: and the way to sign-up is on the same page."""
    response = sign_in(client, "nobody@example.org")

    assert refusal_of(response) == [REFUSAL]
    assert 'value="nobody@example.org"' in response.text
    assert f'href="{reverse("account_signup")}"' in response.text


@pytest.mark.parametrize(
    "standing", [Standing.UNCLAIMED, Standing.DECLINED, Standing.SUSPENDED, Standing.ERASED]
)
@pytest.mark.plan("SEC-C7")
def test_a_closed_account_is_no_different_from_a_wrong_password(client, alice, standing):
    User.objects.update(standing=standing)

    response = sign_in(client, alice.email)

    assert refusal_of(response) == [REFUSAL]
    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C7")
def test_a_deleted_account_is_no_different_from_a_wrong_password(client, alice):
    User.objects.update(deleted_at=alice.created_at)

    response = sign_in(client, alice.email)

    assert refusal_of(response) == [REFUSAL]


@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.SUSPENDED])
@pytest.mark.plan("SEC-C2")
def test_right_passwords_of_a_closed_account_run_into_the_limit_like_wrong_ones(
    client, alice, standing
):
    """Otherwise the limit would tell that the account exists and the password is right."""
    User.objects.update(standing=standing)
    password = PASSWORD if standing == Standing.SUSPENDED else "not the password"

    answers = [refusal_of(sign_in(client, alice.email, password)) for _ in range(6)]

    assert answers == [[REFUSAL]] * 5 + [[LIMIT]]


def test_an_address_without_a_proper_form_is_said_to_be_one(client):
    """D1-T6"""
    response = sign_in(client, "alice")

    assert response.context["form"].errors == {"login": ["Invalid email"]}


def test_empty_fields_are_asked_for(client):
    """D0-24"""
    response = sign_in(client, "", "")

    assert response.context["form"].errors == {
        "login": ["Enter your email address"],
        "password": ["Enter your password"],
    }


@pytest.mark.parametrize("typed", ["x" * 10_000, "a\x00b", "' OR 1=1 --"])
@pytest.mark.plan("SEC-B1")
def test_nonsense_is_refused_on_the_page(client, alice, typed):
    assert sign_in(client, typed, typed).status_code == 200
    assert sign_in(client, alice.email, typed).status_code == 200
    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C5")
def test_signing_in_changes_the_session_key(client, alice):
    session = client.session
    session["before"] = "known to an attacker"
    session.save()
    known = session.session_key

    sign_in(client, alice.email)

    assert client.session.session_key != known
    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C5")
def test_the_code_of_a_sign_up_changes_the_session_key(client, mails):
    sign_up(client)
    known = client.session.session_key

    type_code(client, code_in(mails[0]))

    assert client.session.session_key != known


@pytest.mark.parametrize(("remember", "lasts"), [("on", True), ("", False)])
def test_a_session_outlives_the_browser_only_when_asked_to(client, alice, remember, lasts):
    sign_in(client, alice.email, remember=remember)

    assert bool(client.cookies["sessionid"]["max-age"]) == lasts


@pytest.mark.parametrize("door", ["account_login", "account_signup"])
def test_who_is_signed_in_already_goes_home(login, alice, door):
    response = login(alice).get(reverse(door))

    assert response.headers["Location"] == "/tickets/"


FOREIGN = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "//localhost:9/",
    "http://localhost/",
    "%2f%2fevil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
]


@pytest.mark.parametrize("where", FOREIGN)
@pytest.mark.plan("SEC-B15")
def test_signing_in_never_leads_to_another_site(client, alice, where):
    response = client.post(
        reverse("account_login", query={"next": where}),
        {"login": alice.email, "password": PASSWORD},
    )

    assert response.headers["Location"] == "/tickets/"


@pytest.mark.plan("SEC-B15")
def test_signing_in_leads_to_the_page_that_was_asked_for(client, alice):
    asked = client.get("/tickets/?tab=all")
    page = client.get(asked.headers["Location"])
    response = client.post(asked.headers["Location"], {"login": alice.email, "password": PASSWORD})

    assert "you land on the page you asked for" in page.text
    assert response.headers["Location"] == "/tickets/?tab=all"


def test_who_waits_for_approval_lands_on_the_waiting_page_whatever_they_asked_for(client, pete):
    response = client.post(
        reverse("account_login", query={"next": "/workspace/"}),
        {"login": pete.email, "password": PASSWORD},
    )

    assert response.headers["Location"] == reverse("account_waiting")


def test_a_request_for_json_gets_the_page_like_everybody(client, alice):
    """The library would answer programs otherwise; every door less is one less to guard."""
    response = client.post(
        reverse("account_login"),
        {"login": alice.email, "password": "not the password"},
        headers={"accept": "application/json", "x-requested-with": "XMLHttpRequest"},
    )

    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("referer", "after"),
    [
        ("http://testserver/account/privacy/?a=1", "?next=/account/privacy/%3Fa%3D1"),
        ("http://elsewhere.example/account/privacy/", ""),
        ("", ""),
    ],
)
def test_a_button_pressed_after_the_session_ended_leads_back_to_its_page(client, referer, after):
    """P14: what a button sends has no page of its own to come back to."""
    answer = client.post(reverse("account_export"), headers={"referer": referer})

    assert answer.url == reverse("account_login") + after


def test_the_address_of_a_button_says_what_it_is(login, alice):
    answer = login(alice).get(reverse("account_export"))

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "It belongs to a button" in answer.text

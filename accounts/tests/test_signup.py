from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.forms.doors import SignupForm
from accounts.models import Application, Role, Standing, User

from .doors import CODE_PAGE, NEW_PERSON, code_in, sign_in, sign_up, signed_in_id, type_code

pytestmark = pytest.mark.django_db
ROLES = ["customer", "agent", "admin"]


def errors_of(response):
    return {name: list(words) for name, words in response.context["form"].errors.items()}


def test_signing_up_makes_an_account_that_waits_for_its_code(client, mails):
    """D1-1, D1-T5, D4-1: names, address, password and role; nothing is open before the code."""
    response = sign_up(client)

    john = User.objects.get()
    assert (john.first_name, john.last_name, john.email) == ("John", "Doe", "john@example.org")
    assert (john.role, john.standing) == (Role.CUSTOMER, Standing.UNCLAIMED)
    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert [(mail.email, mail.user) for mail in mails] == [("john@example.org", john)]
    assert signed_in_id(client) is None


def test_the_code_lets_a_customer_in_and_leads_home(client, mails):
    """D0-T3, D4-1: sign-up and confirmation end at the customer's own tickets."""
    sign_up(client)

    response = type_code(client, code_in(mails[0]))

    assert response.headers["Location"] == reverse("tickets:list")
    assert User.objects.get().standing == Standing.ACTIVE
    assert signed_in_id(client) == str(User.objects.get().pk)


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_staff_wait_for_approval_once_their_address_is_confirmed(client, mails, role):
    """D1-2, D2-3: a registering agent or administrator is a request."""
    sign_up(client, role=role)
    assert not Application.objects.exists()

    response = type_code(client, code_in(mails[0]))

    assert response.headers["Location"] == reverse("account_waiting")
    assert User.objects.get().standing == Standing.PENDING
    assert list(Application.objects.values_list("role", "decided_at")) == [(role, None)]


@pytest.mark.parametrize("role", ROLES)
def test_the_two_passwords_must_agree(client, role):
    """D1-T1, D1-T30"""
    response = sign_up(client, role=role, password2="three other words")

    assert errors_of(response) == {"password2": ["Passwords do not match!"]}
    assert not User.objects.exists()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("email", ["john", "john@", "@example.org", "john@example", "a b@c.org"])
def test_an_address_needs_its_form(client, role, email):
    """D1-T2, D1-T29"""
    response = sign_up(client, role=role, email=email)

    assert errors_of(response) == {"email": ["Invalid email"]}
    assert not User.objects.exists()


def test_a_password_has_at_least_eight_characters(client):
    """D1-T4, D1-12: seven are refused, eight are enough."""
    refused = sign_up(client, password1="aXuq7!z", password2="aXuq7!z")
    assert errors_of(refused) == {"password1": ["Passwords must be at least 8 characters long!"]}

    sign_up(client, password1="aXuq7!zP", password2="aXuq7!zP")
    assert User.objects.get().check_password("aXuq7!zP")


@pytest.mark.parametrize("password", ["password123", "Jonathan1", "john1@example.org"])
@pytest.mark.plan("SEC-C10")
def test_a_password_anybody_would_guess_is_refused(client, password):
    response = sign_up(
        client,
        first_name="Jonathan",
        email="john1@example.org",
        password1=password,
        password2=password,
    )

    assert list(errors_of(response)) == ["password1"]


@pytest.mark.plan("SEC-C10")
def test_a_long_password_of_any_characters_works(client, mails):
    password = ("пароль 🔑 " * 13)[:128]

    sign_up(client, password1=password, password2=password)

    assert sign_in(client, "john@example.org", password).status_code == 302


def test_a_short_first_name_is_advised_against_and_accepted(client):
    """D1-T3: the words are advice, as there are people called O."""
    page = client.get(reverse("account_signup"))
    assert "First name should be at least 3 characters long!" in page.text

    sign_up(client, first_name="O", last_name="")

    assert User.objects.get().get_full_name() == "O"


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("role", "", "Choose how you will use the registry"),
        ("first_name", "", "Enter your first name"),
        ("first_name", "   ", "Enter your first name"),
        ("email", "", "Enter your email address"),
        ("email", "   ", "Enter your email address"),
        ("password1", "", "Enter a password"),
        ("password2", "", "Enter the password again"),
    ],
)
def test_what_is_missing_is_asked_for(client, field, typed, words):
    """D0-24: the error says what to do."""
    response = sign_up(client, **{field: typed})

    assert words in errors_of(response)[field]
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["role", "first_name", "last_name", "email", "password1"])
@pytest.mark.parametrize("typed", ["x" * 10_000, "a\x00b", "a" * 250 + "@example.org"])
@pytest.mark.plan("SEC-B1")
def test_too_much_or_unprintable_is_an_error_beside_its_field(client, field, typed):
    response = sign_up(client, **{field: typed})

    assert response.status_code == 200
    assert field in errors_of(response)
    assert not User.objects.exists()


@pytest.mark.parametrize("mark", ["\n", "\x07", "\x85", "\u2028", "\u202e"])
@pytest.mark.plan("SEC-B3")
def test_a_name_has_no_control_characters(client, mark):
    response = sign_up(client, first_name=f"Jo{mark}hn")

    assert errors_of(response) == {"first_name": ["Remove the invisible characters"]}


@pytest.mark.parametrize("name", ["Zoë", "O’Brien", "محمد", "太郎", "<b>Bob</b>", "{{ 7 }}"])
@pytest.mark.plan("SEC-B2")
def test_a_name_is_kept_as_it_was_typed(client, mails, name):
    sign_up(client, first_name=name)

    assert User.objects.get().first_name == name


def test_what_was_typed_is_kept_but_for_the_passwords(client):
    response = sign_up(client, role="agent", email="not an address")

    assert response.text.count("not an address") == 1
    assert 'value="John"' in response.text
    assert NEW_PERSON["password1"] not in response.text
    assert "<title>Error: " in response.text
    form = response.context["form"]
    assert form["role"].value() == "agent"


@pytest.mark.plan("SEC-A7")
def test_nobody_writes_more_than_the_form_asks(client):
    sign_up(client, standing="active", is_superuser="1", is_demo="1", is_staff="1", id="7")

    john = User.objects.get()
    assert (john.standing, john.is_superuser, john.is_demo) == (Standing.UNCLAIMED, False, False)


def test_a_role_nobody_offered_is_refused(client):
    response = sign_up(client, role="superuser")

    assert errors_of(response) == {"role": ["Choose how you will use the registry"]}


@pytest.mark.parametrize("standing", Standing.values)
def test_an_address_has_one_account(client, mails, alice, standing):
    """D0-T6: no second account; a neutral page, and a mail to the owner whatever their standing."""
    User.objects.update(standing=standing)

    response = sign_up(client, email="Alice@Example.org")

    assert User.objects.get() == alice
    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert [(mail.kind, mail.email) for mail in mails] == [
        ("account_already_exists", "alice@example.org")
    ]


def test_an_address_taken_a_moment_ago_has_one_account(client, mails, alice, monkeypatch):
    """Two forms that both looked before either wrote: the second gets the neutral answer."""
    monkeypatch.setattr(SignupForm, "validate_unique_email", lambda form, email: email)

    response = sign_up(client, email=alice.email)

    assert User.objects.get() == alice
    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert [mail.kind for mail in mails] == ["account_already_exists"]


def test_a_form_sent_twice_by_one_browser_makes_one_account_and_one_mail(client, mails):
    sign_up(client)

    again = sign_up(client)

    assert again.headers["Location"] == reverse(CODE_PAGE)
    assert User.objects.count() == 1
    assert len(mails) == 1


def test_who_left_before_the_code_signs_in_for_another(client, mails):
    sign_up(client)
    client.cookies.clear()

    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        response = sign_in(client, "john@example.org")
    type_code(client, code_in(mails[1]))

    assert response.headers["Location"] == reverse(CODE_PAGE)
    assert User.objects.get().standing == Standing.ACTIVE


def test_a_second_browser_with_the_same_address_is_asked_to_wait(client, mails):
    sign_up(client)
    client.cookies.clear()

    response = sign_up(client)

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "look in your email first" in response.text
    assert len(mails) == 1

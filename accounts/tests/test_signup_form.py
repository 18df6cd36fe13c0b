"""What may be typed to sign up, and what is said when it may not."""

import pytest
from django.urls import reverse

from accounts.models import SignUp, Standing, User

from .doors import NEW_PERSON, code_in, sign_in, sign_up, signed_in_id, type_code

pytestmark = pytest.mark.django_db
ROLES = ["customer", "agent", "admin"]


def errors_of(response):
    return {name: list(words) for name, words in response.context["form"].errors.items()}


def join(client, mails, **changes) -> User:
    """Sign up, type the code and be somebody."""
    sign_up(client, **changes)
    type_code(client, code_in(mails[-1]))
    return User.objects.get(email=(NEW_PERSON | changes)["email"].lower())


@pytest.mark.parametrize("role", ROLES)
def test_the_two_passwords_must_agree(client, role):
    """D1-T1, D1-T30"""
    response = sign_up(client, role=role, password2="three other words")

    assert errors_of(response) == {"password2": ["Passwords do not match!"]}
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("email", ["john", "john@", "@example.org", "john@example", "a b@c.org"])
def test_an_address_needs_its_form(client, role, email):
    """D1-T2, D1-T29"""
    response = sign_up(client, role=role, email=email)

    assert errors_of(response) == {"email": ["Invalid email"]}
    assert not SignUp.objects.exists()


def test_a_password_has_at_least_eight_characters(client):
    """D1-T4, D1-12: seven are refused, eight are enough."""
    refused = sign_up(client, password1="aXuq7!z", password2="aXuq7!z")
    assert errors_of(refused) == {"password1": ["Passwords must be at least 8 characters long!"]}

    sign_up(client, password1="aXuq7!zP", password2="aXuq7!zP")
    assert SignUp.objects.get().has_password("aXuq7!zP")


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

    join(client, mails, password1=password, password2=password)
    client.post(reverse("account_logout"))
    sign_in(client, "john@example.org", password)

    assert signed_in_id(client) is not None


def test_a_short_first_name_is_advised_against_and_accepted(client, mails):
    """D1-T3, D1-T28: the words are advice, as there are people called O and nothing else."""
    page = client.get(reverse("account_signup"))
    assert "First name should be at least 3 characters long!" in page.text

    assert join(client, mails, first_name="O", last_name="").get_full_name() == "O"


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
        ("agree", "", "Agree to the terms and to how your data are used"),
    ],
)
def test_what_is_missing_is_asked_for(client, field, typed, words):
    """D0-24: the error says what to do."""
    response = sign_up(client, **{field: typed})

    assert words in errors_of(response)[field]
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("field", ["role", "first_name", "last_name", "email", "password1"])
@pytest.mark.parametrize("typed", ["x" * 10_000, "a\x00b", "a" * 250 + "@example.org"])
@pytest.mark.plan("SEC-B1")
def test_too_much_or_unprintable_is_an_error_beside_its_field(client, field, typed):
    response = sign_up(client, **{field: typed})

    assert response.status_code == 200
    assert field in errors_of(response)
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("mark", ["\n", "\x07", "\x85", "\u2028", "\u202e"])
@pytest.mark.plan("SEC-B3")
def test_a_name_has_no_control_characters(client, mark):
    response = sign_up(client, first_name=f"Jo{mark}hn")

    assert errors_of(response) == {"first_name": ["Remove the invisible characters"]}


NAMES = [
    "Z", "Zoë", "O’Brien", "x" * 150, "தமிழ்ச்செல்வி", "محمد", "太郎", "🦊", "<b>Bob</b>", "{{ 7 }}",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.plan("SEC-B2")
def test_a_name_is_kept_as_it_was_typed(client, mails, name):
    """D1-1: one letter, 150 letters, any script."""
    john = join(client, mails, first_name=name, last_name=name)

    assert (john.first_name, john.last_name) == (name, name)


def test_a_name_of_more_than_150_letters_is_an_error(client):
    response = sign_up(client, first_name="x" * 151)

    assert errors_of(response) == {"first_name": ["Use 150 characters or less"]}


def test_an_address_is_the_same_however_it_is_capitalised(client, mails):
    """Mixed case: one account."""
    john = join(client, mails, email="John.Doe@Example.ORG")

    assert john.email == "john.doe@example.org"
    client.post(reverse("account_logout"))
    sign_in(client, "JOHN.doe@example.org")
    assert signed_in_id(client) == str(john.pk)


def test_an_address_with_a_plus_sign_is_an_account_of_its_own(client, mails, alice):
    other = join(client, mails, email="alice+shop@example.org")

    assert other != alice
    assert other.email == "alice+shop@example.org"


def test_what_was_typed_is_kept_but_for_the_passwords(client):
    response = sign_up(client, role="agent", email="not an address")

    assert response.text.count("not an address") == 1
    assert "checked" in str(response.context["form"]["agree"])
    assert 'value="John"' in response.text
    assert NEW_PERSON["password1"] not in response.text
    assert "<title>Error: " in response.text
    form = response.context["form"]
    assert form["role"].value() == "agent"


@pytest.mark.plan("SEC-A7")
def test_nobody_writes_more_than_the_form_asks(client, mails):
    more = {"standing": "active", "is_superuser": "1", "is_demo": "1", "is_staff": "1", "id": "7"}
    john = join(client, mails, role="agent", **more)

    assert (john.standing, john.is_superuser, john.is_demo) == (Standing.PENDING, False, False)


def test_a_role_nobody_offered_is_refused(client):
    response = sign_up(client, role="superuser")

    assert errors_of(response) == {"role": ["Choose how you will use the registry"]}

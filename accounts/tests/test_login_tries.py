"""How often somebody may try to sign in, and who is never shut out."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

from .doors import ask_for_reset, code_in, from_, sign_in, signed_in_id, type_code
from .factories import PASSWORD

pytestmark = pytest.mark.django_db


HOUR = timedelta(hours=1)
LOGIN_CODE = "account_request_login_code"


def fail(times, email, *, address="192.0.2.1", client=None):
    client = client or Client(REMOTE_ADDR=address)
    return [sign_in(client, email, "not the password").status_code for _ in range(times)]


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.plan("SEC-C2")
@pytest.mark.plan("SEC-I12")
def test_the_sixth_wrong_password_waits(alice, now, email):
    """The same for an address without an account. What was typed stays in its field."""
    assert fail(5, email) == [200] * 5

    refused = sign_in(from_("192.0.2.1"), email, "not the password")

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "300"
    assert list(refused.context["form"].non_field_errors()) == [
        "Too many tries. Wait 5 minutes, then try again. Or let us email you a sign-in code"
    ]
    assert f'value="{email}"' in refused.text


@pytest.mark.plan("SEC-C2")
def test_the_right_password_waits_as_well_and_then_lets_in(alice, now):
    """P10: nobody is locked out for good."""
    fail(5, alice.email)
    client = from_("192.0.2.1")

    assert sign_in(client, alice.email).status_code == 429
    now.shift(300)
    sign_in(client, alice.email)

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_the_owner_gets_in_from_elsewhere_meanwhile(alice, now):
    fail(5, alice.email)
    client = from_("192.0.2.2")

    sign_in(client, alice.email)

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_a_success_forgives_the_mistakes_before_it(alice, now):
    fail(4, alice.email)
    sign_in(from_("192.0.2.1"), alice.email)

    assert fail(5, alice.email) == [200] * 5


@pytest.mark.plan("SEC-C2")
def test_somebody_elses_success_forgives_nothing(alice, carol, now):
    """Who guesses can't wash the count away with an account of their own."""
    fail(5, alice.email)
    sign_in(from_("192.0.2.1"), carol.email)

    assert fail(1, alice.email) == [429]


@pytest.mark.plan("SEC-C2")
def test_an_account_is_guarded_against_many_addresses(settings, alice, now):
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")

    assert fail(1, alice.email, address="192.0.2.99") == [429]
    assert sign_in(from_("192.0.2.98"), "nobody@example.org").status_code == 200


@pytest.mark.plan("SEC-C2")
def test_a_browser_the_owner_has_used_is_not_shut_out_by_strangers(settings, alice, now):
    """P10: what all the world shares, strangers can use up day after day."""
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    at_home = from_("198.51.100.7")
    sign_in(at_home, alice.email)
    at_home.post(reverse("account_logout"))
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")

    assert sign_in(from_("198.51.100.8"), alice.email).status_code == 429
    sign_in(at_home, alice.email)
    assert signed_in_id(at_home) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_nor_is_a_new_browser_in_a_network_the_owner_has_used(settings, alice, now):
    """P10"""
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    sign_in(from_("198.51.100.7"), alice.email)
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")
    new_browser = from_("198.51.100.7")

    assert sign_in(from_("198.51.100.8"), alice.email).status_code == 429
    sign_in(new_browser, alice.email)
    assert signed_in_id(new_browser) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_an_address_can_not_try_every_account(settings, now):
    settings.LIMITS = settings.LIMITS | {"sign_in_address": (6, HOUR)}
    for number in range(6):
        fail(1, f"somebody{number}@example.org")

    assert fail(1, "another@example.org") == [429]
    assert fail(1, "another@example.org", address="192.0.2.2") == [200]


@pytest.mark.plan("SEC-C2")
def test_the_door_by_code_stays_open_when_the_one_by_password_is_shut(alice, mails, now):
    fail(5, alice.email)
    client = from_("192.0.2.1")

    client.post(reverse(LOGIN_CODE), {"email": alice.email})
    type_code(client, code_in(mails[0]), "account_confirm_login_code")

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_a_new_password_opens_the_door_at_once(alice, mails, now):
    fail(5, alice.email)
    client = from_("192.0.2.1")
    ask_for_reset(client, alice.email)
    type_code(client, code_in(mails[0]), "account_confirm_password_reset_code")
    new = {"password1": "four entirely other words", "password2": "four entirely other words"}
    client.post(reverse("account_complete_password_reset"), new)

    sign_in(client, alice.email, new["password1"])

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_the_current_password_can_not_be_guessed_in_an_open_browser(login, alice, now):
    client = login(alice)
    typed = {"password1": "four entirely other words", "password2": "four entirely other words"}
    page = reverse("account_change_password")

    answers = [client.post(page, typed | {"oldpassword": "a guess"}) for _ in range(6)]
    right = client.post(page, typed | {"oldpassword": PASSWORD})

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert right.status_code == 429
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    "broken",
    [
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://[::1]:1"},
        {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    ],
)
def test_limits_hold_while_there_is_no_cache(settings, alice, now, broken):
    """P10"""
    settings.CACHES = {"default": broken}

    assert fail(6, alice.email) == [200] * 5 + [429]

"""How often somebody may ask for a code by mail."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import limits
from accounts.devices import recognise

from .doors import ask_for_reset, from_, sign_in, sign_up

pytestmark = pytest.mark.django_db


HOUR = timedelta(hours=1)
LOGIN_CODE = "account_request_login_code"


DOORS = {
    "reset": lambda client, email: ask_for_reset(client, email),
    "sign-in code": lambda client, email: client.post(reverse(LOGIN_CODE), {"email": email}),
    "sign-up": lambda client, email: sign_up(client, email=email),
}


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
@pytest.mark.plan("SEC-I12")
def test_the_next_code_waits_a_minute(alice, mails, now, door, email):
    door(Client(), email)
    sent = len(mails)
    now.shift(18)

    refused = door(Client(), email)
    now.shift(42)
    allowed = door(Client(), email)

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "42"
    assert "look in your email first" in refused.text
    assert "ask for another in 42 seconds" in refused.text
    assert f'value="{email}"' in refused.text
    assert allowed.status_code == 302
    assert len(mails) == sent * 2


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
def test_an_inbox_gets_five_codes_an_hour_whoever_asks(alice, now, door, email):
    answers = []
    for number in range(6):
        answers.append(door(from_(f"192.0.2.{number}"), email))
        now.shift(60)

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == str(55 * 60)
    now.shift(54 * 60)
    assert door(from_("192.0.2.9"), email).status_code == 302


@pytest.mark.plan("SEC-C4")
def test_the_doors_share_what_an_inbox_gets(alice, mails, now):
    """P13"""
    for door in (*DOORS.values(), *DOORS.values()):
        door(Client(), alice.email)
        now.shift(60)

    assert len(mails) == 5


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
def test_an_address_makes_us_write_twenty_mails_an_hour(settings, now, door):
    settings.LIMITS = settings.LIMITS | {"code_address": (4, HOUR)}

    answers = [door(from_("192.0.2.1"), f"a{n}@example.org").status_code for n in range(5)]

    assert answers == [302] * 4 + [429]
    assert door(from_("192.0.2.2"), "b@example.org").status_code == 302


@pytest.mark.plan("SEC-C4")
def test_a_browser_the_owner_has_used_gets_codes_though_strangers_used_them_up(alice, mails, now):
    """P10"""
    at_home = Client()
    sign_in(at_home, alice.email)
    at_home.post(reverse("account_logout"))
    for number in range(6):
        ask_for_reset(from_(f"192.0.2.{number}"), alice.email)
        now.shift(60)
    sent = len(mails)

    assert ask_for_reset(from_("192.0.2.99"), alice.email).status_code == 429
    assert ask_for_reset(at_home, alice.email).status_code == 302
    assert len(mails) == sent + 1


def test_somebody_elses_browser_is_a_stranger(rf, alice, carol):
    request, response = rf.get("/"), Client().get(reverse("account_login"))
    recognise(request, response, alice)
    request.COOKIES["device"] = response.cookies["device"].value
    request.META["REMOTE_ADDR"] = "192.0.2.1"  # and in another network than before

    assert limits.sign_in(request, alice.email)[1].who[1]
    assert limits.sign_in(request, carol.email)[1].who[1] == ""

"""The authenticator app: set up, asked for at every door, each code once (SEC-C17)."""

import base64
import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factors
from accounts.models import LoginRecord

from .doors import sign_in, signed_in_id
from .factor_tools import code_of, give_app, second_step, to_second_step
from .factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C17")]

SET_UP = reverse("account_add_app")
OVERVIEW = reverse("account_second_factor")


def secret_on(page):
    return re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page.text)[1]


def set_up(client, **changes):
    secret = secret_on(client.get(SET_UP))
    form = {"code": code_of(secret), "password": PASSWORD} | changes
    return secret, client.post(SET_UP, form)


# --- Setting it up ---------------------------------------------------------------


def test_setting_up_an_app(login, mails, alice):
    browser = login(alice)

    _secret, answer = set_up(browser)

    assert answer.headers["Location"] == reverse("account_recovery_codes")
    assert [factors.name_of(each) for each in factors.of(alice)] == ["Authenticator app"]
    noted = alice.account_events.order_by("pk").values_list("kind", "by", "data")
    assert list(noted) == [
        ("factor_added", alice.pk, {"type": "totp"}),
        ("codes_made", alice.pk, {}),
    ]
    assert [(mail.kind, mail.email) for mail in mails] == [("factor_added", alice.email)]
    assert "Authenticator app" in mails[0].text
    assert "http://localhost" in mails[0].text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "000000"}, "Invalid code!"),
        ({"code": ""}, "Enter the code"),
        ({"code": "١٢٣٤٥٦"}, "Invalid code!"),
        ({"password": "not my password"}, "Check your current password"),
        ({"password": ""}, "Enter your current password"),
    ],
)
def test_it_takes_a_code_of_the_app_and_the_password(login, alice, changes, words):
    browser = login(alice)

    secret, page = set_up(browser, **changes)

    assert words in page.text
    assert secret_on(page) == secret  # the app need not be set up again
    assert not factors.of(alice).exists()


def test_the_picture_holds_what_the_text_says(login, alice):
    page = login(alice).get(SET_UP)

    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page.text)[1]
    assert base64.b64decode(picture).startswith(b"<svg")
    address = re.search(r'href="(otpauth://[^"]+)"', page.text)[1]
    assert f"secret={secret_on(page)}" in address
    assert "issuer=Customer%20Care%20Registry" in address
    assert "no-store" in page.headers["Cache-Control"]


def test_there_is_one_app_at_a_time(login, alice):
    give_app(alice)

    assert login(alice).get(SET_UP).headers["Location"] == OVERVIEW
    assert factors.add_app(alice, "A" * 32, "123456") is False
    assert factors.of(alice).count() == 1


@pytest.mark.plan("P9")
def test_no_secret_is_in_the_database_as_it_is(login, alice):
    """Neither while it is set up nor afterwards."""
    browser = login(alice)
    secret = secret_on(browser.get(SET_UP))
    assert secret not in str(dict(browser.session))

    browser.post(SET_UP, {"code": code_of(secret), "password": PASSWORD})

    kept = str(list(Authenticator.objects.values_list("data")))
    assert secret not in kept
    assert not any(code in kept for code in factors.codes_of(alice))


@pytest.mark.plan("P9")
def test_secrets_survive_a_change_of_the_key_while_the_old_one_is_named(client, settings, alice):
    secret = give_app(alice)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, long enough " * 3
    to_second_step(client, alice)
    assert "Invalid code!" in second_step(client, code_of(secret)).text

    settings.SECRET_KEY_FALLBACKS = [old]

    assert second_step(client, code_of(secret)).status_code == 302


# --- Signing in --------------------------------------------------------------------


def test_the_password_is_only_the_first_step(client, alice):
    secret = give_app(alice)
    to_second_step(client, alice)
    assert signed_in_id(client) is None
    assert client.get("/tickets/").status_code == 302

    answer = second_step(client, code_of(secret))

    assert answer.headers["Location"] == "/tickets/"
    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C5")
def test_the_second_step_gets_a_new_session_key(client, alice):
    secret = give_app(alice)
    to_second_step(client, alice)
    before = client.session.session_key

    second_step(client, code_of(secret))

    assert client.session.session_key != before


def test_a_code_with_blanks_is_the_same_code(client, alice):
    secret = give_app(alice)
    to_second_step(client, alice)
    code = code_of(secret)

    assert second_step(client, f"{code[:3]} {code[3:]}").status_code == 302


@pytest.mark.parametrize("later", [0, 29, 31, 59])
def test_a_code_works_once(client, alice, later):
    """Also in another browser, and for as long as a slow clock could still show it."""
    secret = give_app(alice)
    with time_machine.travel(timezone.now().replace(second=0, microsecond=0), tick=False) as clock:
        code = code_of(secret)
        assert factors.use_code(alice, code).type == "totp"

        clock.shift(timedelta(seconds=later))
        to_second_step(client, alice)
        page = second_step(client, code)

    assert "Invalid code!" in page.text
    assert signed_in_id(client) is None


def test_the_code_that_set_it_up_is_used_up(login, client, alice):
    secret, _answer = set_up(login(alice))

    assert factors.use_code(alice, code_of(secret)) is None
    assert factors.use_code(alice, code_of(secret, steps=1)) is not None


def test_what_was_used_is_remembered_in_the_database_alone(alice):
    """No cache has to be shared by the processes, or can lose it."""
    secret = give_app(alice)
    factors.use_code(alice, code_of(secret))
    cache.clear()

    assert factors.use_code(alice, code_of(secret)) is None


@pytest.mark.parametrize(("steps", "is_good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_clocks_may_be_one_step_apart(alice, steps, is_good):
    secret = give_app(alice)

    with time_machine.travel(timezone.now(), tick=False):
        found = factors.use_code(alice, code_of(secret, steps=steps))

    assert (found is not None) == is_good


def test_a_code_of_somebody_else_is_no_good(alice, carol):
    give_app(alice)
    other = give_app(carol)

    assert factors.use_code(alice, code_of(other)) is None


def test_wrong_codes_are_limited_but_not_for_good(client, alice):
    secret = give_app(alice)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        to_second_step(client, alice)
        tries = [second_step(client, "000000").status_code for _ in range(5)]
        assert tries == [200] * 5

        page = second_step(client, code_of(secret))
        assert page.status_code == 429
        assert "Wait 5 minutes" in page.text
        assert page.headers["Retry-After"] == "300"

        clock.shift(timedelta(minutes=5))
        assert second_step(client, code_of(secret)).status_code == 302


def test_good_codes_count_for_nothing(client, alice):
    give_app(alice)
    for code in factors.codes_of(alice)[:7]:
        to_second_step(client, alice)
        assert second_step(client, code).status_code == 302
        client.post(reverse("account_logout"))


def test_a_stranger_with_the_password_does_not_keep_the_owner_out(client, alice):
    """A browser that has signed in before has tries of its own."""
    secret = give_app(alice)
    to_second_step(client, alice)
    second_step(client, code_of(secret, steps=-1))
    client.post(reverse("account_logout"))
    stranger = Client()
    to_second_step(stranger, alice)
    for _ in range(5):
        second_step(stranger, "000000")
    assert second_step(stranger, "000000").status_code == 429

    to_second_step(client, alice)

    assert second_step(client, code_of(secret)).status_code == 302


def test_a_wrong_code_is_in_the_record_of_sign_ins(client, alice):
    give_app(alice)
    to_second_step(client, alice)

    second_step(client, "000000")

    assert [record.kind for record in alice.login_records.all()] == [LoginRecord.Kind.REFUSED]


def test_the_second_step_cannot_be_taken_alone(client):
    answer = client.get(reverse("mfa_authenticate"))

    assert answer.headers["Location"] == reverse("account_login")


def test_one_can_go_back_and_begin_as_somebody_else(client, alice, carol):
    give_app(alice)
    secret = give_app(carol)
    to_second_step(client, alice)
    assert client.get(reverse("account_login")).status_code == 200

    to_second_step(client, carol)
    second_step(client, code_of(secret))

    assert signed_in_id(client) == str(carol.pk)


def test_who_asked_for_a_page_lands_there(client, alice):
    secret = give_app(alice)
    sign_in(client, alice.email, next="/tickets/new/")

    assert second_step(client, code_of(secret)).headers["Location"] == "/tickets/new/"


def test_the_console_has_the_same_door(client, ada):
    """SEC-C2, D0-2: /admin/ asks nobody in by itself."""
    secret = give_app(ada)
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[0][0] == "/account/login/?next=/admin/"
    answer = client.post("/admin/login/", {"username": ada.email, "password": PASSWORD})
    assert signed_in_id(client) is None

    sign_in(client, ada.email, next="/admin/")
    assert client.get("/admin/").status_code == 302

    assert second_step(client, code_of(secret)).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


# --- Looking after it ------------------------------------------------------------


def test_the_security_page_says_what_there_is(login, alice):
    browser = login(alice)
    assert "None: your password alone lets you in" in browser.get("/account/security/").text

    give_app(alice)

    page = browser.get("/account/security/")
    assert "Authenticator app" in page.text
    assert f'href="{OVERVIEW}"' in page.text


def remove_page(person):
    return reverse("account_remove_factor", args=[factors.app_of(person).pk])


def test_removing_an_app_takes_the_password(login, mails, alice):
    give_app(alice)
    browser, page = login(alice), remove_page(alice)
    assert "Check your current password" in browser.post(page, {"password": "wrong"}).text
    assert factors.of(alice).exists()

    browser.post(page, {"password": PASSWORD})

    assert not Authenticator.objects.filter(user=alice).exists()  # the recovery codes neither
    kinds = [event.kind for event in alice.account_events.order_by("pk")]
    assert kinds == ["factor_added", "codes_made", "factor_removed"]
    assert mails[-1].kind == "factor_removed"
    assert sign_in(browser, alice.email).headers["Location"] == "/tickets/"


def test_the_app_of_another_does_not_exist(login, alice, carol):
    give_app(carol)

    answer = login(alice).post(remove_page(carol), {"password": PASSWORD})

    assert answer.status_code == 404
    assert factors.of(carol).exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_overview_costs_the_same_however_many(
    login, alice, django_assert_max_num_queries, count
):
    for number in range(count):
        Authenticator.objects.create(
            user=alice, type="webauthn", data={"name": f"Key {number}", "credential": {}}
        )
    browser = login(alice)
    browser.get(OVERVIEW)

    with django_assert_max_num_queries(6):
        page = browser.get(OVERVIEW)

    assert page.text.count("Passkey, set up on") == count

"""Recovery codes: for whoever does not have the rest of their second factor with them (SEC-C17)."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factors

from .doors import signed_in_id
from .factor_tools import code_of, give_app, second_step, to_second_step
from .factories import PASSWORD
from .test_second_factor import set_up

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C17")]

SHOWN = reverse("account_recovery_codes")
FILE = reverse("account_download_codes")
RENEW = reverse("account_renew_codes")
OVERVIEW = reverse("account_second_factor")


def as_shown(codes):
    return [f"{code[:4]} {code[4:]}" for code in codes]


def test_the_first_factor_brings_ten_codes(login, alice):
    browser = login(alice)
    set_up(browser)

    page = browser.get(SHOWN)

    codes = factors.codes_of(alice)
    assert len(set(codes)) == 10
    assert all(code in page.text for code in as_shown(codes))
    assert "no-store" in page.headers["Cache-Control"]


def test_they_can_be_downloaded(login, alice):
    browser = login(alice)
    set_up(browser)

    file = browser.get(FILE)

    assert file.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    lines = file.text.splitlines()
    assert lines[0] == "Recovery codes for Customer Care Registry. Each works once."
    assert lines[2:12] == as_shown(factors.codes_of(alice))


@pytest.mark.parametrize("page", [SHOWN, FILE])
def test_once_kept_they_are_never_shown_again(login, alice, page):
    browser = login(alice)
    set_up(browser)
    assert browser.get(page).status_code == 200

    browser.post(SHOWN)

    assert browser.get(page).headers["Location"] == OVERVIEW


@pytest.mark.parametrize("page", [SHOWN, FILE])
def test_no_other_session_sees_them(login, alice, page):
    set_up(login(alice))
    elsewhere = Client()
    elsewhere.force_login(alice)

    assert elsewhere.get(page).headers["Location"] == OVERVIEW


def test_a_code_lets_its_owner_in_once(client, mails, alice):
    give_app(alice)
    code = factors.codes_of(alice)[3]
    to_second_step(client, alice)

    answer = second_step(client, f"{code[:4]} {code[4:]}")

    assert answer.headers["Location"] == "/tickets/"
    assert signed_in_id(client) == str(alice.pk)
    assert factors.count_codes(alice) == 9
    assert (mails[-1].kind, mails[-1].email) == ("recovery_code_used", alice.email)
    assert "9 are left" in mails[-1].text
    assert code not in mails[-1].text

    other = Client()
    to_second_step(other, alice)
    assert "Invalid code!" in second_step(other, code).text
    assert signed_in_id(other) is None


def test_each_code_works(alice):
    give_app(alice)

    used = [factors.use_code(alice, code).type for code in factors.codes_of(alice)]

    assert used == ["recovery_codes"] * 10
    assert factors.codes_of(alice) == []


def test_a_code_of_somebody_else_is_no_good(alice, carol):
    give_app(alice)
    give_app(carol)

    assert factors.use_code(alice, factors.codes_of(carol)[0]) is None


def test_guessing_them_is_limited_like_any_code(client, alice):
    """And does not keep the owner out for good."""
    give_app(alice)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        to_second_step(client, alice)
        for _ in range(5):
            second_step(client, "00000000")
        assert second_step(client, factors.codes_of(alice)[0]).status_code == 429

        clock.shift(timedelta(minutes=5))

        assert second_step(client, factors.codes_of(alice)[0]).status_code == 302


def test_an_app_of_the_same_account_keeps_working(alice):
    secret = give_app(alice)
    factors.use_code(alice, factors.codes_of(alice)[0])

    assert factors.use_code(alice, code_of(secret)).type == "totp"


def test_new_codes_end_the_old_ones(login, mails, alice):
    give_app(alice)
    old = factors.codes_of(alice)
    browser = login(alice)
    assert "Check your current password" in browser.post(RENEW, {"password": "wrong"}).text
    assert factors.codes_of(alice) == old

    answer = browser.post(RENEW, {"password": PASSWORD})

    assert answer.headers["Location"] == SHOWN
    new = factors.codes_of(alice)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert factors.use_code(alice, old[0]) is None
    assert mails[-1].kind == "recovery_codes_made"
    assert not any(code in mails[-1].text for code in new)


@pytest.mark.plan("SEC-H6")
def test_each_making_is_in_the_account_history(login, alice):
    """That they were made, when and by whom; never a code."""
    give_app(alice)
    browser = login(alice)
    browser.post(RENEW, {"password": "wrong"})
    browser.post(RENEW, {"password": PASSWORD})

    lines = alice.account_events.filter(kind="codes_made").values_list("by", "reason", "data")
    assert list(lines) == [(alice.pk, "", {})] * 2


def test_codes_left_over_from_an_earlier_factor_end_with_the_next(alice):
    """Whoever took a stranger's passkey away must not live with the stranger's codes."""
    give_app(alice)
    old = factors.codes_of(alice)
    factors.of(alice).delete()

    give_app(alice)

    assert not set(factors.codes_of(alice)) & set(old)


def test_a_second_factor_more_changes_no_codes(alice):
    give_app(alice)
    before = factors.codes_of(alice)

    assert factors.add_passkey(alice, "Key", {}) is False
    assert factors.codes_of(alice) == before


def test_there_are_none_without_a_factor(login, alice):
    answer = login(alice).post(RENEW, {"password": PASSWORD})

    assert answer.headers["Location"] == OVERVIEW
    assert not Authenticator.objects.exists()


def test_the_overview_says_how_many_are_left(login, alice):
    give_app(alice)
    for code in factors.codes_of(alice)[:9]:
        factors.use_code(alice, code)

    assert "1 is left" in login(alice).get(OVERVIEW).text

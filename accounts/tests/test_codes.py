from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import Standing, User

from .doors import (
    CODE_PAGE,
    ask_for_reset,
    code_in,
    sign_in,
    sign_up,
    signed_in_id,
    type_code,
    wrong,
)

pytestmark = pytest.mark.django_db

RESET_PAGE = "account_confirm_password_reset_code"
NEW_PASSWORD_PAGE = "account_complete_password_reset"


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def ask_for_code(client, page, person):
    """Make ``page`` wait for a code: of a sign-up, or of a forgotten password."""
    return sign_up(client) if page == CODE_PAGE else ask_for_reset(client, person.email)


def ask_for_another(client, page, person):
    if page == CODE_PAGE:
        return sign_in(client, "john@example.org")
    return ask_for_reset(client, person.email)


def is_through(client, page):
    """Whether the code of ``page`` was accepted."""
    if page == CODE_PAGE:
        return signed_in_id(client) is not None
    return client.get(reverse(NEW_PASSWORD_PAGE)).status_code == 200


both_pages = pytest.mark.parametrize("page", [CODE_PAGE, RESET_PAGE])


@both_pages
@pytest.mark.plan("SEC-C3")
def test_a_code_has_eight_digits_and_is_never_the_same(client, mails, alice, page):
    """D1-T70"""
    ask_for_code(client, page, alice)
    client.cookies.clear()
    with after(minutes=1):
        ask_for_another(client, page, alice)

    codes = [code_in(mail) for mail in mails]
    assert [(len(code), code.isdecimal()) for code in codes] == [(8, True)] * 2
    assert codes[0] != codes[1]


@both_pages
@pytest.mark.parametrize("shape", ["{0}", "{1} {2}", "{1}-{2}", "  {0}  "])
def test_a_code_is_accepted_however_people_space_it(client, mails, alice, page, shape):
    """D1-T72"""
    ask_for_code(client, page, alice)
    code = code_in(mails[0])

    type_code(client, shape.format(code, code[:4], code[4:]), page)

    assert is_through(client, page)


@both_pages
def test_a_wrong_code_is_said_to_be_wrong(client, mails, alice, page):
    """D1-T71"""
    ask_for_code(client, page, alice)

    response = type_code(client, wrong(code_in(mails[0])), page)

    assert response.context["form"].errors == {"code": ["Invalid code!"]}
    assert "<title>Error: " in response.text
    assert not is_through(client, page)


@both_pages
@pytest.mark.parametrize("typed", ["", "x" * 10_000, "a\x00b", "١٢٣٤٥٦٧٨", "' OR 1=1 --"])
@pytest.mark.plan("SEC-B1")
def test_nonsense_is_an_error_beside_the_field(client, mails, alice, page, typed):
    ask_for_code(client, page, alice)

    response = type_code(client, typed, page)

    assert list(response.context["form"].errors) == ["code"]


@both_pages
@pytest.mark.parametrize(("wrong_tries", "works"), [(4, True), (5, False)])
@pytest.mark.plan("SEC-C3")
def test_a_code_can_be_tried_five_times(client, mails, alice, page, wrong_tries, works):
    """D1-T71: four mistakes and the right one are five; after five mistakes the code is dead."""
    ask_for_code(client, page, alice)
    code = code_in(mails[0])

    for _ in range(wrong_tries):
        response = type_code(client, wrong(code), page)
    last = type_code(client, code, page)

    assert is_through(client, page) == works
    if not works:
        assert response.headers["Location"] == last.headers["Location"] == "/account/login/"
        assert "Too many tries" in client.get("/account/login/").text


@both_pages
@pytest.mark.parametrize(("minutes", "works"), [(9, True), (11, False)])
@pytest.mark.plan("SEC-C3")
def test_a_code_works_for_ten_minutes(client, mails, alice, page, minutes, works):
    ask_for_code(client, page, alice)

    with after(minutes=minutes):
        response = type_code(client, code_in(mails[0]), page)
        assert is_through(client, page) == works
        if not works:
            landed = client.get(response.headers["Location"])
            assert "That code has expired" in landed.text


@both_pages
@pytest.mark.plan("SEC-C3")
def test_a_code_works_only_in_the_browser_that_asked(client, mails, alice, page):
    ask_for_code(client, page, alice)
    client.cookies.clear()

    type_code(client, code_in(mails[0]), page)

    assert not is_through(client, page)


@pytest.mark.plan("SEC-C3")
def test_a_code_lets_in_once(client, mails):
    sign_up(client)
    code = code_in(mails[0])
    type_code(client, code)
    client.post(reverse("account_logout"))

    type_code(client, code)

    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C3")
def test_a_new_code_cancels_the_old_one(client, mails):
    sign_up(client)
    with after(minutes=1):
        client.post(reverse(CODE_PAGE), {"action": "resend"})

        type_code(client, code_in(mails[0]))
        assert signed_in_id(client) is None

        type_code(client, code_in(mails[1]))
        assert signed_in_id(client) is not None


def test_a_new_code_has_ten_minutes_of_its_own(client, mails):
    sign_up(client)
    with after(minutes=9):
        client.post(reverse(CODE_PAGE), {"action": "resend"})
    with after(minutes=18):
        type_code(client, code_in(mails[1]))

    assert signed_in_id(client) is not None
    assert [mail.expires_at > timezone.now() + timedelta(minutes=15) for mail in mails] == [
        False,
        True,
    ]


def test_asking_again_at_once_is_answered_with_patience(client, mails):
    sign_up(client)

    response = client.post(reverse(CODE_PAGE), {"action": "resend"}, follow=True)

    assert "Wait a few seconds, then ask for another code" in response.text
    assert len(mails) == 1
    type_code(client, code_in(mails[0]))
    assert signed_in_id(client) is not None


def test_who_mistyped_the_address_starts_again(client, mails):
    sign_up(client, email="jhon@example.org")
    page = client.get(reverse(CODE_PAGE))
    assert f'action="{reverse("account_logout")}"' in page.text

    again = client.post(reverse("account_logout"), {"next": reverse("account_signup")})
    form = client.get(again.headers["Location"])

    assert form.status_code == 200
    assert sign_up(client).headers["Location"] == reverse(CODE_PAGE)
    assert User.objects.filter(standing=Standing.UNCLAIMED).count() == 2


def test_nobody_gets_a_code_page_without_asking(client, login, alice):
    assert client.get(reverse(CODE_PAGE)).headers["Location"] == "/account/login/"
    assert client.get(reverse(RESET_PAGE)).headers["Location"] == "/account/login/"
    assert login(alice).get(reverse(CODE_PAGE)).headers["Location"] == "/"

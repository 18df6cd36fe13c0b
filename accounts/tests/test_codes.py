"""The codes of a forgotten password and of a sign-in. The sign-up's are in test_signup.py."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from .doors import ask_for_reset, code_in, signed_in_id, type_code, wrong
from .factories import make_user

pytestmark = pytest.mark.django_db

RESET_PAGE = "account_confirm_password_reset_code"
LOGIN_PAGE = "account_confirm_login_code"
NEW_PASSWORD_PAGE = "account_complete_password_reset"
STARTS = {RESET_PAGE: "account_reset_password", LOGIN_PAGE: "account_request_login_code"}


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def ask_for_code(client, page, person):
    """Make ``page`` wait for a code."""
    return client.post(reverse(STARTS[page]), {"email": person.email})


def is_through(client, page):
    """Whether the code of ``page`` was accepted."""
    if page == LOGIN_PAGE:
        return signed_in_id(client) is not None
    return client.get(reverse(NEW_PASSWORD_PAGE)).status_code == 200


def resend(client, page):
    return client.post(reverse(page), {"action": "resend"})


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


both_pages = pytest.mark.parametrize("page", [RESET_PAGE, LOGIN_PAGE])


@both_pages
@pytest.mark.plan("SEC-C3")
def test_a_code_has_eight_digits_and_is_never_the_same(client, mails, alice, page):
    """D1-T70"""
    ask_for_code(client, page, alice)
    with after(minutes=1):
        ask_for_code(Client(), page, alice)

    codes = [code_in(mail) for mail in mails]
    assert [(len(code), code.isdecimal()) for code in codes] == [(8, True)] * 2
    assert codes[0] != codes[1]


@both_pages
def test_the_mail_of_a_code_has_nothing_to_click(client, mails, alice, page):
    """Whoever is used to codes is not used to links that ask for them."""
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        ask_for_code(client, page, alice)

    assert code_in(mails[0]) in mails[0].text
    assert "http" not in mails[0].text
    assert mails[0].expires_at == now + timedelta(minutes=10)


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
    type_code(client, code, page)

    assert is_through(client, page) == works
    if not works:
        assert response.status_code == 302
        assert "Too many tries. Ask for a new code" in client.get(reverse("account_login")).text


@pytest.mark.django_db(transaction=True)
@both_pages
@pytest.mark.plan("SEC-C3")
def test_guesses_at_the_same_moment_are_five_as_well(mails, page, settings):
    """P10: each of them would count from the same number, if the session did the counting."""
    alice = make_user("Alice")
    first = Client()
    ask_for_code(first, page, alice)
    code = code_in(mails[0])
    typed = [wrong(code)] * 11 + [code]
    barrier, answers = Barrier(len(typed)), []

    def guess(guessed):
        browser = Client()
        browser.cookies["sessionid"] = first.cookies["sessionid"].value
        barrier.wait()
        answers.append(type_code(browser, guessed, page).status_code)
        connection.close()

    for guessed in (typed[:11], typed[11:]):  # the right one comes when five are used up
        barrier = Barrier(len(guessed))
        threads = [Thread(target=guess, args=[each]) for each in guessed]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers.count(200) <= 5
    assert not is_through(first, page)


@both_pages
@pytest.mark.parametrize(("minutes", "works"), [(9, True), (11, False)])
@pytest.mark.plan("SEC-C3")
def test_a_code_works_for_ten_minutes(client, mails, alice, page, minutes, works):
    ask_for_code(client, page, alice)

    with after(minutes=minutes):
        response = type_code(client, code_in(mails[0]), page)
        assert is_through(client, page) == works
        if not works:
            assert response.headers["Location"] == reverse(STARTS[page])
            assert "That code has expired" in client.get(reverse(STARTS[page])).text


@both_pages
@pytest.mark.plan("SEC-C3")
def test_a_code_works_only_in_the_browser_that_asked(client, mails, alice, page):
    ask_for_code(client, page, alice)
    other = Client()

    response = type_code(other, code_in(mails[0]), page)

    assert told(response) == ["That code was used or has expired. Ask for a new one"]
    assert not is_through(other, page)


@pytest.mark.plan("SEC-C3")
def test_a_sign_in_code_lets_in_once(client, mails, alice):
    ask_for_code(client, LOGIN_PAGE, alice)
    code = code_in(mails[0])
    type_code(client, code, LOGIN_PAGE)
    client.post(reverse("account_logout"))

    response = type_code(client, code, LOGIN_PAGE)

    assert told(response) == ["That code was used or has expired. Ask for a new one"]
    assert signed_in_id(client) is None


@pytest.mark.plan("SEC-C3")
def test_a_reset_code_changes_one_password(client, mails, alice):
    ask_for_code(client, RESET_PAGE, alice)
    code = code_in(mails[0])
    type_code(client, code, RESET_PAGE)
    new = {"password1": "four entirely other words", "password2": "four entirely other words"}
    client.post(reverse(NEW_PASSWORD_PAGE), new)

    type_code(client, code, RESET_PAGE)

    assert not is_through(client, RESET_PAGE)


@both_pages
@pytest.mark.plan("SEC-C3")
def test_a_new_code_cancels_the_old_one(client, mails, alice, page):
    ask_for_code(client, page, alice)
    with after(minutes=1):
        answer = resend(client, page)

        assert answer.headers["Location"] == reverse(page)
        assert told(answer) == ["Another code is on its way. Use the newest one"]
        type_code(client, code_in(mails[0]), page)
        assert not is_through(client, page)
        type_code(client, code_in(mails[1]), page)
        assert is_through(client, page)


@both_pages
def test_a_new_code_has_ten_minutes_and_five_tries_of_its_own(client, mails, alice, page):
    ask_for_code(client, page, alice)
    for _ in range(4):
        type_code(client, wrong(code_in(mails[0])), page)
    with after(minutes=9):
        resend(client, page)
    with after(minutes=18):
        for _ in range(4):
            type_code(client, wrong(code_in(mails[1])), page)
        type_code(client, code_in(mails[1]), page)
        assert is_through(client, page)


@both_pages
@pytest.mark.plan("SEC-C3")
@pytest.mark.plan("SEC-C4")
def test_the_next_code_waits_a_minute_and_the_page_says_so(client, mails, alice, page):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        ask_for_code(client, page, alice)
    with time_machine.travel(now + timedelta(seconds=18), tick=False):
        shown = client.get(reverse(page))
        refused = resend(client, page)

    assert 'data-wait="42"' in shown.text
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "42"
    assert "You can ask for another in 42 seconds" in refused.text
    assert refused.context["form"].errors == {}
    assert len(mails) == 1
    type_code(client, code_in(mails[0]), page)
    assert is_through(client, page)


@both_pages
def test_after_that_the_page_just_offers_another(client, alice, page):
    ask_for_code(client, page, alice)

    with after(minutes=1):
        shown = client.get(reverse(page))

    assert "data-wait" not in shown.text
    assert 'name="action" value="resend"' in shown.text


@both_pages
def test_nobody_gets_a_code_page_without_asking(client, login, alice, page):
    assert client.get(reverse(page)).headers["Location"] == "/account/login/"
    assert login(alice).get(reverse(page)).headers["Location"] == "/account/login/"


def test_a_code_is_of_no_use_on_another_page(client, mails, alice):
    ask_for_reset(client, alice.email)

    type_code(client, code_in(mails[0]), LOGIN_PAGE)

    assert signed_in_id(client) is None

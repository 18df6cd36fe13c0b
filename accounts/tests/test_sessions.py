"""Where somebody is signed in: seen, and ended from elsewhere with its sockets."""

import pytest
from allauth.usersessions.models import UserSession
from channels.db import database_sync_to_async as in_thread
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.urls import reverse

from accounts import sign_ins, signed_in
from accounts.models import LoginRecord, User
from accounts.views import security
from messaging import live
from messaging.tests.sockets import PageSocket, use_a_layer_of_its_own

from .browsers import ANDROID, FIREFOX, IPHONE
from .doors import sign_in, signed_in_id
from .factories import PASSWORD

pytestmark = pytest.mark.django_db

PAGE = reverse("account_security")
OTHERS = reverse("account_end_other_sessions")
LIST = "/ws/tickets/"
NEW_PASSWORD = "four quite small words"


def browser_of(person, user_agent=FIREFOX):
    browser = Client(headers={"user-agent": user_agent})
    sign_in(browser, person.email)
    return browser


def session_of(browser):
    return UserSession.objects.get(session_key=browser.session.session_key)


def end(browser, session):
    return browser.post(reverse("account_end_session", args=[session.pk]))


def is_in(browser):
    return browser.get("/account/security/").status_code == 200


# --- The security page ------------------------------------------------------------


def test_one_sees_where_one_is_signed_in(alice, carol):
    """This device first, then the newest; nobody else's."""
    phone = browser_of(alice, IPHONE)
    browser_of(carol, ANDROID)
    browser_of(alice, FIREFOX)

    page = phone.get(PAGE)

    shown = [(place.device, place.icon, place.is_here) for place in page.context["places"]]
    assert shown == [
        ("Safari on iPhone", "phone", True),
        ("Firefox on Windows", "laptop", False),
    ]
    assert page.text.count("This device") == 1
    assert "Sign out everywhere else" in page.text


def test_who_is_signed_in_once_has_nothing_to_end(alice):
    page = browser_of(alice).get(PAGE).text

    assert "Firefox on Windows" in page
    assert "Sign out everywhere else" not in page
    assert "/end/" not in page


def test_what_ended_is_listed_no_more(alice):
    phone, laptop = browser_of(alice, IPHONE), browser_of(alice, FIREFOX)
    phone.post(reverse("account_logout"))

    assert [place.device for place in laptop.get(PAGE).context["places"]] == ["Firefox on Windows"]


def test_what_ran_out_is_listed_no_more(alice):
    phone, laptop = browser_of(alice, IPHONE), browser_of(alice, FIREFOX)
    session = phone.session
    session.set_expiry(-1)
    session.save()

    assert [place.device for place in laptop.get(PAGE).context["places"]] == ["Firefox on Windows"]


@pytest.mark.plan("SEC-B14")
def test_looking_writes_nothing(alice):
    browser = browser_of(alice)
    before = list(UserSession.objects.values()), list(LoginRecord.objects.values())

    browser.get(PAGE)

    assert (list(UserSession.objects.values()), list(LoginRecord.objects.values())) == before


def test_the_page_costs_the_same_with_more_sessions(alice, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(security, "ROWS", [])  # what others add is not about sessions
    browser = browser_of(alice)
    browser.get(PAGE)
    with django_assert_num_queries(4):  # session, person, sessions, bell
        browser.get(PAGE)
    browser_of(alice, IPHONE)
    browser_of(alice, ANDROID)

    with django_assert_num_queries(4):
        assert len(browser.get(PAGE).context["places"]) == 3


def test_the_password_row_says_when_it_was_changed(login, alice):
    browser = login(alice)
    assert "Not changed yet" in browser.get(PAGE).text
    User.objects.update(password_changed_at="2026-06-02T12:00:00Z")

    page = browser.get(PAGE).text

    assert "Changed on 2 June 2026" in page
    assert f'href="{reverse("account_change_password")}"' in page


def test_who_has_no_password_can_choose_one(login, alice):
    alice.set_unusable_password()
    alice.save()

    page = login(alice).get(PAGE).text

    assert f'href="{reverse("account_reset_password")}"' in page
    assert f'href="{reverse("account_change_password")}"' not in page


def test_the_page_leads_on(login, alice):
    page = login(alice).get(PAGE).text

    for name in ("account_sign_ins", "account_privacy"):
        assert f'href="{reverse(name)}"' in page


def test_other_parts_add_what_their_rows_need(login, alice, monkeypatch):
    monkeypatch.setattr(security, "ROWS", [lambda request: {"for_row": request.user.email}])

    assert login(alice).get(PAGE).context["for_row"] == alice.email


# --- Ended from elsewhere ---------------------------------------------------------


@pytest.mark.plan("SEC-C6")
def test_one_session_is_ended_and_no_other(alice):
    phone, laptop, tablet = (browser_of(alice) for _ in range(3))

    answer = end(phone, session_of(laptop))

    assert answer.headers["Location"] == PAGE
    assert "That device is signed out." in phone.get(PAGE).text
    assert [is_in(browser) for browser in (phone, laptop, tablet)] == [True, False, True]


@pytest.mark.plan("SEC-C6")
def test_everywhere_else_is_every_session_but_this(alice, carol):
    phone, laptop, tablet, carols = *(browser_of(alice) for _ in range(3)), browser_of(carol)

    phone.post(OTHERS)

    ins = [is_in(browser) for browser in (phone, laptop, tablet, carols)]
    assert ins == [True, False, False, True]


@pytest.mark.plan("SEC-H6")
def test_an_ended_session_is_in_the_record(alice):
    phone, laptop = browser_of(alice, IPHONE), browser_of(alice, FIREFOX)

    end(phone, session_of(laptop))

    record = LoginRecord.objects.latest("pk")
    assert (record.user, record.kind, record.device) == (alice, "revoked", "Firefox on Windows")


@pytest.mark.plan("SEC-A2")
def test_nobody_ends_the_session_of_another(alice, carol):
    alices, carols = browser_of(alice), browser_of(carol)

    theirs = end(carols, session_of(alices))
    nothing = carols.post(reverse("account_end_session", args=[999_999]))

    assert (theirs.status_code, nothing.status_code) == (404, 404)
    assert is_in(alices)


def test_this_session_is_ended_by_signing_out_alone(alice):
    phone = browser_of(alice)

    assert end(phone, session_of(phone)).status_code == 404
    assert is_in(phone)


@pytest.mark.plan("SEC-B14")
def test_a_link_ends_no_session(alice):
    phone, laptop = browser_of(alice), browser_of(alice)
    one = reverse("account_end_session", args=[session_of(laptop).pk])

    assert [phone.get(url).status_code for url in (one, OTHERS)] == [405, 405]
    assert is_in(laptop)


def test_an_ended_session_does_not_come_back_with_what_it_was_doing(alice):
    """A request of it that was under way when it ended must not store it anew."""
    phone, laptop = browser_of(alice), browser_of(alice)
    under_way = laptop.session
    assert under_way["_auth_user_id"] == str(alice.pk)

    end(phone, session_of(laptop))

    under_way["late"] = True
    with pytest.raises(UpdateError):
        under_way.save()
    assert signed_in_id(laptop) is None


@pytest.mark.parametrize("name", ["pete", "ada", "bob"])
def test_every_role_has_the_page(request, name):
    """Also who waits for approval."""
    person = request.getfixturevalue(name)
    phone, laptop = browser_of(person), browser_of(person)

    assert phone.get(PAGE).status_code == 200
    phone.post(OTHERS)

    assert not is_in(laptop)


# --- Three browsers and a socket --------------------------------------------------


def change_password(browser, person):
    browser.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )


def end_others(browser, person):
    browser.post(OTHERS)


def say_it_was_not_me(browser, person):
    record = LoginRecord.objects.filter(user=person, kind="signed_in").latest("pk")
    browser.post(sign_ins.path_to_dispute(record))


def end_all(browser, person):
    signed_in.end(signed_in.sessions_of(person))


@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-C6")
@pytest.mark.plan("SEC-A13")
@pytest.mark.parametrize(
    ("act", "stays"),
    [
        (end_others, True),
        (change_password, False),  # D1-T40: this one too
        (say_it_was_not_me, False),
        (end_all, False),
    ],
)
async def test_the_other_browsers_and_their_sockets_are_out(
    alice, ticket, monkeypatch, settings, act, stays
):
    """Well within five seconds, and the person's own socket as the act says."""
    use_a_layer_of_its_own(settings)
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)
    mine, laptop, tablet = [await in_thread(browser_of)(alice) for _ in range(3)]
    path = f"{LIST}{ticket}/"
    sockets = [PageSocket(path, laptop), PageSocket(LIST, tablet)]
    own = PageSocket(LIST, mine)
    for socket in (*sockets, own):
        assert await socket.open() is None

    await in_thread(act)(mine, alice)

    assert [await socket.code() for socket in sockets] == [4403, 4403]
    assert [await in_thread(is_in)(browser) for browser in (laptop, tablet)] == [False, False]
    assert await PageSocket(LIST, laptop).open() == 4401
    assert await in_thread(is_in)(mine) == stays
    if not stays:
        assert await own.code() == 4403
    else:
        assert own.is_held
        await own.leave()

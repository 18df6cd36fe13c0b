"""An alert for a browser that was not seen before."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import retention, sign_ins
from accounts.devices import PEOPLE_EACH
from accounts.models import KnownDevice, LoginRecord, User
from notifications.mail import outbox
from notifications.models import Notification, Preference

from .browsers import FIREFOX
from .doors import sign_in, signed_in_id
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def alerts():
    return list(Notification.objects.filter(kind="new_device").values_list("recipient", "cause"))


def newest_sign_in():
    return LoginRecord.objects.filter(kind="signed_in").order_by("-pk").first()


# --- Who is alerted ---------------------------------------------------------------


def test_a_sign_in_with_another_browser_owes_an_alert(stranger, alice):
    """D0-8, D1-14"""
    record = newest_sign_in()

    assert record.is_new_device
    assert alerts() == [(alice.pk, f"login:{record.pk}")]


def test_the_first_sign_in_of_all_is_no_alert(alices_phone):
    assert not newest_sign_in().is_new_device
    assert alerts() == []


def test_a_browser_that_is_known_is_no_alert(alices_phone, alice):
    sign_in(alices_phone, alice.email)

    assert LoginRecord.objects.filter(kind="signed_in").count() == 2
    assert alerts() == []


def test_a_sign_in_after_years_without_one_is_an_alert(alice, client):
    """Though the records of then are gone by rule."""
    User.objects.update(last_login=timezone.now() - timedelta(days=900))

    sign_in(client, alice.email)

    assert len(alerts()) == 1


def test_a_browser_not_used_for_a_year_is_forgotten_and_new_again(alices_phone, alice):
    """Each sign-in begins the year anew."""
    begin = timezone.now()
    for days, count in ((200, 0), (400, 0), (766, 1)):
        with time_machine.travel(begin + timedelta(days=days)):
            list(retention.keep_rules())
            sign_in(alices_phone, alice.email)

        assert len(alerts()) == count


def test_two_people_share_a_browser(alices_phone, alice, carol):
    sign_in(alices_phone, carol.email)
    alices_phone.post(reverse("account_logout"))
    sign_in(alices_phone, alice.email)
    alices_phone.post(reverse("account_logout"))
    sign_in(alices_phone, carol.email)

    assert alerts() == []


@pytest.mark.plan("P9")
def test_a_token_made_for_another_person_says_nothing(alices_phone, alice, carol, client):
    """Otherwise who plants their own in a browser is known there for ever."""
    sign_in(client, carol.email)
    carols = client.cookies["device"].value
    browser = Client()
    browser.cookies["device"] = carols

    sign_in(browser, alice.email)

    assert alerts() == [(alice.pk, f"login:{newest_sign_in().pk}")]
    tokens = browser.cookies["device"].value.split(".")
    assert (tokens[0], len(tokens)) == (carols, 2)


@pytest.mark.plan("P9")
def test_the_token_is_long_and_only_its_hash_is_kept(alices_phone, alice):
    cookie = alices_phone.cookies["device"]

    assert len(cookie.value) >= 43  # 256 bits
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert int(cookie["max-age"]) > 365 * 24 * 3600
    (device,) = KnownDevice.objects.values_list("user", "token_hash")
    assert device[0] == alice.pk
    assert cookie.value not in device[1]


@pytest.mark.plan("SEC-C9")
def test_the_cookie_is_secure_where_sessions_are(alice, client, settings):
    settings.SESSION_COOKIE_SECURE = True
    settings.DEVICE_COOKIE_NAME = "__Host-device"

    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD}, secure=True)

    cookie = client.cookies["__Host-device"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_a_browser_remembers_a_few_people(alices_phone):
    for number in range(PEOPLE_EACH + 2):
        sign_in(alices_phone, make_user(f"Guest{number}").email)
        alices_phone.post(reverse("account_logout"))

    assert len(alices_phone.cookies["device"].value.split(".")) == PEOPLE_EACH


@pytest.mark.parametrize("cookie", ["", ".", "....", "x" * 4000, "a.b.c.d.e.f.g", "é"])
def test_a_broken_cookie_is_no_known_device(alices_phone, alice, cookie):
    browser = Client()
    browser.cookies["device"] = cookie

    sign_in(browser, alice.email)

    assert signed_in_id(browser) == str(alice.pk)
    assert len(alerts()) == 1


# --- The mail ---------------------------------------------------------------------


def test_the_mail_says_when_where_and_with_what(stranger, alice, mailoutbox):
    """D0-8, D1-11: in words and with a way to say that it was somebody else."""
    User.objects.update(time_zone="Asia/Tokyo")
    record = newest_sign_in()

    outbox.drain()

    (mail,) = [each for each in mailoutbox if "New sign-in" in each.subject]
    link = settings.SITE_URL + sign_ins.path_to_dispute(record)
    assert (mail.subject, mail.to) == ("New sign-in: Firefox on Windows", [alice.email])
    (page, kind), *_ = mail.alternatives
    assert kind == "text/html"
    for body in (mail.body, page):
        assert "Firefox on Windows" in body
        assert "127.0.0.1" in body
        assert f"{timezone.localtime(record.at, alice.__class__.objects.get().zone):%H:%M}" in body
        assert "Asia/Tokyo" in body or "JST" in body
        assert "This was not me" in body
        assert link in body


def test_nobody_can_switch_the_alert_off(alices_phone, alice, mailoutbox):
    """A stranger inside would do that first."""
    Preference.objects.create(user=alice, kind="new_device", is_wanted=False)

    sign_in(Client(headers={"user-agent": FIREFOX}), alice.email)
    outbox.drain()

    assert [mail.to for mail in mailoutbox if "New sign-in" in mail.subject] == [[alice.email]]

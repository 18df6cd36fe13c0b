"""An alert for a browser that was not seen before, and "this was not me"."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factors, retention, sign_ins
from accounts.devices import PEOPLE_EACH
from accounts.models import AccountEvent, KnownDevice, LoginRecord, Standing, User
from notifications.mail import outbox
from notifications.models import Notification, Preference

from .doors import code_in, sign_in, signed_in_id, type_code
from .factor_tools import code_of, give_app, second_step
from .factories import PASSWORD, make_user
from .test_sign_ins import FIREFOX, make_record

pytestmark = pytest.mark.django_db

CODE_PAGE = "account_confirm_password_reset_code"
NEW_PASSWORD = "four quite small words"


@pytest.fixture
def alices_phone(alice):
    """Where she signed in first."""
    browser = Client()
    sign_in(browser, alice.email)
    browser.post(reverse("account_logout"))
    return browser


@pytest.fixture
def stranger(alices_phone, alice):
    """Who knows her password."""
    browser = Client(headers={"user-agent": FIREFOX})
    sign_in(browser, alice.email)
    return browser


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


# --- This was not me --------------------------------------------------------------


def not_me(record=None):
    return sign_ins.path_to_dispute(record or newest_sign_in())


@pytest.mark.plan("SEC-C4")
@pytest.mark.plan("SEC-B14")
def test_opening_the_link_changes_nothing(stranger, alice):
    """Scanners open links in mail."""
    visitor = Client()

    for page in (visitor.get(not_me()), visitor.head(not_me())):
        assert page.status_code == 200
        assert page.headers["Cache-Control"].startswith("max-age=0")

    assert signed_in_id(stranger) == str(alice.pk)
    assert stranger.get("/tickets/").status_code == 200
    assert User.objects.get(pk=alice.pk).has_usable_password()


@pytest.mark.plan("SEC-C6")
def test_the_stranger_is_out_and_the_owner_chooses_a_new_password(stranger, alice, mails):
    """D0-8: by the link in the mail, in a browser that was never signed in."""
    owner = Client()

    answer = owner.post(not_me())

    assert answer.headers["Location"] == reverse(CODE_PAGE)
    assert stranger.get("/tickets/").status_code == 302
    sign_in(stranger, alice.email)
    assert signed_in_id(stranger) is None

    (mail,) = [mail for mail in mails if mail.kind == "password_reset_code"]
    assert mail.email == alice.email
    type_code(owner, code_in(mail), CODE_PAGE)
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    owner.post(reverse("account_complete_password_reset"), passwords)
    sign_in(owner, alice.email, NEW_PASSWORD)
    assert signed_in_id(owner) == str(alice.pk)


@pytest.mark.plan("SEC-C6")
def test_a_session_that_no_list_knows_ends_as_well(stranger, alice):
    old = Client()
    old.force_login(alice)

    Client().post(not_me())

    assert old.get("/tickets/").status_code == 302


def test_from_the_list_it_ends_this_session_too(stranger, alice, mails):
    """D0-8: "this was not me" ends the session and starts a reset."""
    phone = Client()
    sign_in(phone, alice.email)
    page = phone.get(reverse("account_sign_ins")).text
    record = LoginRecord.objects.filter(is_new_device=True).earliest("pk")
    assert f'href="{not_me(record)}"' in page

    answer = phone.post(not_me(record))

    assert answer.headers["Location"] == reverse(CODE_PAGE)
    assert signed_in_id(phone) is None
    assert phone.get(reverse(CODE_PAGE)).status_code == 200
    assert stranger.get("/tickets/").status_code == 302


def test_what_happened_is_written_down(stranger, alice):
    Client().post(not_me())

    kinds = LoginRecord.objects.filter(user=alice).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["signed_in", "signed_out", "signed_in", "revoked"]
    event = AccountEvent.objects.get(user=alice)
    assert (event.kind, event.by, event.data) == (
        "password_changed",
        alice,
        {"not_me": newest_sign_in().pk},
    )


def test_no_browser_is_known_any_more(stranger, alice):
    Client().post(not_me())

    assert not KnownDevice.objects.filter(user=alice).exists()


@pytest.mark.plan("SEC-C17")
def test_ways_in_that_were_added_since_are_closed(stranger, alice):
    """And none from before: they are the owner's, and a second factor must not be got rid of.

    But for recovery codes, which a stranger may have read or made.
    """
    Passkey = Authenticator.Type.WEBAUTHN
    before = newest_sign_in().at - timedelta(days=1)
    for created_at, kind in (
        (before, Passkey),
        (before, Authenticator.Type.TOTP),
        (before, Authenticator.Type.RECOVERY_CODES),
        (timezone.now(), Passkey),
    ):
        Authenticator.objects.create(user=alice, type=kind, data={}, created_at=created_at)
    SocialAccount.objects.create(user=alice, provider="google", uid="the stranger's")
    mine = SocialAccount.objects.create(user=alice, provider="google", uid="mine")
    SocialAccount.objects.filter(pk=mine.pk).update(date_joined=before)

    Client().post(not_me())

    kept = Authenticator.objects.order_by("pk").values_list("type", flat=True)
    assert list(kept) == ["webauthn", "totp"]
    assert list(SocialAccount.objects.values_list("uid", flat=True)) == ["mine"]
    noted = AccountEvent.objects.filter(user=alice).values_list("kind", "data__type")
    assert set(noted) == {
        ("password_changed", None),
        ("factor_removed", "webauthn"),
        ("factor_removed", "recovery_codes"),
        ("google_removed", None),
    }


@pytest.mark.plan("SEC-C17")
def test_the_strangers_recovery_codes_are_dead_and_the_owners_app_is_not(stranger, alice, mails):
    """Whoever got in may know them; the owner gets in by the app, and makes new ones."""
    secret = give_app(alice)
    stolen = factors.codes_of(alice)[0]
    owner = Client()
    owner.post(not_me())
    type_code(owner, code_in(mails[-1]), CODE_PAGE)
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    owner.post(reverse("account_complete_password_reset"), passwords)

    sign_in(stranger, alice.email, NEW_PASSWORD)
    assert "Invalid code!" in second_step(stranger, stolen).text
    sign_in(owner, alice.email, NEW_PASSWORD)
    second_step(owner, code_of(secret))

    assert signed_in_id(owner) == str(alice.pk)
    assert signed_in_id(stranger) is None
    owner.post(reverse("account_renew_codes"), {"password": NEW_PASSWORD})
    assert factors.count_codes(alice) == 10


@pytest.mark.plan("SEC-C17")
def test_a_strangers_passkey_leaves_no_second_step_behind(stranger, alice, mails):
    """It brought recovery codes: with those alone nobody but the stranger could come in."""
    factors.add_passkey(alice, "Stranger's", {})
    owner = Client()
    owner.post(not_me())
    type_code(owner, code_in(mails[-1]), CODE_PAGE)
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    owner.post(reverse("account_complete_password_reset"), passwords)

    sign_in(owner, alice.email, NEW_PASSWORD)

    assert signed_in_id(owner) == str(alice.pk)


@pytest.mark.plan("SEC-C4")
@pytest.mark.plan("P9")
def test_the_link_works_once(stranger, alice, mails):
    link = not_me()
    Client().post(link)
    User.objects.get(pk=alice.pk).set_password(PASSWORD)
    password = User.objects.values_list("password").get(pk=alice.pk)
    count = len(mails)

    again = Client().post(link)

    assert "This link has ended" in again.text
    assert User.objects.values_list("password").get(pk=alice.pk) == password
    assert len(mails) == count


@pytest.mark.plan("SEC-C4")
def test_the_link_works_though_the_stranger_changed_the_password(stranger, alice):
    alice.refresh_from_db()
    alice.set_password("chosen by the stranger")
    alice.save()
    stranger.force_login(alice)

    Client().post(not_me())

    assert stranger.get("/tickets/").status_code == 302
    assert not User.objects.get(pk=alice.pk).has_usable_password()


@pytest.mark.plan("SEC-C4")
@pytest.mark.parametrize(
    ("days", "words"), [(13, "Somebody signed in to your account"), (15, "This link has ended")]
)
def test_the_link_lasts_as_long_as_a_session_can(alice, days, words):
    record = make_record(alice, at=timezone.now() - timedelta(days=days))

    assert words in Client().get(not_me(record)).text


@pytest.mark.parametrize(
    "changes", [{"standing": Standing.SUSPENDED}, {"deleted_at": timezone.now()}]
)
@pytest.mark.plan("SEC-C7")
def test_the_link_is_dead_with_the_account(stranger, alice, mails, changes):
    User.objects.filter(pk=alice.pk).update(**changes)

    answer = Client().post(not_me())

    assert "This link has ended" in answer.text
    assert mails == []


def test_only_sign_ins_can_be_disputed(alice, login):
    refused = make_record(alice, LoginRecord.Kind.REFUSED)

    assert "This was not me" not in login(alice).get(reverse("account_sign_ins")).text
    assert "This link has ended" in Client().get(not_me(refused)).text


@pytest.mark.plan("P8")
@pytest.mark.plan("P9")
@pytest.mark.parametrize("token", ["{pk}", "{pk}:x", "x", ":", "{pk}:" + "A" * 43, "\x00", "é"])
def test_nobody_makes_such_a_link(stranger, alice, token):
    token = token.format(pk=newest_sign_in().pk)
    link = reverse("account_not_me", args=[token])

    assert Client().post(link).status_code == 404
    assert User.objects.get(pk=alice.pk).has_usable_password()


@pytest.mark.plan("P9")
def test_the_link_is_about_one_sign_in(stranger, alice, carol):
    signature = not_me().strip("/").rpartition(":")[2]
    forged = f"{make_record(carol).pk}:{signature}"

    assert Client().post(reverse("account_not_me", args=[forged])).status_code == 404


def test_another_person_in_that_browser_is_signed_out_of_it(stranger, alice, carol, mails):
    """It goes on as the owner's; Carol's other browsers have nothing to do with it."""
    browser, other = Client(), Client()
    sign_in(browser, carol.email)
    sign_in(other, carol.email)

    browser.post(not_me(LoginRecord.objects.get(user=alice, is_new_device=True)))

    assert signed_in_id(browser) is None
    assert signed_in_id(other) == str(carol.pk)
    assert other.get("/tickets/").status_code == 200
    assert EmailAddress.objects.filter(user=carol, verified=True).exists()

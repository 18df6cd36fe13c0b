"""“This was not me”: the link in the alert, and the one in the list of sign-ins."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factors, sign_ins
from accounts.models import AccountEvent, KnownDevice, LoginRecord, Standing, User

from .doors import code_in, sign_in, signed_in_id, type_code
from .factor_tools import code_of, give_app, second_step
from .factories import PASSWORD
from .test_sign_ins import make_record

pytestmark = pytest.mark.django_db


CODE_PAGE = "account_confirm_password_reset_code"
NEW_PASSWORD = "four quite small words"


def newest_sign_in():
    return LoginRecord.objects.filter(kind="signed_in").order_by("-pk").first()


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

"""The record of sign-ins: what is written, and who reads it."""

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import sign_ins
from accounts.devices import device_in_words, icon_of
from accounts.models import AccountEvent, LoginRecord, Standing, User
from accounts.records import note

from .browsers import ANDROID, FIREFOX, IPAD, IPHONE
from .doors import NEW_PERSON, code_in, sign_in, sign_up, type_code, wrong
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

Kind = LoginRecord.Kind
PAGE = reverse("account_sign_ins")


@pytest.fixture
def firefox(db):
    return Client(headers={"user-agent": FIREFOX})


def written(*fields):
    return list(LoginRecord.objects.order_by("pk").values_list(*fields))


def make_record(user, kind=Kind.SIGNED_IN, **fields):
    return LoginRecord.objects.create(user=user, kind=kind, **fields)


# --- What is written --------------------------------------------------------------


@pytest.mark.plan("SEC-H6")
def test_a_sign_in_is_written_down(firefox, alice):
    """D0-8: who, how, from where, with which device."""
    sign_in(firefox, alice.email)

    assert written("user", "kind", "method", "ip", "device", "is_new_device") == [
        (alice.pk, "signed_in", "password", "127.0.0.1", "Firefox on Windows", False)
    ]


@pytest.mark.plan("SEC-H6")
def test_a_refused_sign_in_is_written_down_for_its_owner(firefox, alice):
    """D0-8"""
    sign_in(firefox, "ALICE@example.org", "not the password")

    assert written("user", "kind", "method", "ip", "device") == [
        (alice.pk, "refused", "password", "127.0.0.1", "Firefox on Windows")
    ]


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.DECLINED])
def test_the_right_password_of_a_closed_account_is_a_refusal(client, alice, standing):
    User.objects.update(standing=standing)

    sign_in(client, alice.email)

    assert written("user", "kind") == [(alice.pk, "refused")]


def test_a_wrong_code_is_a_refusal(firefox, alice, mails):
    """D0-8"""
    firefox.post(reverse("account_request_login_code"), {"email": alice.email})
    page = "account_confirm_login_code"

    type_code(firefox, wrong(code_in(mails[0])), page)
    type_code(firefox, code_in(mails[0]), page)

    assert written("user", "kind", "method", "device") == [
        (alice.pk, "refused", "code", "Firefox on Windows"),
        (alice.pk, "signed_in", "code", "Firefox on Windows"),
    ]


def test_a_wrong_second_factor_is_a_refusal(rf, alice):
    """D0-8: who knows the password and no more is just whom the owner should hear of."""
    request = rf.get("/", headers={"user-agent": FIREFOX})

    authentication_failed.send(Authenticator, request=request, user=alice, authenticator=None)

    assert written("user", "kind", "method", "device") == [
        (alice.pk, "refused", "", "Firefox on Windows")
    ]


@pytest.mark.plan("SEC-H4")
@pytest.mark.parametrize("email", ["nobody@example.org", "alice@example.org"])
def test_no_address_and_no_password_is_kept(client, alice, email):
    sign_in(client, email, "canary-password-77")

    (record,) = LoginRecord.objects.values()
    kept = " ".join(map(str, record.values()))
    assert "canary" not in kept
    assert "@" not in kept
    assert record["user_id"] == (alice.pk if email == alice.email else None)


@pytest.mark.plan("SEC-H6")
def test_a_sign_out_is_written_down(firefox, alice):
    sign_in(firefox, alice.email)

    firefox.post(reverse("account_logout"))

    assert written("user", "kind", "device")[1:] == [(alice.pk, "signed_out", "Firefox on Windows")]


def test_who_was_not_in_leaves_no_sign_out(client, db):
    client.post(reverse("account_logout"))

    assert written("kind") == []


def test_the_end_of_a_sign_up_is_a_sign_in(client, mails):
    sign_up(client)
    type_code(client, code_in(mails[0]))

    user = User.objects.get(email=NEW_PERSON["email"])
    assert written("user", "kind", "method", "is_new_device") == [
        (user.pk, "signed_in", "sign_up", False)
    ]


@pytest.mark.parametrize(
    ("steps", "method"),
    [
        ([], "sign_up"),
        ([("password", {})], "password"),
        ([("password", {}), ("mfa", {"type": "totp"})], "password"),
        ([("code", {}), ("mfa", {"type": "webauthn"})], "code"),
        ([("socialaccount", {"provider": "google"})], "google"),
        ([("mfa", {"type": "webauthn", "passwordless": True})], "passkey"),
        ([("password", {}), ("code", {})], "code"),
    ],
)
def test_the_method_is_the_last_first_factor(rf, client, alice, steps, method):
    request = rf.get("/")
    request.session = client.session
    for name, more in steps:
        record_authentication(request, alice, name, **more)

    assert sign_ins.method_of(request, alice) == method


@pytest.mark.plan("P8")
def test_nobody_names_their_own_network_address(firefox, alice):
    """Proxies are believed by the web server alone, which then says REMOTE_ADDR."""
    forged = {
        "x-forwarded-for": "203.0.113.9",
        "x-real-ip": "203.0.113.9",
        "forwarded": "for=203.0.113.9",
        "cf-connecting-ip": "203.0.113.9",
    }

    firefox.post(
        reverse("account_login"), {"login": alice.email, "password": PASSWORD}, headers=forged
    )

    assert written("ip") == [("127.0.0.1",)]


@pytest.mark.plan("SEC-H6")
def test_a_record_is_never_changed(alice):
    record = make_record(alice)
    record.kind = Kind.REFUSED

    for change in (
        record.save,
        record.delete,
        lambda: LoginRecord.objects.update(kind=Kind.REFUSED),
        lambda: LoginRecord.objects.all().delete(),
    ):
        with pytest.raises(TypeError):
            change()

    assert written("pk", "kind") == [(record.pk, "signed_in")]


# --- The device in words ----------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "words", "icon"),
    [
        (FIREFOX, "Firefox on Windows", "laptop"),
        (IPHONE, "Safari on iPhone", "phone"),
        (IPAD, "Safari on iPad", "tablet"),
        (ANDROID, "Chrome on Android", "phone"),
        ("curl/8.5.0", "Unknown device", "laptop"),
        ("", "Unknown device", "laptop"),
        ("x" * 100_000, "Unknown device", "laptop"),
        ("<script>alert(1)</script>", "Unknown device", "laptop"),
        ("\u202e\x07" + FIREFOX, "Firefox on Windows", "laptop"),
    ],
)
def test_a_device_is_said_in_words(user_agent, words, icon):
    """D0-8"""
    assert (device_in_words(user_agent), icon_of(user_agent)) == (words, icon)


# --- Your sign-ins ----------------------------------------------------------------


def test_the_owner_reads_their_own_newest_first(login, alice, carol):
    """D0-8"""
    make_record(alice, Kind.REFUSED, method="password", device="Chrome on Android")
    make_record(alice, device="Firefox on Windows", ip="192.0.2.7", is_new_device=True)
    make_record(carol, device="Safari on iPad")

    page = login(alice).get(PAGE).text

    assert page.index("Firefox on Windows") < page.index("Chrome on Android")
    assert "192.0.2.7" in page
    assert "New device" in page
    assert "Refused" in page
    assert "Safari on iPad" not in page


def test_old_ones_follow_page_by_page(login, alice, monkeypatch):
    monkeypatch.setattr("accounts.views.security.PAGE_SIZE", 2)
    at = make_record(alice, device="Device 0").at
    for number in range(1, 5):  # all at the same moment: none is lost or shown twice
        make_record(alice, device=f"Device {number}", at=at)
    browser = login(alice)

    shown, page = [], browser.get(PAGE)
    while True:
        shown += [record.device for record, _ in page.context["records"]]
        if not page.context["older"]:
            break
        page = browser.get(PAGE, {"before": page.context["older"]})

    assert shown == [f"Device {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("before", "status"),
    [("", 200), ("x", 200), ("-1", 200), ("1.5", 200), ("٣", 404), ("9" * 40, 404), ("0", 404)],
)
@pytest.mark.plan("SEC-B11")
def test_a_strange_place_to_start_from_breaks_nothing(login, alice, before, status):
    assert login(alice).get(PAGE, {"before": before}).status_code == status


@pytest.mark.plan("SEC-A2")
def test_a_place_in_the_list_of_another_is_none(login, alice, carol):
    mine, theirs = make_record(alice), make_record(carol)
    browser = login(alice)

    assert browser.get(PAGE, {"before": mine.pk}).status_code == 200
    assert browser.get(PAGE, {"before": theirs.pk}).status_code == 404


def test_the_list_costs_the_same_with_more_records(login, alice, django_assert_num_queries):
    browser = login(alice)
    make_record(alice)
    browser.get(PAGE)
    with django_assert_num_queries(4):  # session, person, records, bell
        browser.get(PAGE)
    make_record(alice)
    make_record(alice)

    with django_assert_num_queries(4):
        assert len(browser.get(PAGE).context["records"]) == 3


def test_who_waits_reads_theirs_too(login, pete):
    make_record(pete, device="Firefox on Windows")

    assert "Firefox on Windows" in login(pete).get(PAGE).text


def test_nothing_yet(login, alice):
    assert "Nothing here yet" in login(alice).get(PAGE).text


@pytest.mark.plan("SEC-B4")
def test_what_a_browser_says_of_itself_is_only_words(login, alice):
    make_record(alice, device="<script>alert(1)</script>")

    page = login(alice).get(PAGE).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- Administrators ---------------------------------------------------------------

RECORDS = reverse("admin:accounts_loginrecord_changelist")
HISTORY = reverse("admin:accounts_accountevent_changelist")


def shown_to(browser, url, query):
    return set(browser.get(url, query).context["cl"].result_list)


@pytest.mark.plan("SEC-H6")
@pytest.mark.plan("SEC-A16")
@pytest.mark.parametrize("url", [RECORDS, HISTORY])
def test_administrators_find_the_records_of_one_person(login, ada, alice, carol, url):
    """D0-8: by the person's page, or by the address."""
    make = make_record if url == RECORDS else note
    kind = Kind.SIGNED_IN if url == RECORDS else AccountEvent.Kind.SUSPENDED
    more = {} if url == RECORDS else {"by": ada}
    alices, carols = make(alice, kind, **more), make(carol, kind, **more)
    browser = login(ada)

    assert shown_to(browser, url, {}) >= {alices, carols}
    assert shown_to(browser, url, {"user__id__exact": alice.pk}) == {alices}
    assert shown_to(browser, url, {"q": "ALICE@"}) == {alices}
    assert shown_to(browser, url, {"kind__exact": "erased", "q": "alice@"}) == set()


@pytest.mark.plan("SEC-H6")
@pytest.mark.parametrize("model", ["loginrecord", "accountevent"])
def test_nobody_changes_a_record_in_the_console(login, alice, model):
    """Append only, for superusers too: no form, no bulk action."""
    root = make_user("Root", role="admin", is_superuser=True)
    record = make_record(alice) if model == "loginrecord" else note(alice, "binned", by=root)
    browser = login(root)
    change = reverse(f"admin:accounts_{model}_change", args=[record.pk])
    many = {"action": "delete_selected", "_selected_action": [record.pk], "post": "yes"}

    assert browser.get(change).status_code == 200
    assert browser.post(change, {"kind": "erased"}).status_code == 403
    for verb, args in (("add", []), ("delete", [record.pk])):
        url = reverse(f"admin:accounts_{model}_{verb}", args=args)
        assert browser.post(url, {"post": "yes"}).status_code == 403
    browser.post(reverse(f"admin:accounts_{model}_changelist"), many)

    again = type(record).objects.get(pk=record.pk)
    assert (again.kind, again.at) == (record.kind, record.at)


@pytest.mark.parametrize("url", [RECORDS, HISTORY])
def test_the_console_costs_the_same_with_more_records(
    login, ada, alice, carol, django_assert_num_queries, url
):
    browser = login(ada)

    def add(person):
        make_record(person)
        note(person, AccountEvent.Kind.SUSPENDED, by=ada)

    add(alice)
    browser.get(url)
    with django_assert_num_queries(5):  # session, administrator, how many, which, bell
        browser.get(url)
    add(carol)
    add(alice)

    with django_assert_num_queries(5):
        browser.get(url)


def test_an_address_with_a_null_byte_is_refused_before_it_reaches_the_database(client, db):
    assert sign_in(client, "a\x00b@example.org").status_code == 200
    assert connection.is_usable()
    assert written("kind") == []


def test_the_library_believes_the_same_address_as_we_do(rf):
    request = rf.get("/", headers={"x-forwarded-for": "203.0.113.9"})

    assert get_adapter().get_client_ip(request) == "127.0.0.1"

"""Passkeys: instead of the password, or after it. The key is made of the library's own parts."""

import copy
import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts import factors
from accounts.models import LoginRecord, Standing

from .doors import signed_in_id
from .factor_tools import PRESENT, SecurityKey, give_app, to_second_step
from .factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-C17")]

ADD = reverse("account_add_passkey")
SIGN_IN = reverse("account_passkey_login")
SECOND_STEP = reverse("mfa_authenticate")
OVERVIEW = reverse("account_second_factor")
REFUSED = "That didn’t work. Try again, or sign in another way"


def options_on(page):
    return json.loads(html.unescape(re.search(r'data-options="([^"]+)"', page.text)[1]))


def add(browser, key, **changes):
    said = key.create(options_on(browser.get(ADD)))
    form = {"name": "Work laptop", "password": PASSWORD, "credential": json.dumps(said)}
    return browser.post(ADD, form | changes)


def give_key(person) -> SecurityKey:
    browser, key = Client(), SecurityKey()
    browser.force_login(person)
    assert add(browser, key).status_code == 302
    return key


def challenge(client):
    return client.post(SIGN_IN).json()


def sign_in_with(client, key, **more):
    said = key.get(challenge(client))
    return client.post(SIGN_IN, {"credential": json.dumps(said), **more})


# --- Adding one ------------------------------------------------------------------


def test_adding_a_passkey(login, mails, alice):
    browser = login(alice)

    answer = add(browser, SecurityKey())

    assert answer.headers["Location"] == reverse("account_recovery_codes")
    assert [factors.name_of(each) for each in factors.of(alice)] == ["Work laptop"]
    (line,) = alice.account_events.filter(kind="factor_added")
    assert line.data == {"type": "webauthn"}
    assert [mail.kind for mail in mails] == ["factor_added"]
    assert "Work laptop" in browser.get(OVERVIEW).text


def test_it_belongs_to_the_address_people_use(login, alice):
    """Not to the host that a request claims."""
    page = login(alice).get(ADD, headers={"host": "127.0.0.1"})

    options = options_on(page)
    assert options["rp"] == {"id": "localhost", "name": "Customer Care Registry"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "Check your current password"),
        ({"name": ""}, "Enter a name"),
        ({"credential": ""}, REFUSED),
    ],
)
def test_it_takes_a_name_and_the_password(login, alice, changes, words):
    page = add(login(alice), SecurityKey(), **changes)

    assert words in page.text
    assert not factors.of(alice).exists()


@pytest.mark.parametrize(
    "key",
    [
        SecurityKey(origin="https://evil.example"),
        SecurityKey(host="evil.example"),
        SecurityKey(flags=PRESENT),  # nobody's finger, face or PIN
    ],
    ids=["another origin", "another host", "nobody proved"],
)
def test_a_key_made_elsewhere_is_refused(login, alice, key):
    assert REFUSED in add(login(alice), key).text
    assert not factors.of(alice).exists()


def test_what_a_key_says_is_good_once(login, alice):
    browser, key = login(alice), SecurityKey()
    said = json.dumps(key.create(options_on(browser.get(ADD))))
    form = {"name": "One", "password": PASSWORD, "credential": said}
    assert browser.post(ADD, form).status_code == 302

    assert REFUSED in browser.post(ADD, form).text
    assert factors.of(alice).count() == 1


def test_there_is_an_end_to_passkeys(login, alice, monkeypatch):
    monkeypatch.setattr(factors, "MOST_PASSKEYS", 1)
    browser = login(alice)
    add(browser, SecurityKey())
    add(browser, SecurityKey())

    assert browser.get(ADD).headers["Location"] == OVERVIEW


# --- Instead of the password -------------------------------------------------------


def test_a_passkey_is_both_factors_at_once(client, alice):
    key = give_key(alice)
    before = client.session.session_key

    answer = sign_in_with(client, key)

    assert answer.headers["Location"] == "/tickets/"
    assert signed_in_id(client) == str(alice.pk)
    assert client.session.session_key != before
    assert alice.login_records.latest("at").method == LoginRecord.Method.PASSKEY


def test_it_leads_to_the_page_that_was_asked_for(client, alice):
    key = give_key(alice)

    answer = sign_in_with(client, key, next="/tickets/new/")

    assert answer.headers["Location"] == "/tickets/new/"


@pytest.mark.plan("SEC-B15")
def test_it_never_leads_to_another_site(client, alice):
    key = give_key(alice)

    assert (
        sign_in_with(client, key, next="https://evil.example/").headers["Location"] == "/tickets/"
    )


def test_an_answer_is_good_once(client, alice):
    key = give_key(alice)
    said = json.dumps(key.get(challenge(client)))
    assert client.post(SIGN_IN, {"credential": said}).headers["Location"] == "/tickets/"

    other = Client()
    challenge(other)
    assert other.post(SIGN_IN, {"credential": said}).headers["Location"] == "/account/login/"
    assert signed_in_id(other) is None


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.DECLINED])
@pytest.mark.plan("SEC-C7")
def test_who_is_shut_out_is_no_different_from_nobody(client, alice, standing):
    key = give_key(alice)
    alice.standing = standing
    alice.save()

    page = client.get(sign_in_with(client, key).headers["Location"])

    assert REFUSED in page.text
    assert signed_in_id(client) is None


def test_only_a_verified_person_needs_no_password(client, alice):
    key = give_key(alice)
    key.flags = PRESENT

    sign_in_with(client, key)

    assert signed_in_id(client) is None


def test_another_key_that_claims_to_be_theirs_is_refused(client, alice):
    key, forged = give_key(alice), SecurityKey()
    forged.id, forged.owner = key.id, key.owner

    sign_in_with(client, forged)

    assert signed_in_id(client) is None
    assert LoginRecord.objects.filter(kind=LoginRecord.Kind.REFUSED).count() == 1


def spoilt(said):
    """Everything that a stranger could send instead."""
    yield from ("", "[]", "1", "null", '"key"', "{}", "{", '{"id": 1}', '{"response": []}')
    for field in said:
        yield json.dumps({name: value for name, value in said.items() if name != field})
        yield json.dumps(said | {field: 7})
        yield json.dumps(said | {field: "%%%"})
    for field in said["response"]:
        for value in (None, 7, "", "%%%", "AAAA", [], {}):
            changed = copy.deepcopy(said)
            changed["response"][field] = value
            yield json.dumps(changed)
    yield json.dumps(said | {"more": "x" * 30_000})


def test_nonsense_lets_nobody_in(client, alice):
    key = give_key(alice)
    for sent in spoilt(key.get(challenge(client))):
        said = sent or "x"
        challenge(client)
        answer = client.post(SIGN_IN, {"credential": said})
        assert answer.headers["Location"] == "/account/login/", said
        assert signed_in_id(client) is None, said


def test_asking_for_challenges_is_limited(client, settings):
    settings.LIMITS = settings.LIMITS | {"passkey_address": (2, settings.SESSION_LIFETIME)}
    assert [client.post(SIGN_IN).status_code for _ in range(3)] == [200, 200, 429]


def test_who_is_in_already_goes_home(login, alice):
    assert login(alice).post(SIGN_IN).headers["Location"] == "/"


def test_the_sign_in_page_offers_it_to_browsers_that_can(client):
    """The form is hidden until the script finds that the browser can."""
    page = client.get(reverse("account_login"), {"next": "/tickets/new/"})

    form = re.search(rf'<form[^>]*action="{SIGN_IN}"[^>]*>', page.text)[0]
    assert form.endswith('data-passkey="get" hidden>')
    assert "Sign in with a passkey" in page.text


# --- After the password --------------------------------------------------------------


def test_a_passkey_is_a_second_step_too(client, alice):
    key = give_key(alice)
    to_second_step(client, alice)
    said = key.get(options_on(client.get(SECOND_STEP)))

    answer = client.post(SECOND_STEP, {"credential": json.dumps(said)})

    assert answer.headers["Location"] == "/tickets/"
    assert signed_in_id(client) == str(alice.pk)


def test_the_key_of_another_is_no_second_step(client, alice, carol):
    give_key(alice)
    other = give_key(carol)
    to_second_step(client, alice)
    said = other.get(options_on(client.get(SECOND_STEP)))

    page = client.post(SECOND_STEP, {"credential": json.dumps(said)})

    assert REFUSED in page.text
    assert signed_in_id(client) is None
    assert [record.kind for record in alice.login_records.all()] == [LoginRecord.Kind.REFUSED]


def test_nonsense_is_no_second_step(client, alice):
    key = give_key(alice)
    to_second_step(client, alice)
    for said in spoilt(key.get(options_on(client.get(SECOND_STEP)))):
        assert client.post(SECOND_STEP, {"credential": said}).status_code == 200, said
        assert signed_in_id(client) is None


def test_the_page_asks_for_what_there_is(client, alice, carol):
    give_app(alice)
    to_second_step(client, alice)
    assert "data-passkey" not in client.get(SECOND_STEP).text

    give_key(carol)
    to_second_step(client, carol)
    page = client.get(SECOND_STEP).text
    assert "data-passkey" in page
    assert "Use your passkey, or type one of your recovery codes." in page


# --- Removing one ----------------------------------------------------------------------


def test_removing_a_passkey(login, client, mails, alice):
    give_app(alice)
    key = give_key(alice)
    passkey = factors.of(alice).get(type="webauthn")

    login(alice).post(reverse("account_remove_factor", args=[passkey.pk]), {"password": PASSWORD})

    assert [factors.name_of(each) for each in factors.of(alice)] == ["Authenticator app"]
    assert factors.count_codes(alice) == 10
    assert "Work laptop" in mails[-1].text
    stranger = Client()
    sign_in_with(stranger, key)
    assert signed_in_id(stranger) is None

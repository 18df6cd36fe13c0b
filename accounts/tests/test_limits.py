"""How often somebody may try: the counting, and every door that counts."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts import limits, tasks
from accounts.devices import recognise
from accounts.models import Attempt, User
from tickets.improvement.feedback import path_to_rate
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .doors import ask_for_reset, code_in, sign_in, sign_up, signed_in_id, type_code
from .factor_tools import give_app, second_step, to_second_step
from .factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LOGIN_CODE = "account_request_login_code"


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


@pytest.fixture(autouse=True)
def small_limits(settings):
    settings.LIMITS = settings.LIMITS | {"kettle": (3, timedelta(minutes=5))}


@pytest.fixture
def now():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def boil(whose="alice"):
    return limits.take(limits.bucket("kettle", whose))


# --- Counting -----------------------------------------------------------------


def test_one_more_than_allowed_is_refused_until_the_first_is_old_enough(now):
    for _ in range(3):
        boil()
        now.shift(60)

    with pytest.raises(limits.Limited) as refusal:
        boil()
    assert refusal.value.wait == timedelta(minutes=2)

    now.shift(119)
    with pytest.raises(limits.Limited):
        boil()
    now.shift(1)
    boil()


def test_a_refused_try_does_not_make_the_wait_longer(now):
    for _ in range(3):
        boil()
    for _ in range(10):
        with pytest.raises(limits.Limited):
            boil()

    assert Attempt.objects.count() == 3


def test_a_try_counts_everywhere_or_nowhere():
    for _ in range(3):
        boil("alice")

    with pytest.raises(limits.Limited):
        limits.take(limits.bucket("kettle", "bob"), limits.bucket("kettle", "alice"))

    assert Attempt.objects.filter(bucket=limits.bucket("kettle", "bob").name).count() == 0
    boil("bob")


def test_buckets_with_the_same_letters_are_apart():
    names = {
        limits.bucket("kettle", "ab", "c").name,
        limits.bucket("kettle", "a", "bc").name,
        limits.bucket("kettle", "abc").name,
        limits.bucket("code_pause", "abc").name,
    }

    assert len(names) == 4


def test_who_reads_the_table_learns_no_address(client, settings):
    """P9: a keyed hash, so that addresses can't be tried out without the key either."""
    name = limits.bucket("sign_in_account", "alice@example.org").name
    settings.SECRET_KEY = "another" * 10

    assert len(name) == 64
    assert int(name, 16)
    assert name != limits.bucket("sign_in_account", "alice@example.org").name


def test_what_was_no_mistake_is_given_back():
    kept, given = boil(), boil()

    limits.give_back(given)

    assert list(Attempt.objects.all()) == kept


def test_a_cleared_bucket_is_empty_and_others_are_not():
    for whose in ("alice", "bob"):
        boil(whose)

    limits.clear(limits.bucket("kettle", "alice"))

    assert Attempt.objects.get().bucket == limits.bucket("kettle", "bob").name


@pytest.mark.django_db(transaction=True)
def test_a_try_counts_though_what_came_of_it_was_rolled_back(monkeypatch):
    make_user(email="alice@example.org")
    client = Client(raise_request_exception=False)
    monkeypatch.setattr("accounts.adapter.account_mail_composed.send", no_paper)

    answers = [ask_for_reset(client, "alice@example.org").status_code for _ in range(2)]

    assert answers == [500, 429]


def no_paper(**kwargs):
    raise RuntimeError


@pytest.mark.django_db(transaction=True)
@pytest.mark.plan("SEC-C2")
def test_tries_at_the_same_moment_are_counted_one_by_one(settings):
    """P10: on SQLite and on PostgreSQL."""
    settings.LIMITS = settings.LIMITS | {"kettle": (5, HOUR)}
    barrier, outcomes = Barrier(12), []

    def try_once():
        barrier.wait()
        try:
            outcomes.append(len(boil()))
        except limits.Limited:
            outcomes.append(0)
        finally:
            connection.close()

    threads = [Thread(target=try_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [0] * 7 + [1] * 5


def test_a_daily_job_forgets_what_no_limit_looks_at(client, alice, now):
    """Sessions that are over as well, and nobody's who is still signed in."""
    boil()
    client.force_login(alice)
    now.shift(timedelta(days=13))
    boil()
    Client().force_login(alice)
    now.shift(timedelta(days=1, seconds=1))
    boil()

    tasks.forget_old_attempts()

    assert Attempt.objects.count() == 1
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("came_from", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_what_one_household_has(came_from, address):
    request = RequestFactory(REMOTE_ADDR=came_from).get("/", headers={"X-Forwarded-For": "8.8.8.8"})

    assert limits.address_of(request) == address


@pytest.mark.parametrize(
    ("wait", "words"),
    [(1, "1 second"), (59.2, "60 seconds"), (61, "2 minutes"), (300, "5 minutes")],
)
def test_a_wait_is_said_in_words(wait, words):
    assert limits.in_words(timedelta(seconds=wait)) == words


# --- Signing in ---------------------------------------------------------------


def fail(times, email, *, address="192.0.2.1", client=None):
    client = client or Client(REMOTE_ADDR=address)
    return [sign_in(client, email, "not the password").status_code for _ in range(times)]


def from_(address):
    return Client(REMOTE_ADDR=address)


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.plan("SEC-C2")
@pytest.mark.plan("SEC-I12")
def test_the_sixth_wrong_password_waits(alice, now, email):
    """The same for an address without an account. What was typed stays in its field."""
    assert fail(5, email) == [200] * 5

    refused = sign_in(from_("192.0.2.1"), email, "not the password")

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "300"
    assert list(refused.context["form"].non_field_errors()) == [
        "Too many tries. Wait 5 minutes, then try again. Or let us email you a sign-in code"
    ]
    assert f'value="{email}"' in refused.text


@pytest.mark.plan("SEC-C2")
def test_the_right_password_waits_as_well_and_then_lets_in(alice, now):
    """P10: nobody is locked out for good."""
    fail(5, alice.email)
    client = from_("192.0.2.1")

    assert sign_in(client, alice.email).status_code == 429
    now.shift(300)
    sign_in(client, alice.email)

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_the_owner_gets_in_from_elsewhere_meanwhile(alice, now):
    fail(5, alice.email)
    client = from_("192.0.2.2")

    sign_in(client, alice.email)

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_a_success_forgives_the_mistakes_before_it(alice, now):
    fail(4, alice.email)
    sign_in(from_("192.0.2.1"), alice.email)

    assert fail(5, alice.email) == [200] * 5


@pytest.mark.plan("SEC-C2")
def test_somebody_elses_success_forgives_nothing(alice, carol, now):
    """Who guesses can't wash the count away with an account of their own."""
    fail(5, alice.email)
    sign_in(from_("192.0.2.1"), carol.email)

    assert fail(1, alice.email) == [429]


@pytest.mark.plan("SEC-C2")
def test_an_account_is_guarded_against_many_addresses(settings, alice, now):
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")

    assert fail(1, alice.email, address="192.0.2.99") == [429]
    assert sign_in(from_("192.0.2.98"), "nobody@example.org").status_code == 200


@pytest.mark.plan("SEC-C2")
def test_a_browser_the_owner_has_used_is_not_shut_out_by_strangers(settings, alice, now):
    """P10: what all the world shares, strangers can use up day after day."""
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    at_home = from_("198.51.100.7")
    sign_in(at_home, alice.email)
    at_home.post(reverse("account_logout"))
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")

    assert sign_in(from_("198.51.100.8"), alice.email).status_code == 429
    sign_in(at_home, alice.email)
    assert signed_in_id(at_home) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_nor_is_a_new_browser_in_a_network_the_owner_has_used(settings, alice, now):
    """P10"""
    settings.LIMITS = settings.LIMITS | {"sign_in_account": (6, HOUR)}
    sign_in(from_("198.51.100.7"), alice.email)
    for number in range(6):
        fail(1, alice.email, address=f"192.0.2.{number}")
    new_browser = from_("198.51.100.7")

    assert sign_in(from_("198.51.100.8"), alice.email).status_code == 429
    sign_in(new_browser, alice.email)
    assert signed_in_id(new_browser) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_an_address_can_not_try_every_account(settings, now):
    settings.LIMITS = settings.LIMITS | {"sign_in_address": (6, HOUR)}
    for number in range(6):
        fail(1, f"somebody{number}@example.org")

    assert fail(1, "another@example.org") == [429]
    assert fail(1, "another@example.org", address="192.0.2.2") == [200]


@pytest.mark.plan("SEC-C2")
def test_the_door_by_code_stays_open_when_the_one_by_password_is_shut(alice, mails, now):
    fail(5, alice.email)
    client = from_("192.0.2.1")

    client.post(reverse(LOGIN_CODE), {"email": alice.email})
    type_code(client, code_in(mails[0]), "account_confirm_login_code")

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_a_new_password_opens_the_door_at_once(alice, mails, now):
    fail(5, alice.email)
    client = from_("192.0.2.1")
    ask_for_reset(client, alice.email)
    type_code(client, code_in(mails[0]), "account_confirm_password_reset_code")
    new = {"password1": "four entirely other words", "password2": "four entirely other words"}
    client.post(reverse("account_complete_password_reset"), new)

    sign_in(client, alice.email, new["password1"])

    assert signed_in_id(client) == str(alice.pk)


@pytest.mark.plan("SEC-C2")
def test_the_current_password_can_not_be_guessed_in_an_open_browser(login, alice, now):
    client = login(alice)
    typed = {"password1": "four entirely other words", "password2": "four entirely other words"}
    page = reverse("account_change_password")

    answers = [client.post(page, typed | {"oldpassword": "a guess"}) for _ in range(6)]
    right = client.post(page, typed | {"oldpassword": PASSWORD})

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert right.status_code == 429
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    "broken",
    [
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://[::1]:1"},
        {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    ],
)
def test_limits_hold_while_there_is_no_cache(settings, alice, now, broken):
    """P10"""
    settings.CACHES = {"default": broken}

    assert fail(6, alice.email) == [200] * 5 + [429]


# --- Asking for codes ---------------------------------------------------------

DOORS = {
    "reset": lambda client, email: ask_for_reset(client, email),
    "sign-in code": lambda client, email: client.post(reverse(LOGIN_CODE), {"email": email}),
    "sign-up": lambda client, email: sign_up(client, email=email),
}


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
@pytest.mark.plan("SEC-I12")
def test_the_next_code_waits_a_minute(alice, mails, now, door, email):
    door(Client(), email)
    sent = len(mails)
    now.shift(18)

    refused = door(Client(), email)
    now.shift(42)
    allowed = door(Client(), email)

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "42"
    assert "look in your email first" in refused.text
    assert "ask for another in 42 seconds" in refused.text
    assert f'value="{email}"' in refused.text
    assert allowed.status_code == 302
    assert len(mails) == sent * 2


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
def test_an_inbox_gets_five_codes_an_hour_whoever_asks(alice, now, door, email):
    answers = []
    for number in range(6):
        answers.append(door(from_(f"192.0.2.{number}"), email))
        now.shift(60)

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == str(55 * 60)
    now.shift(54 * 60)
    assert door(from_("192.0.2.9"), email).status_code == 302


@pytest.mark.plan("SEC-C4")
def test_the_doors_share_what_an_inbox_gets(alice, mails, now):
    """P13"""
    for door in (*DOORS.values(), *DOORS.values()):
        door(Client(), alice.email)
        now.shift(60)

    assert len(mails) == 5


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.plan("SEC-C4")
def test_an_address_makes_us_write_twenty_mails_an_hour(settings, now, door):
    settings.LIMITS = settings.LIMITS | {"code_address": (4, HOUR)}

    answers = [door(from_("192.0.2.1"), f"a{n}@example.org").status_code for n in range(5)]

    assert answers == [302] * 4 + [429]
    assert door(from_("192.0.2.2"), "b@example.org").status_code == 302


@pytest.mark.plan("SEC-C4")
def test_a_browser_the_owner_has_used_gets_codes_though_strangers_used_them_up(alice, mails, now):
    """P10"""
    at_home = Client()
    sign_in(at_home, alice.email)
    at_home.post(reverse("account_logout"))
    for number in range(6):
        ask_for_reset(from_(f"192.0.2.{number}"), alice.email)
        now.shift(60)
    sent = len(mails)

    assert ask_for_reset(from_("192.0.2.99"), alice.email).status_code == 429
    assert ask_for_reset(at_home, alice.email).status_code == 302
    assert len(mails) == sent + 1


def test_somebody_elses_browser_is_a_stranger(rf, alice, carol):
    request, response = rf.get("/"), Client().get(reverse("account_login"))
    recognise(request, response, alice)
    request.COOKIES["device"] = response.cookies["device"].value
    request.META["REMOTE_ADDR"] = "192.0.2.1"  # and in another network than before

    assert limits.sign_in(request, alice.email)[1].who[1]
    assert limits.sign_in(request, carol.email)[1].who[1] == ""


# --- Every limit of the table in docs/configuration.md -----------------------------


def wrong_password(client, alice):
    return sign_in(client, alice.email, "a guess")


def wrong_password_inside(client, alice):
    client.force_login(alice)
    return client.post(reverse("account_privacy"), {"password": "a guess"})


def wrong_second_factor(client, alice):
    to_second_step(client, alice)
    return second_step(client, "00000000")


def wrong_code(client, alice):
    ask_for_reset(client, alice.email)
    return type_code(client, "00000000", "account_confirm_password_reset_code")


def ask_for_code(client, alice):
    return ask_for_reset(client, alice.email)


def ask_for_passkey(client, alice):
    return client.post(reverse("account_passkey_login"))


def begin_ticket(client, alice):
    return client.post(reverse("tickets:save_draft"), {"subject": "A kettle"})


def rate_by_link(client, alice):
    ticket = Ticket.objects.filter(requester=alice).first()
    ticket = ticket or make_ticket(alice, status=Status.CLOSED)
    return client.post(path_to_rate(ticket), {"rating": "none"})


def raise_concern(client, alice):
    client.force_login(alice)
    return client.post(reverse("tickets:concerns"), {"text": "The letters are small."})


def share_ticket(client, alice):
    client.force_login(alice)
    ticket = make_ticket(alice)
    with override_settings(REQUESTERS_ADD_PARTICIPANTS=True):
        share = reverse("tickets:share", args=[ticket.reference])
        return client.post(share, {"email": "nobody@example.org"})


def ask_for_number_code(client, alice):
    client.force_login(alice)
    with override_settings(SMS_URL="file:"):
        return client.post(reverse("notifications:change_number"), {"number": "+447400123456"})


REFUSED = {
    "sign_in_pair": wrong_password,
    "sign_in_account": wrong_password,
    "sign_in_address": wrong_password,
    "password_asked": wrong_password_inside,
    "second_factor": wrong_second_factor,
    "second_factor_day": wrong_second_factor,
    "passkey_address": ask_for_passkey,
    "code_pause": ask_for_code,
    "code_recipient": ask_for_code,
    "code_address": ask_for_code,
    "ticket_draft": begin_ticket,
    "rating_address": rate_by_link,
    "concern": raise_concern,
    "participant": share_ticket,
    "sms_code_number": ask_for_number_code,
    "sms_code_person": ask_for_number_code,
    "sms_code_address": ask_for_number_code,
}
WITHIN = {60: "1 minute", 300: "5 minutes", 600: "10 minutes", 3600: "1 hour", 86400: "1 day"}
# Waiting helps nothing there: the code is dead, and one asks for another.
ENDED = {"code_tries": wrong_code}
# The worker meets this one: see notifications/tests/test_sms.py.
DROPPED = {"sms_person"}


@pytest.fixture
def only(settings):
    """One try of ``purpose``, and as many as one likes of everything else."""

    def limit(purpose):
        many = {name: (1000, period) for name, (_amount, period) in settings.LIMITS.items()}
        settings.LIMITS = many | {purpose: (1, settings.LIMITS[purpose][1])}
        return settings.LIMITS[purpose][1]

    return limit


@pytest.mark.plan("SEC-I12")
@pytest.mark.parametrize("purpose", REFUSED)
def test_each_refusal_says_when_to_come_back(only, alice, now, purpose):
    """429 with Retry-After, from then on it works again."""
    period, act = only(purpose), REFUSED[purpose]
    give_app(alice)

    allowed, refused = act(Client(), alice), act(Client(), alice)
    now.shift(int(refused.headers["Retry-After"]))
    again = act(Client(), alice)

    assert (allowed.status_code, refused.status_code) != (429, 429)
    assert (refused.status_code, again.status_code) == (429, allowed.status_code)
    assert refused.headers["Retry-After"] == str(int(period.total_seconds()))


@pytest.mark.plan("SEC-I12")
@pytest.mark.parametrize("purpose", ENDED)
def test_a_code_that_was_tried_too_often_is_dead(only, alice, now, purpose):
    only(purpose)

    ended = ENDED[purpose](Client(), alice)

    assert (ended.status_code, ended.headers["Location"]) == (302, reverse("account_login"))


@pytest.mark.plan("SEC-I12")
def test_every_limit_is_looked_at_and_documented(settings):
    del settings.LIMITS["kettle"]  # the one of these tests
    published = (settings.BASE_DIR / "docs" / "configuration.md").read_text()

    assert REFUSED.keys() | ENDED.keys() | DROPPED == settings.LIMITS.keys()
    for name, (amount, period) in settings.LIMITS.items():
        assert f"| `{name}` | {amount} in {WITHIN[period.total_seconds()]} |" in published

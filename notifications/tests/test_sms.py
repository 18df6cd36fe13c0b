"""SMS: who gets one, how it reads, and what a gateway makes of it (D1-14)."""

import base64
import os
import stat
from datetime import time, timedelta

import pytest

from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Reaching, ShortMessage
from notifications.short_messages import sending, sms
from notifications.short_messages.wording import News, as_text, is_gsm, length
from tickets import actions

from .telephones import NUMBER, PUSH_KEY, Browser, form_in, gets_sms, rows, tell, wants

pytestmark = pytest.mark.django_db

SECRET = "a-word-nobody-may-see"


@pytest.fixture
def gateway(receiver, settings):
    """Takes everything, as Twilio does."""
    settings.SMS_URL = f"http://AC7:{SECRET}@127.0.0.1:{receiver.port}/api/?from=+15550100"
    receiver.answers = [201] * 50
    return receiver


def send_all():
    while sending.take_turn():
        pass


# --- What it says -----------------------------------------------------------------


def test_a_message_comes_as_one_sms_without_its_words(gateway, kettle, alice, bob, settings):
    gets_sms(alice, "message")

    post_message(kettle, by=bob, body="The serial number is 4711.")
    tell()

    (call,) = gateway.calls
    words = f"Bob wrote to you: {kettle.reference} {settings.SITE_URL}{kettle.url_for(alice)}"
    assert form_in(call) == {"To": NUMBER, "From": "+15550100", "Body": words}
    assert len(words) <= 160
    assert rows("channel", "state", "last_answer") == [("sms", "sent", "201 Created")]


def test_the_gateway_is_asked_as_its_documents_say(gateway, kettle, alice, bob):
    gets_sms(alice, "message")

    post_message(kettle, by=bob, body="Hello")
    tell()

    (call,) = gateway.calls
    assert call.path == "/api/2010-04-01/Accounts/AC7/Messages.json"
    proof = base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")).decode()
    assert proof == f"AC7:{SECRET}"
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headline", "most"),
    [
        ("Bob wrote to you", 160),
        ("Bob’s rule “Kettles” tells you…", 160),  # our own quotes are no letters of SMS
        ("Rule {fire} tells you: " + "[urgent] " * 40, 160),
        ("B" * 150 + " wrote to you", 160),
        ("Шарлотта вам написала", 134),
        ("ராஜேஷ் " * 40, 134),
    ],
)
def test_it_fits_into_one_sms_or_two_of_other_letters(headline, most, settings):
    path = "/tickets/CCR-2026-00001/"
    news = News(headline, "CCR-2026-00001", path, "tag", is_urgent=False)

    words = as_text(news)

    assert words.endswith(f": CCR-2026-00001 {settings.SITE_URL}{path}")
    assert length(words) <= most
    assert is_gsm(words) is (most == 160)


# --- Who gets one -----------------------------------------------------------------


def test_only_who_proved_a_number_and_chose_it(gateway, kettle, alice, bob):
    """Unlike push: nobody gets an SMS who did not ask for that kind."""
    Reaching.objects.create(user=alice, sms_number=NUMBER)
    wants(bob, "sms", "message")

    post_message(kettle, by=bob, body="Hello")
    post_message(kettle, by=alice, body="Hello")
    tell()
    before = rows()
    wants(alice, "sms", "message")
    post_message(kettle, by=bob, body="Hello again")
    tell()

    assert before == []
    assert rows("recipient", "number") == [(alice.pk, NUMBER)]


@pytest.mark.parametrize("url", ["", "ftp://a:b@host/?from=1", "https://host/?from=1", "https://["])
def test_without_a_gateway_nobody_gets_one(kettle, alice, bob, settings, url):
    settings.SMS_URL = url
    gets_sms(alice, "message")

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert sms.is_on() is False
    assert rows() == []


def test_one_person_gets_so_many_in_a_day(gateway, kettle, alice, bob, settings, clock):
    """A loop must not cost a fortune."""
    settings.LIMITS = settings.LIMITS | {"sms_person": (2, timedelta(days=1))}
    gets_sms(alice, "message")
    for number in range(3):
        post_message(kettle, by=bob, body=f"No. {number}")

    tell()
    clock.shift(timedelta(days=1))
    post_message(kettle, by=bob, body="The next day")
    tell()

    assert rows("state", "last_answer") == [
        ("sent", "201 Created"),
        ("sent", "201 Created"),
        ("dropped", "Enough SMS for one day."),
        ("sent", "201 Created"),
    ]


def test_what_the_gateway_did_not_take_is_not_counted(gateway, kettle, alice, bob, settings, clock):
    settings.LIMITS = settings.LIMITS | {"sms_person": (1, timedelta(days=1))}
    gateway.answers = [503, 201]
    gets_sms(alice, "message")
    post_message(kettle, by=bob, body="Hello")

    tell()
    clock.shift(15)
    tell()

    assert rows("state", "tries") == [("sent", 1)]


# --- Quiet hours ------------------------------------------------------------------


@pytest.fixture
def evening(clock):
    """22:30 where the desk is."""
    clock.move_to("2026-11-05T22:30:00+00:00")
    return clock


@pytest.fixture
def quiet_alice(alice, settings):
    settings.PUSH_KEY = PUSH_KEY
    settings.PUSH_INTERNAL_HOSTS = ["127.0.0.1"]
    gets_sms(alice, "message", "resolved")
    Reaching.objects.update(quiet_from=time(22), quiet_until=time(7))
    return alice


def test_in_quiet_hours_nothing_rings_until_they_end(gateway, kettle, evening, quiet_alice, bob):
    Browser(quiet_alice, f"{gateway.url}&push")
    post_message(kettle, by=bob, body="Hello")

    tell()
    waits = rows("channel", "state", "next_try_at__hour")
    evening.shift(timedelta(hours=8, minutes=29))
    tell()
    before = len(gateway.calls)
    evening.shift(timedelta(minutes=1))
    tell()

    assert sorted(waits) == [("push", "owed", 7), ("sms", "owed", 7)]
    assert (before, len(gateway.calls)) == (0, 2)


def test_what_nobody_may_refuse_rings_at_once(gateway, kettle, evening, quiet_alice, bob):
    actions.change_status(kettle, "resolved", by=bob, text="Replaced.", resolution="replaced")

    tell()

    assert rows("channel", "state") == [("sms", "sent")]


def test_quiet_hours_that_began_meanwhile_count_as_well(gateway, kettle, evening, quiet_alice, bob):
    evening.shift(timedelta(hours=-1))
    post_message(kettle, by=bob, body="Hello")
    gateway.answers = [503, 201]

    outbox.address_notifications()
    send_all()
    evening.shift(timedelta(hours=1))
    send_all()
    at_night = (len(gateway.calls), rows("state", "next_try_at__hour"))
    evening.shift(timedelta(hours=8, minutes=30))
    send_all()

    assert at_night == (1, [("owed", 7)])
    assert rows("state") == [("sent",)]


# --- Judged again when it is sent -------------------------------------------------


def another_number(alice):
    Reaching.objects.update(sms_number="+447400654321")


def no_number(alice):
    Reaching.objects.update(sms_number="")


@pytest.mark.parametrize("change", [another_number, no_number])
def test_nothing_goes_to_a_number_of_before(gateway, kettle, alice, bob, change):
    gets_sms(alice, "message")
    post_message(kettle, by=bob, body="Hello")
    outbox.address_notifications()

    change(alice)
    send_all()

    assert gateway.calls == []
    assert rows("state", "last_answer") == [("dropped", "The person has another number, or none.")]


def test_after_four_hours_it_is_news_no_more(gateway, kettle, alice, bob, clock):
    gets_sms(alice, "message")
    post_message(kettle, by=bob, body="Hello")
    outbox.address_notifications()

    clock.shift(timedelta(hours=4))
    send_all()

    assert gateway.calls == []
    assert rows("state") == [("dropped",)]


# --- What the gateway answers -----------------------------------------------------


def says(status, told):
    def answer(handler):
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(told)

    return answer


TWILIO = b'{"code": 21211, "message": "The number +447400123456 is bad.", "status": 400}'


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (says(201, b'{"sid": "SM1", "status": "queued"}'), "sent", "201 Created SM1"),
        (says(400, TWILIO), "failed", "400 Bad Request: 21211 no valid number"),
        (says(400, b'{"code": 99}'), "failed", "400 Bad Request: 99"),
        (says(400, b"<html>"), "failed", "400 Bad Request"),
        (says(400, b'["+447400123456"]'), "failed", "400 Bad Request"),
        (says(401, b'{"code": 20003}'), "owed", "401 Unauthorized: 20003"),
        (says(429, b""), "owed", "429 Too Many Requests"),
        (says(500, b"x" * 1_000_000), "owed", "500 Internal Server Error"),
    ],
)
def test_what_the_gateway_says_decides(gateway, kettle, alice, bob, answer, state, words):
    """What it wrote is not kept: it names the number. That our account is refused is the
    operator's to mend, so it costs nobody their SMS."""
    gateway.answers = [answer]
    gets_sms(alice, "message")

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert rows("state", "last_answer") == [(state, words)]


def test_nothing_is_tried_when_nobody_would_want_it_any_more(gateway, kettle, alice, bob, clock):
    gateway.answers = [500] * 20
    gets_sms(alice, "message")
    post_message(kettle, by=bob, body="Hello")

    for _turn in range(20):
        tell()
        if rows("state") != [("owed",)]:
            break
        clock.move_to(ShortMessage.objects.get().next_try_at)

    assert rows("state", "last_answer") == [("failed", "500 Internal Server Error")]
    assert len(gateway.calls) == 6  # within 85 minutes, the next would be after four hours


@pytest.mark.plan("SEC-H4")
def test_the_secret_of_the_gateway_is_in_no_log_and_no_row(
    gateway, kettle, alice, bob, settings, caplog
):
    gets_sms(alice, "message")
    settings.SMS_URL = f"https://AC7:{SECRET}@no.example.invalid/?from=+15550100"

    post_message(kettle, by=bob, body="Hello")
    tell()

    assert rows("state", "last_answer") == [("owed", "No address is known for no.example.invalid.")]
    assert SECRET not in caplog.text
    assert SECRET not in repr(sms.provider())


# --- Into a folder ----------------------------------------------------------------


def test_without_a_gateway_each_can_become_a_file(kettle, alice, bob, settings):
    settings.SMS_URL = "file:"
    gets_sms(alice, "message")

    post_message(kettle, by=bob, body="Hello")
    tell()

    (name,) = os.listdir(settings.SMS_DIR)
    path = settings.SMS_DIR / name
    assert f" {NUMBER} " in name
    assert f"To: {NUMBER}\n" in path.read_text()
    assert path.read_text().endswith(f"{kettle.url_for(alice)}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert rows("last_answer") == [(f"Written to {settings.SMS_DIR}",)]

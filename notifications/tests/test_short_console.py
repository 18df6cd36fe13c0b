"""Pushes and SMS as administrators and the doctor see them."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.checkups import CHECKUPS
from accounts.records import note
from notifications.models import Notification, ShortMessage
from notifications.owing import owe
from notifications.short_messages import sending
from notifications.short_messages.wording import news_of

from .telephones import NUMBER, PUSH_KEY

pytestmark = pytest.mark.django_db

LIST = reverse("admin:notifications_shortmessage_changelist")
GATEWAY = "https://AC7:a-word-nobody-may-see@api.example.com/?from=+15550100"


def make_message(person, channel="push", **fields):
    owe("welcome", person, cause=f"user:{ShortMessage.objects.count()}")
    told = {"notification": Notification.objects.order_by("pk").last(), "number": NUMBER}
    lasts = {"expires_at": timezone.now() + timedelta(hours=1)}
    return ShortMessage.objects.create(channel=channel, recipient=person, **(told | lasts | fields))


def make_code(person, **fields):
    return make_message(person, "sms", notification=None, text="31415926 is your code", **fields)


# --- The console ------------------------------------------------------------------


def test_administrators_see_what_became_of_each_and_no_code(login, ada, alice):
    make_message(alice, state="failed", tries=3, last_answer="403 Forbidden")
    code = make_code(alice)
    client = login(ada)

    listed = client.get(LIST).text
    shown = client.get(reverse("admin:notifications_shortmessage_change", args=[code.pk])).text

    assert "403 Forbidden" in listed
    assert "Account confirmed" in listed
    assert "Code for the number" in listed
    assert "31415926" not in listed + shown


def test_they_are_found_by_the_beginning_of_an_address(login, ada, alice, carol):
    hers, _others = make_message(alice), make_message(carol)

    client = login(ada)

    found, within = (client.get(LIST, {"q": words}).context["cl"] for words in ("ALICE@", "lice@"))

    assert (list(found.result_list), list(within.result_list)) == ([hers], [])


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_many(login, ada, alice, bob, count, django_assert_num_queries):
    client = login(ada)
    client.get(LIST)
    for number in range(count):
        make_message([alice, bob, ada][number])

    with django_assert_num_queries(5):
        client.get(LIST)


@pytest.mark.plan("SEC-H6")
def test_what_was_sent_is_sent_again_only_if_one_says_so(login, ada, alice):
    message = make_message(alice, state="sent", sent_at=timezone.now())
    chosen = {"action": "send_again", "_selected_action": [message.pk]}
    client = login(ada)

    asked = client.post(LIST, chosen).text
    before = ShortMessage.objects.get().state, LogEntry.objects.count()
    client.post(LIST, chosen | {"answered": "yes"})

    assert "1 was sent already, and goes out a second time." in asked
    assert before == ("sent", 0)
    assert ShortMessage.objects.get().state == "owed"
    lines = LogEntry.objects.values_list("object_id", "change_message")
    assert list(lines) == [(str(message.pk), "Sent again.")]


def test_send_again_owes_what_has_something_to_say(login, ada, alice):
    """A code was for that moment."""
    given_up = make_message(alice, state="failed", tries=10)
    code = make_code(alice, state="failed")
    chosen = {"action": "send_again", "_selected_action": [given_up.pk, code.pk]}

    page = login(ada).post(LIST, chosen, follow=True).text

    assert "1 is owed again." in page
    states = ShortMessage.objects.order_by("pk").values_list("state", "tries")
    assert list(states) == [("owed", 0), ("failed", 0)]


# --- The doctor -------------------------------------------------------------------


def found(code):
    (ask,) = (each.ask for each in CHECKUPS if each.code == code)
    finding = ask()
    return finding.level, finding.found


def test_what_is_not_set_up_is_well(settings):
    settings.PUSH_KEY = settings.SMS_URL = ""

    assert found("push") == ("ok", "Not set up: PUSH_KEY is empty.")
    assert found("sms") == ("ok", "Not set up: SMS_URL is empty.")


def test_what_can_not_be_read_is_said_without_its_secret(settings):
    settings.PUSH_KEY = "abc"
    settings.SMS_URL = GATEWAY.replace("?from=+15550100", "")

    assert found("push") == ("bad", "PUSH_KEY is no key, so nobody is offered push.")
    level, words = found("sms")
    assert (level, "a-word-nobody-may-see" in words) == ("bad", False)


@pytest.mark.parametrize("channel", ["push", "sms"])
def test_what_waits_or_was_given_up_is_said(settings, alice, clock, channel):
    settings.PUSH_KEY, settings.SMS_URL = PUSH_KEY, GATEWAY
    well = found(channel)
    make_message(alice, channel, state="failed")
    given_up = found(channel)
    make_message(alice, channel)
    clock.shift(timedelta(minutes=9))
    at_first = found(channel)
    clock.shift(timedelta(minutes=1))
    late = found(channel)
    ShortMessage.objects.filter(state="owed").update(state="dropped")
    clock.shift(timedelta(days=7))

    assert well[0] == "ok"
    assert given_up == at_first == ("warn", "1 was given up in a week.")
    assert late == ("bad", "Some could have been sent ten minutes ago, and wait.")
    assert found(channel) == well


def test_sms_are_said_to_go_to_the_gateway_without_its_secret(settings):
    settings.SMS_URL = GATEWAY

    assert found("sms") == ("ok", "SMS go to https://api.example.com.")


# --- What is about no ticket --------------------------------------------------------


def test_news_of_the_account_lead_into_it_and_let_nobody_in(alice, ada):
    """A mail has a signed link; an SMS goes through many hands."""
    event = note(alice, "role_changed", by=ada)
    owe("role_changed", alice, cause=f"account-event:{event.pk}")
    notification = Notification.objects.select_related("recipient").get()

    news = news_of(notification)

    assert (news.headline, news.reference) == ("Your role is now: customer", "")
    assert news.path == reverse("notifications:bell")


def test_one_that_was_sent_meanwhile_is_not_sent_again(alice, caplog):
    """A worker whose lease ran out writes nothing over what the other one did."""
    message = make_message(alice)
    (ours,) = sending.claim()
    ShortMessage.objects.update(lease=None, leased_until=None, state="failed")

    sending.deliver(ours, set())
    sending.finish(ours, "sent", "201", sent_at=timezone.now())

    message.refresh_from_db()
    assert (message.state, message.last_answer) == ("failed", "")

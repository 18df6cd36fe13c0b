"""Pushes on their way: judged again when they are sent, and what the push service makes of them."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import (
    Notification,
    Preference,
    PushSubscription,
    Reaching,
    ShortMessage,
)
from notifications.short_messages import push, sending

from .telephones import Browser, push_to, rows, tell, wants

pytestmark = pytest.mark.django_db


def owe_push(service, kettle, alice, bob) -> Browser:
    browser = push_to(service, alice)
    post_message(kettle, by=bob, body="Hello")
    outbox.address_notifications()
    assert rows("state") == [("owed",)]
    return browser


def send_all():
    while sending.take_turn():
        pass


def sign_out(browser):
    browser.client.post(reverse("account_logout"))


def change_password(browser):
    browser.row.user.set_password("four small new words")
    browser.row.user.save()


def let_session_end(browser):
    Session.objects.update(expire_date=timezone.now())


@pytest.mark.parametrize("end", [sign_out, change_password, let_session_end])
def test_a_browser_whose_session_has_ended_gets_nothing(service, kettle, alice, bob, end):
    """P7."""
    browser = owe_push(service, kettle, alice, bob)

    end(browser)
    send_all()

    assert service.calls == []
    assert rows("state", "last_answer") == [
        ("dropped", "The person is not signed in there any more.")
    ]


def suspend(kettle, alice, bob):
    alice.standing = "suspended"
    alice.save()


def read(kettle, alice, bob):
    Notification.objects.filter(recipient=alice).update(read_at=timezone.now())


def bin_it(kettle, alice, bob):
    kettle.deleted_at = timezone.now()
    kettle.save()


def refuse(kettle, alice, bob):
    wants(alice, "push", "message", is_wanted=False)


@pytest.mark.plan("SEC-A10")
@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (suspend, "The person is not signed in there any more."),
        (read, "The person has read it already."),
        (bin_it, "The person may no longer see the ticket."),
        (refuse, "The person chose not to be told this way."),
    ],
)
def test_what_is_no_longer_meant_is_not_pushed(service, kettle, alice, bob, change, answer):
    """P7: queued work is checked again when it runs."""
    owe_push(service, kettle, alice, bob)

    change(kettle, alice, bob)
    send_all()

    assert service.calls == []
    assert rows("state", "last_answer") == [("dropped", answer)]


def test_whoever_uses_the_browser_next_does_not_see_it(service, kettle, alice, bob, carol):
    """A shared browser: the push service knows it by the same address."""
    browser = owe_push(service, kettle, alice, bob)

    browser.client.force_login(carol)
    browser.subscribe(carol)
    send_all()

    assert service.calls == []
    assert rows("last_answer") == [("The person is told in this browser no more.",)]


def test_after_a_day_it_is_news_no_more(service, kettle, alice, bob, clock):
    owe_push(service, kettle, alice, bob)

    clock.shift(timedelta(hours=24))
    send_all()

    assert rows("state", "last_answer") == [("dropped", "It expired before it could be sent.")]


# --- What the push service answers ------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(service, kettle, alice, bob, status):
    service.answers = [status]
    owe_push(service, kettle, alice, bob)

    send_all()

    assert not PushSubscription.objects.exists()
    assert rows("state", "subscription") == [("dropped", None)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_work_later_is_tried_again_ever_more_seldom(
    service, kettle, alice, bob, clock, status
):
    service.answers = [status, status, 201]
    owe_push(service, kettle, alice, bob)

    send_all()
    first = rows("state", "tries")
    clock.shift(15)
    send_all()
    clock.shift(59)
    send_all()
    too_early = len(service.calls)
    clock.shift(1)
    send_all()

    assert first == [("owed", 1)]
    assert (too_early, len(service.calls)) == (2, 3)
    assert rows("state", "tries", "last_answer") == [("sent", 2, "201 Created")]


@pytest.mark.parametrize("status", [400, 403, 413])
def test_what_is_refused_for_good_is_given_up(service, kettle, alice, bob, status, caplog):
    service.answers = [status]
    owe_push(service, kettle, alice, bob)

    send_all()

    assert rows("state", "tries") == [("failed", 1)]
    assert len(service.calls) == 1
    assert "was given up" in caplog.text
    assert PushSubscription.objects.exists()  # the mistake may be ours


@pytest.mark.plan("SEC-B17")
@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("https", "127.0.0.1 is not on the public internet."),
        ("http", "The address must begin with https://."),
    ],
)
def test_a_push_service_that_turned_private_is_not_called(
    service, kettle, alice, bob, settings, scheme, answer
):
    """P12: the address is checked at each call, and where webhooks may lead is no place for it."""
    owe_push(service, kettle, alice, bob)

    settings.WEBHOOK_INTERNAL_HOSTS = ["127.0.0.1"]
    settings.PUSH_INTERNAL_HOSTS = []
    PushSubscription.objects.update(endpoint=f"{scheme}://127.0.0.1:{service.port}/")
    send_all()

    assert service.calls == []
    assert rows("state", "last_answer") == [("owed", answer)]


def test_a_silent_service_is_waited_for_once_in_a_turn(service, kettle, alice, bob, settings):
    """P11: one must not stop the others. What was not tried has lost no try."""

    def hang_up(handler):
        handler.connection.close()

    service.answers = [hang_up, 201, 201]
    for number in range(3):
        Browser(alice, f"{service.url}&{number}")
    post_message(kettle, by=bob, body="Hello")
    tell()

    assert len(service.calls) == 1
    assert rows("state", "tries") == [("owed", 1), ("owed", 0), ("owed", 0)]


def test_a_mistake_of_ours_does_not_hold_up_the_others(
    service, kettle, alice, bob, monkeypatch, caplog
):
    real = push.send

    def broken(subscription, news, **kwargs):
        if subscription.endpoint.endswith("&0"):
            raise RuntimeError("broken")
        return real(subscription, news, **kwargs)

    monkeypatch.setattr(push, "send", broken)
    for number in range(2):
        Browser(alice, f"{service.url}&{number}")
    post_message(kettle, by=bob, body="Hello")
    tell()

    assert rows("state") == [("failed",), ("sent",)]
    assert "can't be sent" in caplog.text


def test_what_somebody_else_claimed_is_left_alone(service, kettle, alice, bob):
    """SEC-E1: two workers never send the same."""
    owe_push(service, kettle, alice, bob)

    ours = sending.claim()
    theirs = sending.claim()
    for message in theirs + ours:
        sending.deliver(message, set())

    assert (len(ours), len(theirs)) == (1, 0)
    assert len(service.calls) == 1


def test_what_they_chose_is_asked_once_for_each(service, kettle, alice, bob):
    owe_push(service, kettle, alice, bob)

    with CaptureQueriesContext(connection) as asked:
        send_all()

    assert rows("state") == [("sent",)]
    tables = (Preference._meta.db_table, Reaching._meta.db_table)
    assert [sum(f'FROM "{each}"' in one["sql"] for one in asked) for each in tables] == [1, 1]


def test_a_turn_ends_while_others_wait(service, kettle, alice, bob, monkeypatch):
    """A slow push service must not keep a lone worker; what is left is free at once."""
    monkeypatch.setattr(sending, "TURN_SECONDS", 0)
    owe_push(service, kettle, alice, bob)

    is_more = sending.take_turn()

    assert is_more is True
    assert service.calls == []
    assert rows("state", "lease") == [("owed", None)]


def test_sent_again_it_is_pushed_again(service, kettle, alice, bob):
    owe_push(service, kettle, alice, bob)
    send_all()

    count = sending.send_again(ShortMessage.objects.all())
    send_all()

    assert count == 1
    assert len(service.calls) == 2

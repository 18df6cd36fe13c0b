"""What a customer writes on a ticket that nobody has: those who assign hear of all of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.factories import make_admin
from messaging.actions import post_message, post_note
from notifications import bell
from notifications.mail import outbox
from notifications.models import Notification
from tickets.parties import participants
from tickets.tests.factories import make_ticket

from .telephones import push_to, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def ten_past(clock):
    """Of some hour; the clock goes on by hand."""
    clock.move_to(timezone.now().replace(minute=10, second=0, microsecond=0))
    return clock


@pytest.fixture
def lonely(ten_past, alice, ada, kettles):
    """A ticket without an agent, of which Ada has heard."""
    ticket = make_ticket(alice, category=kettles, subject="Kettle stopped heating")
    Notification.objects.all().delete()
    return ticket


@pytest.fixture
def mailed(mailoutbox):
    """The subjects of what was mailed since it was asked last."""

    def mailed():
        mailoutbox.clear()
        outbox.drain()
        return [mail.subject for mail in mailoutbox]

    return mailed


def test_the_bell_rings_for_each(lonely, alice, ada):
    """D4-4"""
    counts = []
    for words in ("Is anybody there?", "Hello?", "It smells of smoke."):
        post_message(lonely, by=alice, body=words)
        counts.append(bell.count_unread(ada))

    assert counts == [1, 2, 3]


def test_the_first_is_mailed_at_once_and_the_others_when_the_hour_is_over(
    lonely, alice, ada, ten_past, mailed, mailoutbox
):
    """D4-4: a mail in the hour for each ticket, then one for all the rest."""
    for words in ("Is anybody there?", "Hello?", "It smells of smoke."):
        post_message(lonely, by=alice, body=words)

    first = mailed()
    ten_past.shift(timedelta(minutes=49))
    before = mailed()
    ten_past.shift(timedelta(minutes=1))
    later = mailed()

    assert (first, before, len(later)) == ([f"[{lonely.reference}] Kettle stopped heating"], [], 1)
    (mail,) = mailoutbox
    assert mail.to == [ada.email]
    assert [words in mail.body for words in ("anybody", "Hello?", "smoke")] == [False, True, True]


def test_the_rest_of_all_tickets_is_one_mail(lonely, alice, kettles, ten_past, mailed):
    other = make_ticket(alice, category=kettles)
    for words in ("Is anybody there?", "Hello?"):
        for ticket in (lonely, other):
            post_message(ticket, by=alice, body=words)
    mailed()

    ten_past.shift(timedelta(minutes=50))

    assert mailed() == ["2 things happened on your tickets"]


def test_what_was_read_meanwhile_is_not_mailed(lonely, alice, ada, ten_past, mailed):
    for words in ("Is anybody there?", "Hello?"):
        post_message(lonely, by=alice, body=words)
    mailed()
    bell.read_all(ada)

    ten_past.shift(timedelta(minutes=50))

    assert mailed() == []


def test_the_next_hour_begins_anew(lonely, alice, ten_past, mailed):
    post_message(lonely, by=alice, body="Is anybody there?")
    mailed()
    ten_past.shift(timedelta(minutes=50))

    post_message(lonely, by=alice, body="Hello?")

    assert mailed() == [f"[{lonely.reference}] Kettle stopped heating"]


def test_each_administrator_has_first_words_of_their_own(lonely, alice, mailed, mailoutbox):
    """Whoever came within the hour has heard none."""
    post_message(lonely, by=alice, body="Is anybody there?")
    mailed()
    zoe = make_admin(email="zoe@example.org")

    post_message(lonely, by=alice, body="Hello?")

    assert len(mailed()) == 1
    assert mailoutbox[0].to == [zoe.email]


def test_a_note_that_one_of_them_heard_of_delays_nothing(lonely, alice, ada, mailed):
    """Eve followed the ticket when Ada wrote it."""
    eve = make_admin(email="eve@example.org")
    participants.follow(lonely, by=eve)
    post_note(lonely, by=ada, body="Who knows kettles?")
    participants.unfollow(lonely, by=eve)
    mailed()

    post_message(lonely, by=alice, body="Is anybody there?")

    assert len(mailed()) == 2


def test_it_costs_the_same_with_more_administrators(lonely, alice, ada):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            post_message(lonely, by=alice, body="Is anybody there?")
        return len(queries)

    costs = [cost(), cost()]
    for number in range(3):
        make_admin(email=f"admin{number}@example.org")
    post_message(lonely, by=alice, body="Hello?")

    assert costs == [cost(), cost()]


def test_a_telephone_lights_up_once_within_the_hour(service, lonely, alice, ada, ten_past):
    push_to(service, ada)
    for words in ("Is anybody there?", "Hello?"):
        post_message(lonely, by=alice, body=words)
    tell()

    ten_past.shift(timedelta(minutes=50))
    tell()

    assert len(service.calls) == 1

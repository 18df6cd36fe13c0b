"""What stays of mails about somebody who was erased, or about a ticket removed for good."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.erasure import erase
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail, Preference
from tickets import actions, removal
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def digest(sink, clock, alice, carol, bob, dave, ada, kettles):
    """Send Bob the daily digest about a ticket of Alice's and one of Carol's, or, as that was
    given to Dave meanwhile, about Alice's only."""
    hers = make_ticket(alice, bob, category=kettles, subject="Canary 3141")
    others = make_ticket(carol, bob, category=kettles)
    Notification.objects.all().delete()
    Preference.objects.create(
        user=bob, kind="message", channel="email", is_wanted=True, is_daily=True
    )

    def send(*, is_about_one):
        post_message(hers, by=alice, body="Hello?")
        post_message(others, by=carol, body="Hello?")
        outbox.drain()
        if is_about_one:
            actions.assign(others, to=dave, by=ada)
        clock.shift(timedelta(days=1))
        outbox.drain()
        return hers

    return send


def remove(ticket, by):
    """As it happens when it has been in the bin for long."""
    Ticket.objects.filter(pk=ticket.pk).update(deleted_at=timezone.now() - timedelta(days=60))
    ticket.refresh_from_db()
    removal.remove_for_good(ticket, by=by)


def subjects_to(person):
    return list(OutgoingMail.objects.filter(recipient=person, state="sent").values_list("subject"))


@pytest.mark.plan("SEC-H2")
@pytest.mark.parametrize("forget", [lambda ticket, by: erase(ticket.requester, by=by), remove])
def test_no_word_stays_in_a_digest_that_came_to_be_about_one_ticket(digest, bob, ada, forget):
    hers = digest(is_about_one=True)
    assert subjects_to(bob) == [(f"[{hers}] Canary 3141",)]

    forget(hers, by=ada)

    assert not OutgoingMail.objects.filter(subject__contains="3141").exists()


def test_a_digest_stays_for_what_else_it_told(digest, bob, ada):
    hers = digest(is_about_one=False)
    before = subjects_to(bob)

    remove(hers, by=ada)

    assert (len(before), subjects_to(bob)) == (1, before)
    assert OutgoingMail.objects.get(recipient=bob, state="sent").notifications.count() == 1

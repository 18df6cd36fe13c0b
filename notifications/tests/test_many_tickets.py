"""Twenty tickets a second, and a real worker that mails their customers. ``SOAK=1`` goes on for
five minutes."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from accounts.tests.factories import make_user
from notifications.models import Notification, OutgoingMail
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .smtp import Sink
from .test_faults import wait_until, worker

SECONDS = 300 if os.environ.get("SOAK") else 5
A_SECOND = 20
CLIENTS = 4


@pytest.mark.load
@pytest.mark.plan("SEC-G3")
@pytest.mark.django_db(transaction=True)
def test_twenty_tickets_a_second_leave_an_empty_outbox(tmp_path, kettles):
    """None fails, and each customer gets one receipt: the limit for an hour holds none back."""
    people = [make_user() for _ in range(50)]
    began = time.monotonic()

    def write(number):
        time.sleep(max(0, began + number / A_SECOND - time.monotonic()))
        try:
            make_ticket(people[number % len(people)], category=kettles)
        finally:
            connections.close_all()

    with Sink() as sink, worker(tmp_path, sink.port):
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(write, range(SECONDS * A_SECOND)))
        wait_until(is_empty)

    assert Ticket.objects.count() == SECONDS * A_SECOND
    assert sink.message_ids().total() == len(sink.message_ids()) == SECONDS * A_SECOND


def is_empty():
    owed = OutgoingMail.objects.filter(state=OutgoingMail.State.OWED)
    return not (owed.exists() or Notification.objects.filter(mail=None).exists())

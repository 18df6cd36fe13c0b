"""A real worker process, killed between the push service's answer and the mark."""

import pytest
from django.utils import timezone

from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, ShortMessage

from .smtp import Sink
from .telephones import PUSH_KEY, Browser
from .test_faults import PATIENCE, wait_until, worker

State = ShortMessage.State


def all_sent():
    return set(ShortMessage.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.fault
@pytest.mark.plan("SEC-F1")
@pytest.mark.django_db(transaction=True)
def test_worker_killed_between_answer_and_mark(tmp_path, receiver, settings, ticket, alice, bob):
    """P1: every push arrives, and one comes twice."""
    settings.PUSH_KEY = PUSH_KEY
    Notification.objects.all().delete()
    for number in range(5):
        Browser(alice, f"{receiver.url}&{number}")
    post_message(ticket, by=bob, body="Hello")
    outbox.address_notifications()
    known = {"PUSH_KEY": PUSH_KEY}

    with Sink() as sink:
        exits = {"FAULT_POINTS": "after_short_answer@3:exit"}
        with worker(tmp_path, sink.port, **exits, **known) as killed:
            assert killed.wait(PATIENCE) == -9
        before = len(receiver.calls)
        # What the dead worker held comes back when its lease ends; here it ends now.
        ShortMessage.objects.update(leased_until=timezone.now())
        with worker(tmp_path, sink.port, **known):
            wait_until(all_sent)

    assert before == 3
    called = [call.path.rpartition("&")[2] for call in receiver.calls]
    assert sorted(called) == ["0", "1", "2", "2", "3", "4"]

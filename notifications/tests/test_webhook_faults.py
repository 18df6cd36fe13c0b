"""A real worker process, killed between the receiver's answer and the mark."""

import pytest
from django.utils import timezone

from messaging.actions import post_message
from notifications.models import Webhook, WebhookDelivery

from .receiver import make_webhook
from .smtp import free_port
from .test_faults import PATIENCE, wait_until, worker

State = WebhookDelivery.State


def all_sent():
    return set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.fault
@pytest.mark.plan("SEC-F14")
@pytest.mark.django_db(transaction=True)
def test_worker_killed_between_answer_and_mark(tmp_path, receiver, ticket, bob):
    """P1, P2: every event arrives in order; one comes twice, and with the same id."""
    _webhook, secret = make_webhook(receiver.url, "ticket.message")
    for number in range(10):
        post_message(ticket, by=bob, body=f"No. {number}")
    known = {"WEBHOOK_INTERNAL_HOSTS": "127.0.0.1"}

    with worker(
        tmp_path, free_port(), FAULT_POINTS="after_webhook_answer@4:exit", **known
    ) as killed:
        assert killed.wait(PATIENCE) == -9
    assert len(receiver.calls) == 4
    # What the dead worker held comes back when its lease ends; here it ends now.
    Webhook.objects.update(leased_until=timezone.now())
    with worker(tmp_path, free_port(), **known):
        wait_until(all_sent)

    ids = [call.told["id"] for call in receiver.calls]
    owed = WebhookDelivery.objects.order_by("pk").values_list("event_id", flat=True)
    assert list(dict.fromkeys(ids)) == [str(event_id) for event_id in owed]
    assert (len(ids), ids[3]) == (11, ids[4])
    assert all(call.is_signed_with(secret) for call in receiver.calls)

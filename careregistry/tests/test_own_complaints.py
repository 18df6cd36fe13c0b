"""On a complaint of their own an administrator is the customer, also in the console."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_admin
from messaging.actions import post_note
from messaging.models import InboundMail
from messaging.tests.inbound.mails import answer_to, take_in
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail, ShortMessage
from tickets.tests.factories import make_ticket

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A5")]

MODELS = [InboundMail, OutgoingMail, Notification, ShortMessage]


@pytest.fixture
def ticket(ada, bob):
    """Ada's, of which Bob writes what she is not to read."""
    ticket = make_ticket(requester=ada, assignee=bob, by=make_admin())
    post_note(ticket, by=bob, body="Do not refund her.")
    outbox.drain()
    take_in(answer_to(ticket, bob, body="> Do not refund her.\n"))
    told = Notification.objects.filter(event__ticket=ticket).first()
    ShortMessage.objects.create(
        channel="sms", recipient=bob, notification=told, expires_at=timezone.now()
    )
    return ticket


def listed(login, person, model) -> int:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return len(login(person).get(url).context["cl"].result_list)


@pytest.mark.parametrize("model", MODELS)
def test_lists_do_not_tell_of_it(login, ada, ticket, model):
    assert listed(login, make_admin(), model)
    assert not listed(login, ada, model)


@pytest.mark.parametrize("verb", ["look", "raw", "free", "retry", "drop"])
def test_mails_about_it_are_neither_read_nor_settled(login, ada, ticket, verb):
    mail = InboundMail.objects.get()
    url = reverse(f"admin:messaging_inboundmail_{verb}", args=[mail.pk])

    theirs = login(make_admin()).get(url).status_code
    hers = [login(ada).get(url).status_code, login(ada).post(url).status_code]

    assert (theirs, hers) == (200, [404, 404])
    assert InboundMail.objects.get().fate == mail.fate

"""Administrators make webhooks, see their secret once, and see what each was told."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from messaging.actions import post_message
from notifications.models import Webhook, WebhookDelivery
from notifications.webhooks.events import owe_test
from tickets.tests.factories import make_ticket

from .receiver import call_all, make_webhook

pytestmark = pytest.mark.django_db

ADD = "admin:notifications_webhook_add"
LIST = "admin:notifications_webhookdelivery_changelist"
FORM = {"name": "CRM", "events": ["ticket.raised", "ticket.message"], "is_active": "on"}


def page(verb, webhook):
    return reverse(f"admin:notifications_webhook_{verb}", args=[webhook.pk])


def secret_in(response) -> str:
    return re.search(r"<code>(whsec_[\w-]{43})</code>", response.text)[1]


@pytest.fixture
def webhook(receiver):
    return make_webhook(receiver.url, "ticket.message")[0]


@pytest.mark.plan("SEC-A16")
def test_the_secret_is_shown_once_and_signs(login, ada, receiver):
    client = login(ada)

    response = client.post(reverse(ADD), FORM | {"url": receiver.url})

    secret = secret_in(response)
    webhook = Webhook.objects.get()
    owe_test(webhook)
    call_all()
    assert receiver.calls[0].is_signed_with(secret)
    assert secret not in str(Webhook.objects.values())
    pages = [page(verb, webhook) for verb in ("change", "test", "secret", "history")]
    pages.append(reverse("admin:notifications_webhook_changelist"))
    for url in pages:
        words = client.get(url).text
        assert "CRM" in words
        assert secret not in words
        assert webhook.secret not in words
    assert secret not in str(LogEntry.objects.values())


@pytest.mark.plan("SEC-A16")
def test_a_new_secret_takes_the_place_of_the_old(login, ada, receiver):
    webhook, old = make_webhook(receiver.url, "ticket.message")
    client = login(ada)
    asked = client.get(page("secret", webhook))

    new = secret_in(client.post(page("secret", webhook)))

    owe_test(webhook)
    call_all()
    assert "whsec_" not in asked.text
    assert receiver.calls[0].is_signed_with(new)
    assert not receiver.calls[0].is_signed_with(old)
    assert LogEntry.objects.get().get_change_message() == "Made a new secret."


@pytest.mark.plan("SEC-B17")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.2/", "127.0.0.2 is not on the public internet."),
        ("http://93.184.215.14/", "The address must begin with https://."),
        ("https://ada:word@93.184.215.14/", "An address must not hold a name or a password."),
    ],
)
def test_an_address_is_refused_with_the_reason_and_what_was_typed_stays(login, ada, url, words):
    client = login(ada)

    refused = client.post(reverse(ADD), FORM | {"url": url})
    nothing = Webhook.objects.count()
    client.post(reverse(ADD), FORM | {"url": "https://93.184.215.14/"})

    form = refused.context["adminform"].form
    assert form.errors == {"url": [words]}
    assert form["url"].value() == url
    assert (nothing, Webhook.objects.count()) == (0, 1)


def test_a_changed_address_is_checked_as_well(login, ada, webhook):
    response = login(ada).post(page("change", webhook), FORM | {"url": "https://10.0.0.1/"})

    assert set(response.context["adminform"].form.errors) == {"url"}


def test_an_event_must_be_chosen_from_the_list(login, ada, receiver):
    client = login(ada)
    for events in ([], ["webhook.test"], ["ticket.note"]):
        response = client.post(reverse(ADD), FORM | {"url": receiver.url, "events": events})
        assert set(response.context["adminform"].form.errors) == {"events"}


def test_switched_off_and_on_again(login, ada, webhook, ticket, bob):
    """What was owed goes; once it is on again, it does not count as failing any more."""
    post_message(ticket, by=bob, body="Hello")
    client = login(ada)
    form = {"name": "CRM", "url": webhook.url, "events": ["ticket.message"]}

    client.post(page("change", webhook), form)
    dropped = list(WebhookDelivery.objects.values_list("state"))
    Webhook.objects.update(failing_since=ticket.created_at)
    client.post(page("change", webhook), form | {"is_active": "on"})

    webhook.refresh_from_db()
    assert dropped == [("dropped",)]
    assert (webhook.is_active, webhook.failing_since) == (True, None)


def test_what_the_worker_wrote_meanwhile_stays(login, ada, webhook, monkeypatch):
    """To look up the name in the address takes a moment."""
    now = timezone.now()
    monkeypatch.setattr(
        "notifications.webhooks.client.check",
        lambda url: Webhook.objects.update(failing_since=now, leased_until=now),
    )

    login(ada).post(page("change", webhook), FORM | {"url": webhook.url, "name": "ERP"})

    webhook.refresh_from_db()
    assert (webhook.name, webhook.failing_since, webhook.leased_until) == ("ERP", now, now)


def test_a_test_is_owed_and_arrives(login, ada, webhook, receiver):
    response = login(ada).post(page("test", webhook))

    call_all()
    assert response.url == f"{reverse(LIST)}?webhook__id__exact={webhook.pk}"
    assert receiver.heard == ["webhook.test"]


@pytest.mark.plan("SEC-F14")
def test_deliveries_show_state_tries_and_answer(login, ada, webhook, receiver, ticket, bob):
    receiver.answers = [503]
    post_message(ticket, by=bob, body="Hello")
    call_all()
    delivery = WebhookDelivery.objects.get()
    client = login(ada)

    listed = client.get(reverse(LIST)).text
    shown = client.get(reverse("admin:notifications_webhookdelivery_change", args=[delivery.pk]))

    for words in (listed, shown.text):
        assert "503 Service Unavailable" in words
        assert ticket.reference in words
        assert "What only the receiver should know" not in words
    assert str(delivery.event_id) in shown.text


@pytest.mark.parametrize("field", ["event_id", "reference", "nothing"])
def test_search_by_ticket_and_event_id(login, ada, webhook, ticket, bob, field):
    post_message(ticket, by=bob, body="Hello")
    owe_test(webhook)
    delivery = WebhookDelivery.objects.get(event="ticket.message")
    words = {"event_id": delivery.event_id, "reference": ticket.reference, "nothing": "9"}[field]

    page = login(ada).get(reverse(LIST), {"q": words})

    found = [row.pk for row in page.context["cl"].result_list]
    assert found == ([] if field == "nothing" else [delivery.pk])


@pytest.mark.parametrize(
    ("person", "status", "state"), [("ada", 302, "owed"), ("bob", 403, "sent")]
)
def test_send_again(login, request, webhook, ticket, bob, person, status, state):
    post_message(ticket, by=bob, body="Hello")
    call_all()
    chosen = WebhookDelivery.objects.values_list("pk", flat=True)

    response = login(request.getfixturevalue(person)).post(
        reverse(LIST), {"action": "replay", "_selected_action": list(chosen)}
    )

    assert response.status_code == status
    assert WebhookDelivery.objects.get().state == state


def test_of_their_own_complaint_administrators_see_no_deliveries(login, ada, webhook, ticket, bob):
    own = make_ticket(ada, category=ticket.category, assignee=bob, by=bob)
    post_message(own, by=bob, body="Hello")
    post_message(ticket, by=bob, body="Hello")
    owe_test(webhook)
    client = login(ada)

    shown = [row.event for row in client.get(reverse(LIST)).context["cl"].result_list]
    mine = WebhookDelivery.objects.get(line__ticket=own)
    answer = client.get(reverse("admin:notifications_webhookdelivery_change", args=[mine.pk]))

    assert shown == ["webhook.test", "ticket.message"]
    assert answer.status_code == 302  # to the console, as for one that does not exist


@pytest.mark.parametrize("name", ["webhook", "webhookdelivery"])
def test_queries_do_not_grow_with_rows(
    login,
    ada,
    receiver,
    ticket,
    bob,
    name,
    django_assert_max_num_queries,
    django_assert_num_queries,
):
    client = login(ada)
    url = reverse(f"admin:notifications_{name}_changelist")

    def add(count):
        for _ in range(count):
            number = Webhook.objects.count()
            make_webhook(receiver.url, "ticket.message", name=f"CRM {number}")
            post_message(ticket, by=bob, body="Hello")

    add(1)
    client.get(url)
    with django_assert_max_num_queries(15) as queries:
        client.get(url)
    add(3)
    with django_assert_num_queries(len(queries)):
        client.get(url)

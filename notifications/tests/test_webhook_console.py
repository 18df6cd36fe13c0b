"""Administrators make webhooks, see their secret once, and see what each was told."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize

from accounts.tests.factories import make_admin
from messaging.actions import post_message
from notifications.models import Webhook, WebhookDelivery
from notifications.webhooks.delivering import switch_off
from notifications.webhooks.events import owe_test
from notifications.webhooks.forms import HOW_TO_ALLOW
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts

from .receiver import call_all, make_webhook

pytestmark = pytest.mark.django_db

ADD = "admin:notifications_webhook_add"
LIST = "admin:notifications_webhookdelivery_changelist"
FORM = {"name": "CRM", "events": ["ticket.raised", "ticket.message"], "is_active": "on"}


def page(verb, webhook):
    return reverse(f"admin:notifications_webhook_{verb}", args=[webhook.pk])


def secret_in(response) -> str:
    return re.search(r"<code>(whsec_[\w-]{43})</code>", response.text)[1]


def failing_since(page) -> str:
    return re.search(r'Failing since:.*?<div class="readonly">(.*?)</div>', page, re.DOTALL)[1]


def as_shown(client, webhook) -> dict:
    """What a browser posts that has the form open, with what it remembers of how that was."""
    shown = client.get(page("change", webhook))
    typed = {field.html_name: field.value() for field in shown.context["adminform"].form}
    for name, value in re.findall(r'name="(initial-\w+)" value="([^"]*)"', shown.text):
        typed.setdefault(name, []).append(value)
    return typed


@pytest.fixture
def webhook(receiver):
    return make_webhook(receiver.url, "ticket.message")[0]


@pytest.mark.plan("SEC-A16")
def test_the_secret_is_shown_once_and_signs(login, ada, receiver):
    client = login(ada)

    made = client.post(reverse(ADD), FORM | {"url": receiver.url}, follow=True)

    secret = secret_in(made)
    webhook = Webhook.objects.get()
    assert made.redirect_chain == [(page("secret", webhook), 302)]
    assert "no-store" in made.headers["Cache-Control"]
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

    made = client.post(page("secret", webhook))
    kept = str(Session.objects.get(session_key=client.session.session_key).get_decoded())
    new = secret_in(client.get(made.url))
    again = client.get(made.url)

    owe_test(webhook)
    call_all()
    assert "whsec_" not in asked.text + made.text + made.url + str(made.cookies) + kept
    assert "whsec_" not in again.text
    assert "A secret is shown only once." in again.text
    assert receiver.calls[0].is_signed_with(new)
    assert not receiver.calls[0].is_signed_with(old)
    assert LogEntry.objects.get().get_change_message() == "Made a new secret."


@pytest.mark.plan("SEC-A16")
def test_a_secret_that_another_made_meanwhile_is_not_shown(login, ada, webhook):
    first, second = login(ada), Client()
    second.force_login(make_admin())
    for client in (first, second):
        client.post(page("secret", webhook))

    assert "whsec_" not in first.get(page("secret", webhook)).text
    assert secret_in(second.get(page("secret", webhook)))


@pytest.mark.plan("SEC-B17")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.2/", ["127.0.0.2 is not on the public internet.", HOW_TO_ALLOW]),
        ("http://93.184.215.14/", ["The address must begin with https://.", HOW_TO_ALLOW]),
        ("https://ada:word@93.184.215.14/", ["An address must not hold a name or a password."]),
    ],
)
def test_an_address_is_refused_with_the_reason_and_what_was_typed_stays(login, ada, url, words):
    client = login(ada)

    refused = client.post(reverse(ADD), FORM | {"url": url})
    nothing = Webhook.objects.count()
    client.post(reverse(ADD), FORM | {"url": "https://93.184.215.14/"})

    form = refused.context["adminform"].form
    assert form.errors == {"url": words}
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

    client.post(page("change", webhook), as_shown(client, webhook) | {"is_active": ""})
    dropped = list(WebhookDelivery.objects.values_list("state"))
    Webhook.objects.update(failing_since=ticket.created_at)
    client.post(page("change", webhook), as_shown(client, webhook) | {"is_active": "on"})

    webhook.refresh_from_db()
    assert dropped == [("dropped",)]
    assert (webhook.is_active, webhook.failing_since) == (True, None)


def test_who_saves_what_switched_itself_off_needs_it_no_more(login, ada, webhook, ticket):
    Webhook.objects.update(is_active=False, failing_since=ticket.created_at)
    client = login(ada)

    client.post(page("change", webhook), as_shown(client, webhook) | {"is_active": ""})

    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failing_since) == (False, None)


def test_what_was_changed_in_another_tab_stays(login, ada, webhook, ticket, bob):
    """Also that it was switched off, by somebody or after failing for days."""
    client = login(ada)
    one, other = as_shown(client, webhook), as_shown(client, webhook)

    client.post(page("change", webhook), one | {"is_active": "", "events": ["ticket.closed"]})
    client.post(page("change", webhook), other | {"name": "ERP", "with_words": "on"})

    webhook.refresh_from_db()
    changed = (webhook.name, webhook.with_words, webhook.is_active, webhook.events)
    assert changed == ("ERP", True, False, ["ticket.closed"])


@pytest.mark.parametrize("shown_on", [True, False])
def test_who_changes_the_name_leaves_the_switch(login, ada, webhook, ticket, bob, shown_on):
    """Whatever it was while they had the page open: what is owed stays owed, and that one which
    switched itself off has failed stays on record."""
    Webhook.objects.update(is_active=shown_on)
    client = login(ada)
    typed = as_shown(client, webhook) | {"name": "ERP"}
    Webhook.objects.update(is_active=not shown_on, failing_since=ticket.created_at)
    post_message(ticket, by=bob, body="Hello")

    client.post(page("change", webhook), typed)

    webhook.refresh_from_db()
    kept = (webhook.name, webhook.is_active, webhook.failing_since)
    assert kept == ("ERP", not shown_on, ticket.created_at)
    states = list(WebhookDelivery.objects.values_list("state", flat=True))
    assert states == ([] if shown_on else ["owed"])


def test_what_the_worker_wrote_meanwhile_stays(login, ada, webhook, monkeypatch):
    """To look up the name in the address takes a moment."""
    now, client = timezone.now(), login(ada)
    typed = as_shown(client, webhook) | {"name": "ERP"}
    monkeypatch.setattr(
        "notifications.webhooks.client.check",
        lambda url, **named: Webhook.objects.update(failing_since=now, leased_until=now),
    )

    client.post(page("change", webhook), typed)

    webhook.refresh_from_db()
    assert (webhook.name, webhook.failing_since, webhook.leased_until) == ("ERP", now, now)


def test_a_test_is_owed_and_arrives(login, ada, webhook, receiver):
    response = login(ada).post(page("test", webhook))

    call_all()
    assert response.url == f"{reverse(LIST)}?webhook__id__exact={webhook.pk}"
    assert receiver.heard == ["webhook.test"]


def test_what_is_switched_off_gets_no_test_and_nothing_again(login, ada, webhook, ticket, bob):
    """But words that say what to do first."""
    post_message(ticket, by=bob, body="Hello")
    switch_off(webhook)
    client = login(ada)
    chosen = WebhookDelivery.objects.values_list("pk", flat=True)

    asked = client.get(page("test", webhook), follow=True)
    tested = client.post(page("test", webhook), follow=True)
    again = client.post(reverse(LIST), {"action": "replay", "_selected_action": chosen})

    words = "Nothing is sent to “CRM” while it is off. Switch it on first."
    for answer in (asked, tested):
        assert answer.redirect_chain == [(page("change", webhook), 302)]
        assert texts(answer, ".messagelist") == [words]
    assert [str(each) for each in get_messages(again.wsgi_request)] == [
        "Nothing is sent to what is switched off. Switch it on first: CRM"
    ]
    assert list(WebhookDelivery.objects.values_list("event", "state")) == [
        ("ticket.message", "dropped")
    ]


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


@pytest.mark.plan("SEC-H6")
@pytest.mark.parametrize(
    ("person", "status", "state"), [("ada", 302, "owed"), ("bob", 403, "sent")]
)
def test_send_again(login, request, webhook, ticket, bob, person, status, state):
    post_message(ticket, by=bob, body="Hello")
    call_all()
    (pk,) = WebhookDelivery.objects.values_list("pk", flat=True)
    chosen = {"action": "replay", "_selected_action": pk}
    client = login(request.getfixturevalue(person))

    asked = client.post(reverse(LIST), chosen)
    before = WebhookDelivery.objects.get().state, LogEntry.objects.count()
    response = client.post(reverse(LIST), chosen | {"answered": "yes"})

    assert ("1 was sent already" in asked.text, before) == (status == 302, ("sent", 0))
    assert response.status_code == status
    assert WebhookDelivery.objects.get().state == state
    lines = LogEntry.objects.values_list("object_id", "change_message")
    assert list(lines) == ([(str(pk), "Sent again.")] if status == 302 else [])


def test_its_own_page_says_that_it_fails_and_since_when(login, ada, webhook):
    client, since = login(ada), timezone.now()

    Webhook.objects.update(failing_since=None)
    well = client.get(page("change", webhook)).text
    Webhook.objects.update(failing_since=since)
    failing = client.get(page("change", webhook)).text

    assert failing_since(well) == "-"
    assert failing_since(failing) == localize(timezone.localtime(since))
    assert "Failing since" not in client.get(reverse(ADD)).text


def test_two_webhooks_have_two_names(login, ada, webhook, receiver):
    answer = login(ada).post(reverse(ADD), FORM | {"url": receiver.url, "name": webhook.name})

    assert "Another webhook has this name." in answer.text


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

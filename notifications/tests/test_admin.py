"""The administrator sees what was owed and what became of it, and can have it sent again."""

import re

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from careregistry.tests.plans import plan_of
from notifications.models import AddressTrouble, Notification, OutgoingMail, ShortMessage
from notifications.owed import LEASE
from notifications.owing import owe
from notifications.receivers import owe_ticket_mail
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts

State = OutgoingMail.State
LIST = "admin:notifications_outgoingmail_changelist"
TOLD = "admin:notifications_notification_changelist"


def make_mail(alice, **fields):
    return OutgoingMail.objects.create(recipient=alice, email=alice.email, **fields)


def make_failed_mail(alice, ticket):
    mail = make_mail(alice, ticket=ticket, state=State.FAILED, tries=1, last_answer="550 No")
    Notification.objects.filter(recipient=alice, kind="assigned").update(mail=mail)
    return mail


def test_state_and_reason_are_visible(login, ada, alice, ticket):
    """P2"""
    make_failed_mail(alice, ticket)

    page = login(ada).get(reverse(LIST)).content.decode()

    assert "550 No" in page
    assert "Given up" in page
    assert "Agent assigned, to the customer" in page


@time_machine.travel("2026-11-04 12:00:00+00:00", tick=False)
def test_the_page_of_one_says_the_next_try_by_the_readers_clock(login, ada, alice):
    ada.time_zone = "Asia/Kolkata"
    ada.save()
    mail = make_mail(alice, tries=1, last_answer="451 Later", next_try_at=timezone.now())

    page = login(ada).get(reverse("admin:notifications_outgoingmail_change", args=[mail.pk]))

    assert any("4 Nov 2026, 17:30" in words for words in texts(page, ".field-due"))


def test_how_far_each_way_got_is_visible(login, ada, alice, ticket):
    mail = make_failed_mail(alice, ticket)
    told = mail.notifications.get()
    more = {"recipient": alice, "expires_at": timezone.now()}
    ShortMessage.objects.create(channel="push", notification=told, **more)
    client = login(ada)

    page = client.get(reverse("admin:notifications_notification_change", args=[told.pk])).text

    words = "Bell: not read yet<br>Mail: given up: 550 No<br>Push: waits to be sent<br>"
    assert words in page
    listed = client.get(reverse("admin:notifications_notification_changelist"))
    assert "Push: Waiting to be sent" in listed.text


def test_a_mail_that_became_a_file_was_accepted_by_nobody(login, ada, alice):
    """D0-22: and it was tried once."""
    sent = {"state": State.SENT, "sent_at": timezone.now(), "last_answer": "Written to /data/mail"}
    make_mail(alice, **sent)

    page = login(ada).get(reverse(LIST))

    cells = [texts(page, f".field-{name}") for name in ("became", "times_tried")]
    assert cells == [["Written to a file Written to /data/mail"], ["1"]]


@pytest.mark.parametrize(
    ("outcome", "answer", "words"),
    [
        ("owed", "", "Waiting to be sent"),
        ("sending", "The server answers slowly", "Being sent"),
        ("sent", "250 Ok", "Accepted by the server"),
        ("file", "Written to /data/mail", "Written to a file"),
        ("failed", "550 No", "Given up"),
        ("dropped", "They have read it.", "Not sent on purpose"),
    ],
)
def test_the_outbox_is_chosen_by_the_states_it_shows(login, ada, alice, outcome, answer, words):
    """D0-22: what became a file was accepted by no server, and what is being sent does not wait."""
    now = timezone.now()
    make_mail(alice)
    make_mail(alice, leased_until=now + LEASE, last_answer="The server answers slowly")
    make_mail(alice, state=State.SENT, sent_at=now, last_answer="250 Ok")
    make_mail(alice, state=State.SENT, sent_at=now, last_answer="Written to /data/mail")
    make_mail(alice, state=State.FAILED, last_answer="550 No")
    make_mail(alice, state=State.DROPPED, last_answer="They have read it.")
    for mail in OutgoingMail.objects.all():
        Notification.objects.create(recipient=alice, kind="welcome", cause=f"{mail.pk}", mail=mail)
    client = login(ada)

    page = client.get(reverse(LIST), {"state": outcome})
    told = client.get(reverse("admin:notifications_notification_changelist"), {"mail": outcome})

    assert texts(page, ".selected") == [words]
    assert texts(page, ".field-became") == [f"{words} {answer}".strip()]
    assert texts(told, ".field-mail_state") == [words]


def test_what_is_leased_is_being_sent(login, ada, alice):
    """What a killed worker held is not due in the past."""
    make_mail(alice, leased_until=timezone.now() + LEASE)

    page = login(ada).get(reverse(LIST))

    assert (texts(page, ".field-became"), texts(page, ".field-when")) == (["Being sent"], ["-"])


@time_machine.travel("2026-11-21T20:19:00+00:00", tick=False)
def test_the_clock_of_the_lists_is_that_of_all_pages(login, ada, alice):
    """20:19, not 8:19 p.m."""
    make_mail(alice)
    ada.time_zone = "UTC"
    ada.save()

    page = login(ada).get(reverse(LIST))

    assert texts(page, ".field-when") == ["21 Nov 2026, 20:19"]


@pytest.mark.parametrize("term", ["ALICE@", " user:1 "])
def test_what_somebody_was_told_is_found_by_address_or_cause(login, ada, alice, carol, term):
    """By its beginning: an index knows it, however many were told of something."""
    owe("welcome", alice, cause="user:1")
    owe("welcome", carol, cause="user:10")

    client = login(ada)

    found, within = (
        list(client.get(reverse(TOLD), {"q": words}).context["cl"].result_list)
        for words in (term, "ser:1" if ":" in term else "lice@")
    )

    assert [(each.recipient, each.cause) for each in found] == [(alice, "user:1")]
    assert within == []


@pytest.mark.parametrize("name", ["notification", "outgoingmail"])
def test_lists_are_for_reading(login, ada, alice, ticket, name):
    mail = make_failed_mail(alice, ticket)
    row = mail if name == "outgoingmail" else mail.notifications.get()
    page = f"admin:notifications_{name}"
    client = login(ada)

    assert client.get(reverse(f"{page}_changelist")).status_code == 200
    assert client.get(reverse(f"{page}_change", args=[row.pk])).status_code == 200
    assert client.get(reverse(f"{page}_add")).status_code == 403
    assert client.post(reverse(f"{page}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"{page}_delete", args=[row.pk]), {}).status_code == 403


@pytest.mark.parametrize("state", [State.OWED, State.FAILED])
def test_codes_are_not_shown(login, ada, alice, state):
    mail = make_mail(
        alice, state=state, subject="Password reset code", content={"text": "31415926", "html": ""}
    )
    client = login(ada)

    pages = [
        client.get(reverse(LIST)),
        client.get(reverse("admin:notifications_outgoingmail_change", args=[mail.pk])),
    ]

    assert [b"Password reset code" in page.content for page in pages] == [True, True]
    assert [b"31415926" in page.content for page in pages] == [False, False]


def test_search_by_address_and_message_id(login, ada, alice, bob):
    mail = make_mail(alice)
    make_mail(bob)
    client = login(ada)

    for words in (alice.email, " Ali", mail.message_id, mail.message_id.strip("<>")):
        page = client.get(reverse(LIST), {"q": words})
        assert [row.pk for row in page.context["cl"].result_list] == [mail.pk]


def test_what_no_index_finds_is_not_looked_for(login, ada, alice):
    """The outbox has a row for each mail there ever was. Nor is it sorted otherwise."""
    mail = make_mail(alice)
    client = login(ada)

    for words in ("example.org", mail.message_id[5:]):
        assert list(client.get(reverse(LIST), {"q": words}).context["cl"].result_list) == []
    assert texts(client.get(reverse(LIST)), "th a") == []


def send_again(client, *mails, **more):
    chosen = {"action": "send_again", "_selected_action": [mail.pk for mail in mails]}
    return client.post(reverse(LIST), chosen | more)


def recorded():
    """Whose rows the activity log has, and what was done to them."""
    return list(LogEntry.objects.order_by("pk").values_list("object_id", "change_message"))


def test_send_again(login, ada, alice, ticket):
    mail = make_failed_mail(alice, ticket)

    response = send_again(login(ada), mail)

    mail.refresh_from_db()
    assert (mail.state, mail.tries) == ("owed", 0)
    assert [str(words) for words in get_messages(response.wsgi_request)] == [
        "1 mail is owed again."
    ]


def test_send_again_leaves_used_codes_alone(login, ada, alice):
    mail = make_mail(alice, state=State.SENT, sent_at=timezone.now())

    send_again(login(ada), mail)

    assert (OutgoingMail.objects.get().state, recorded()) == ("sent", [])


@pytest.mark.plan("SEC-H6")
def test_what_was_sent_is_sent_again_only_if_one_says_so(login, ada, alice, ticket):
    """And who did it is written down."""
    failed = make_failed_mail(alice, ticket)
    sent = make_mail(alice, ticket=ticket, state=State.SENT, sent_at=timezone.now())
    Notification.objects.filter(recipient=alice, mail=None).update(mail=sent)
    client = login(ada)

    asked = send_again(client, failed, sent)
    before = OutgoingMail.objects.filter(state=State.OWED).count(), recorded()
    send_again(client, failed, sent, answered="yes")

    assert "1 was sent already, and goes out a second time." in asked.text
    assert before == (0, [])
    assert OutgoingMail.objects.filter(state=State.OWED).count() == 2
    assert sorted(recorded()) == [(str(mail.pk), "Sent again.") for mail in (failed, sent)]


def test_one_question_sends_no_more_again_than_it_can_name(login, ada, alice):
    mails = [make_mail(alice, content={"text": "Hello"}, state=State.FAILED) for _ in range(101)]

    answer = send_again(login(ada), mails[0], select_across="1")

    assert [str(words) for words in get_messages(answer.wsgi_request)] == [
        "Choose at most 100 at once."
    ]
    assert not OutgoingMail.objects.filter(state=State.OWED).exists()


def again(mail):
    return reverse("admin:notifications_outgoingmail_again", args=[mail.pk])


@pytest.mark.plan("SEC-H6")
def test_one_is_sent_again_from_its_own_page(login, ada, alice, ticket):
    mail = make_failed_mail(alice, ticket)
    client, page = login(ada), reverse("admin:notifications_outgoingmail_change", args=[mail.pk])

    led = client.get(page).text
    asked = client.get(again(mail))
    unanswered = client.post(again(mail))
    before = recorded()
    done = client.post(again(mail), {"answered": "yes"})

    mail.refresh_from_db()
    assert f'<a href="{again(mail)}">Send again</a>' in led
    assert f"Send again: {mail}" in texts(asked, "#question")
    assert (unanswered.status_code, before) == (200, [])
    assert (done.url, mail.state, recorded()) == (page, "owed", [(str(mail.pk), "Sent again.")])


def test_whoever_sends_again_what_was_sent_is_told_so(login, ada, alice, ticket):
    mail = make_failed_mail(alice, ticket)
    OutgoingMail.objects.update(state=State.SENT, sent_at=timezone.now())

    assert "It was sent already, and goes out a second time." in login(ada).get(again(mail)).text


def test_a_used_code_s_page_does_not_offer_it(login, ada, alice):
    mail = make_mail(alice, state=State.SENT, sent_at=timezone.now())
    client = login(ada)

    page = client.get(reverse("admin:notifications_outgoingmail_change", args=[mail.pk]))
    client.post(again(mail), {"answered": "yes"})

    assert again(mail) not in page.text
    assert OutgoingMail.objects.get().state == State.SENT


@pytest.mark.plan("SEC-A5")
def test_mail_about_one_s_own_complaint_is_not_one_s_to_send_again(login, ada, alice):
    mail = make_mail(alice, ticket=make_ticket(requester=ada), content={"text": "Hello"})

    assert login(ada).get(again(mail)).status_code == 404
    assert login(ada).post(again(mail), {"answered": "yes"}).status_code == 404


@pytest.mark.parametrize("term", ["{ticket}", " {ticket} ", "alice@", "<{mail.message_id}>"])
def test_the_outbox_is_searched(login, ada, alice, bob, ticket, term):
    """D0-22: what happened to every single mail, also by the number that it shows."""
    OutgoingMail.objects.all().delete()
    mail = make_mail(alice, ticket=ticket)
    make_mail(bob, ticket=make_ticket(requester=bob))
    term = term.format(ticket=ticket.reference.lower(), mail=mail).replace("<<", "<")

    answer = login(ada).get(reverse(LIST), {"q": term})

    assert list(answer.context["cl"].result_list) == [mail]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="asks PostgreSQL for its plan")
def test_an_index_finds_the_mails_about_a_ticket(ticket):
    assert "outgoingmail_ticket_id" in plan_of(
        OutgoingMail.objects.filter(ticket=ticket).order_by()
    )


def test_the_outbox_leads_to_the_tickets(login, ada, alice, ticket):
    OutgoingMail.objects.all().delete()
    make_mail(alice, ticket=ticket)
    make_mail(alice)

    page = login(ada).get(reverse(LIST))

    url = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    assert f'<td class="field-to_ticket"><a href="{url}">{ticket.reference}</a></td>' in page.text
    assert texts(page, ".field-to_ticket") == ["-", ticket.reference]


@pytest.mark.parametrize(
    ("chosen", "emails"),
    [
        ({}, ["dead@example.org", "shaky@example.org"]),
        ({"flagged": "yes"}, ["dead@example.org"]),
        ({"flagged": "no"}, ["shaky@example.org"]),
    ],
)
def test_addresses_that_get_no_more_mail_can_be_chosen(login, ada, chosen, emails):
    AddressTrouble.objects.create(email="dead@example.org", flagged_at=timezone.now())
    AddressTrouble.objects.create(email="shaky@example.org")

    page = login(ada).get(reverse("admin:notifications_addresstrouble_changelist"), chosen)

    assert sorted(row.email for row in page.context["cl"].result_list) == emails


def test_without_trouble_the_mail_servers_say_what_would_stand_there(login, ada):
    page = login(ada).get(reverse("admin:notifications_circuit_changelist"))

    assert texts(page, ".help")[0].startswith("A server that refuses everything is left alone")
    assert texts(page, ".actions") == []


@pytest.mark.parametrize("person", ["alice", "bob", "pete"])
def test_send_again_is_for_administrators(login, request, alice, ticket, person):
    mail = make_failed_mail(alice, ticket)

    send_again(login(request.getfixturevalue(person)), mail)

    mail.refresh_from_db()
    assert mail.state == "failed"


@pytest.mark.parametrize("name", ["notification", "outgoingmail"])
def test_queries_do_not_grow_with_rows(
    login, ada, alice, ticket, name, django_assert_max_num_queries, django_assert_num_queries
):
    client = login(ada)
    page = reverse(f"admin:notifications_{name}_changelist")
    Notification.objects.all().delete()

    def add(number):
        for event in ticket.events.all()[:number]:
            owe_ticket_mail("assigned", alice, event=event)
        for notification in Notification.objects.filter(mail=None):
            notification.mail = make_mail(alice, ticket=ticket)
            notification.save()

    add(1)
    client.get(page)
    with django_assert_max_num_queries(15) as queries:
        client.get(page)
    add(3)
    with django_assert_num_queries(len(queries)):
        client.get(page)


def test_what_is_tried_no_more_has_no_next_try(login, ada):
    mail = OutgoingMail.objects.create(
        email="a@example.org", state="sent", sent_at=timezone.now(), content={"subject": "Hello"}
    )

    page = login(ada).get(reverse("admin:notifications_outgoingmail_change", args=[mail.pk])).text

    assert re.search(r'Next try:.*?<div class="readonly">(.*?)</div>', page, re.DOTALL)[1] == "-"

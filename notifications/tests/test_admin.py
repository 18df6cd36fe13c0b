"""The administrator sees what was owed and what became of it, and can have it sent again."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from notifications.models import Notification, OutgoingMail, ShortMessage
from notifications.receivers import owe_ticket_mail

State = OutgoingMail.State
LIST = "admin:notifications_outgoingmail_changelist"


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

    for words in (alice.email, mail.message_id):
        page = client.get(reverse(LIST), {"q": words})
        assert [row.pk for row in page.context["cl"].result_list] == [mail.pk]


def send_again(client, *mails):
    return client.post(
        reverse(LIST), {"action": "send_again", "_selected_action": [mail.pk for mail in mails]}
    )


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

    assert OutgoingMail.objects.get().state == "sent"


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

"""Who was told of what on a ticket, and how far it got: for staff."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from messaging.actions import post_message, post_note
from notifications.mail.addressing import address_notifications
from notifications.models import (
    Notification,
    OutgoingMail,
    Preference,
    Reaching,
    ShortMessage,
)
from tickets import actions
from tickets.relations import merging
from tickets.tests.factories import make_ticket
from tickets.tests.reading import text
from tickets.workflow import Status

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 4, 12, tzinfo=timezone.get_default_timezone())
SENT = {"state": "sent", "sent_at": NOON}


@pytest.fixture
def noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def page_of(ticket):
    return reverse("notifications:told", args=[ticket.reference])


def told(client, ticket, about=Notification.Kind.MESSAGE):
    """The words about each way, of each person told of ``about``; the newest first."""
    rows = client.get(page_of(ticket)).context["told"]
    return [
        (str(each.notification.recipient), *(f"{way.name}: {way.words}" for way in each.ways))
        for each in rows
        if each.notification.kind == about
    ]


def mail_of(notification, **fields):
    mail = OutgoingMail.objects.create(recipient=notification.recipient, email="x@y.test", **fields)
    Notification.objects.filter(pk=notification.pk).update(mail=mail)


@pytest.fixture
def message(noon, alice, ticket):
    """What Bob was told of Alice's message."""
    line = post_message(ticket, by=alice, body="A secret word")
    return Notification.objects.get(event=line)


# --- How far it got ---------------------------------------------------------------------


def test_the_bell_says_when_it_was_read(login, bob, ticket, message):
    assert told(login(bob), ticket)[0][1] == "Bell: not read yet"

    Notification.objects.update(read_at=NOON)

    assert told(login(bob), ticket)[0][1] == "Bell: read Wed 4 Nov, 12:00"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "waits to be sent"),
        (SENT, "accepted by the server Wed 4 Nov, 12:00"),
        (SENT | {"last_answer": "Written to /data/mail"}, "written to a file Wed 4 Nov, 12:00"),
        (
            {"last_answer": "The server refuses our sign-in", "next_try_at": NOON},
            "not accepted yet: The server refuses our sign-in. Next try Wed 4 Nov, 12:00",
        ),
        (
            {"tries": 2, "next_try_at": NOON + timedelta(minutes=4), "last_answer": "451 later"},
            "not accepted yet: 451 later. Next try Wed 4 Nov, 12:04",
        ),
        (
            {"next_try_at": NOON - timedelta(minutes=1), "last_answer": "451 later"},
            "not accepted yet: 451 later. Next try as soon as possible",
        ),
        ({"state": "failed", "last_answer": "554 no"}, "given up: 554 no"),
        ({"state": "dropped", "last_answer": "It expired."}, "not sent: It expired."),
        (
            SENT | {"state": "failed", "bounced_at": NOON, "last_answer": "550 5.1.1 unknown"},
            "came back Wed 4 Nov, 12:00: 550 5.1.1 unknown",
        ),
    ],
)
def test_the_mail_says_how_far_it_got(login, bob, ticket, message, fields, words):
    """Issue 6: "mail accepted by the server 10:42"."""
    mail_of(message, **fields)

    assert told(login(bob), ticket) == [("Bob Baker", "Bell: not read yet", f"Mail: {words}")]


@pytest.mark.parametrize(
    ("of_another", "last_answer", "words"),
    [
        ({}, "", "waits behind an earlier mail to the same person"),
        (
            {},
            "451 later",
            "not accepted yet: 451 later. Waits behind an earlier mail to the same person",
        ),
        ({"ticket": None}, "", "waits to be sent"),
        (SENT, "", "waits to be sent"),
    ],
)
def test_what_waits_behind_another_mail_says_so(
    login, bob, ticket, message, of_another, last_answer, words
):
    """As when the worker that had the first one was killed: it is tried when its lease ends."""
    first = {"ticket": ticket, "lease": uuid4(), "leased_until": NOON + timedelta(minutes=4)}
    OutgoingMail.objects.create(recipient=bob, email="x@y.test", **first | of_another)
    mail_of(message, ticket=ticket, last_answer=last_answer, next_try_at=NOON - timedelta(hours=1))

    assert told(login(bob), ticket)[0][2] == f"Mail: {words}"


def test_a_mail_that_nobody_has_looked_at_yet(login, bob, ticket, message):
    assert told(login(bob), ticket)[0][2] == "Mail: about to be written"


def wishes(bob, **reaching):
    daily = reaching.pop("is_daily", False)
    wanted = reaching.pop("is_wanted", True)
    Preference.objects.create(user=bob, kind="message", is_wanted=wanted, is_daily=daily)
    Reaching.objects.create(user=bob, **reaching)


def test_what_waits_for_the_digest_says_so(login, bob, ticket, message):
    wishes(bob, is_daily=True, digest_at=time(18))

    address_notifications()

    assert told(login(bob), ticket)[0][2] == "Mail: waits for the daily digest Wed 4 Nov, 18:00"


def test_what_was_read_while_it_waited_is_not_said_to_wait(login, bob, ticket, message):
    wishes(bob, is_daily=True, digest_at=time(18))
    address_notifications()
    Notification.objects.update(read_at=NOON)

    assert told(login(bob), ticket)[0][2] == "Mail: none will be sent, as it was read meanwhile"


def test_what_waits_for_the_end_of_quiet_hours_says_so(login, bob, ticket, message):
    wishes(bob, quiet_from=time(11), quiet_until=time(13))

    address_notifications()

    assert told(login(bob), ticket)[0][2] == "Mail: waits until quiet hours end Wed 4 Nov, 13:00"


def test_who_chose_otherwise_since_still_waits_for_what_they_had_chosen(
    login, bob, ticket, message
):
    wishes(bob, quiet_from=time(11), quiet_until=time(14))
    address_notifications()
    Reaching.objects.update(quiet_from=None, quiet_until=None)

    waits = "Mail: waits until Wed 4 Nov, 14:00, as was chosen when it happened"
    assert told(login(bob), ticket)[0][2] == waits


def test_what_was_too_much_for_the_hour_says_so(login, bob, ticket, message, settings):
    settings.MAILS_PER_HOUR = 1
    OutgoingMail.objects.create(recipient=bob, email=bob.email, **SENT)

    address_notifications()

    waits = "Mail: waits until Wed 4 Nov, 13:00, so that not too many mails come within an hour"
    assert told(login(bob), ticket)[0][2] == waits


def test_why_somebody_was_not_mailed_is_answered(login, bob, ticket, message):
    wishes(bob, is_wanted=False)

    address_notifications()

    reason = "Mail: not sent: The person chose not to be mailed about this."
    assert told(login(bob), ticket)[0][2] == reason


def test_push_and_sms_say_how_far_they_got(login, bob, ticket, message):
    more = {"recipient": bob, "notification": message, "expires_at": NOON}
    ShortMessage.objects.create(channel="push", **more, **SENT)
    ShortMessage.objects.create(channel="sms", **more, text="Code 31415926", state="dropped")

    assert told(login(bob), ticket)[0][3:] == (
        "Push: accepted by the server Wed 4 Nov, 12:00",
        "SMS: not sent: ",
    )


# --- To whom it says what -----------------------------------------------------------------


def test_it_names_person_and_occasion_and_never_the_words(login, alice, bob, ticket, message):
    page = login(bob).get(page_of(ticket))

    assert "Bob Baker New message · line 4" in text(page, "#main")
    assert "Alice Archer Ticket received · line 1" in text(page, "#main")
    assert "A secret word" not in page.text
    assert alice.email not in page.text


def test_an_open_ticket_asks_for_the_list_alone(login, bob, ticket, message):
    page = login(bob).get(page_of(ticket), headers={"HX-Request": "true"})

    assert "<html" not in page.text
    assert "Bob Baker" in page.text
    assert page_of(ticket) in login(bob).get(ticket.workspace_url).text


@pytest.mark.parametrize(("name", "is_named"), [("bob", False), ("ada", True)])
def test_addresses_in_the_answers_of_servers_are_for_administrators(
    login, request, ticket, message, name, is_named
):
    answer = "550 5.1.1 <bob.private@example.org>: unknown"
    mail_of(message, state="failed", last_answer=answer)

    words = told(login(request.getfixturevalue(name)), ticket)[0][2]

    assert words == f"Mail: given up: {answer if is_named else '550 5.1.1 …: unknown'}"


@pytest.mark.plan("SEC-A5")
def test_who_may_not_read_notes_does_not_learn_who_was_told_of_one(
    login, alice, bob, dave, ada, kettles, ticket
):
    """Dave sees the ticket because he has another of Alice's."""
    make_ticket(alice, dave, category=kettles, by=ada)
    actions.change_status(ticket, Status.WAITING, by=bob)
    post_note(ticket, by=ada, body="Careful")

    assert len(told(login(bob), ticket)) == 1
    assert told(login(dave), ticket) == []
    assert told(login(dave), ticket, about="ticket_raised")


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize(
    ("name", "status"), [("alice", 403), ("bob", 200), ("dave", 404), ("ada", 200), ("pete", 403)]
)
def test_only_staff_who_see_the_ticket_learn_it(login, request, ticket, name, status):
    assert login(request.getfixturevalue(name)).get(page_of(ticket)).status_code == status


def test_an_agent_reads_of_their_own_ticket_what_customers_do(login, bob, kettles):
    own = make_ticket(bob, category=kettles)

    assert login(bob).get(page_of(own)).headers["Location"] == own.get_absolute_url()


def test_what_was_merged_into_it_is_there_too(login, alice, bob, ada, kettles, ticket):
    twin = make_ticket(alice, bob, category=kettles, by=ada)
    merging.merge(twin, into=ticket, by=bob)

    raised = told(login(bob), ticket, about="ticket_raised")

    assert [row[0] for row in raised] == ["Alice Archer", "Alice Archer"]
    assert told(login(bob), twin, about="ticket_raised") == raised


def test_nobody_was_told(login, bob, ticket):
    Notification.objects.all().delete()

    assert "Nobody had to be told yet." in login(bob).get(page_of(ticket)).text


def test_it_costs_the_same_for_one_as_for_three(
    login, alice, bob, ticket, message, django_assert_num_queries
):
    Notification.objects.exclude(pk=message.pk).delete()
    client = login(bob)
    client.get(page_of(ticket))

    with django_assert_num_queries(8) as queries:
        client.get(page_of(ticket))
    for _ in range(2):
        post_message(ticket, by=alice, body="And?")
    with django_assert_num_queries(len(queries)):
        client.get(page_of(ticket))


def test_whether_mails_wait_behind_others_is_asked_once(
    login, alice, bob, ticket, message, django_assert_num_queries
):
    for _ in range(2):
        post_message(ticket, by=alice, body="And?")
    address_notifications()
    client = login(bob)
    client.get(page_of(ticket))

    with django_assert_num_queries(9):
        client.get(page_of(ticket))

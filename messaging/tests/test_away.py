"""Whoever writes while nobody is there reads at once when somebody will be (D1-14)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from messaging.actions import post_message, post_note
from notifications.models import Notification
from tickets import actions, history
from tickets.models import Channel, Ticket
from tickets.parties import participants
from tickets.promise import away
from tickets.tests.factories import make_category, make_policy, make_ticket
from tickets.workflow import Status

from .talking import reply

pytestmark = pytest.mark.django_db

WORDS = "Nobody is here right now."
FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)
SUNDAY = SATURDAY + timedelta(days=1)
MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(moment):
    return time_machine.travel(moment, tick=False)


@pytest.fixture
def office(kettles):
    """Open in the week from nine to five, in London; with words for the other hours."""
    make_policy()
    kettles.away_words = WORDS
    kettles.save()
    away.forget()
    return kettles


@pytest.fixture
def open_ticket(office, alice, bob, ada):
    """Alice's, raised while somebody is there."""
    with at(FRIDAY_NOON):
        return make_ticket(alice, bob, category=office, by=ada)


def answers_on(ticket):
    lines = ticket.events.filter(actor=None, kind="message").order_by("number")
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/London", "09:00"), ("Asia/Tokyo", "18:00"), ("", "09:00")]
)
def test_who_writes_out_of_hours_reads_when_somebody_is_back(open_ticket, alice, zone, hour):
    """At once, in the time of who asks."""
    alice.time_zone = zone
    alice.save()
    with at(SATURDAY):
        post_message(open_ticket, by=alice, body="Still cold.")

    asked, answered = open_ticket.events.order_by("-number")[:2][::-1]
    assert (asked.text, asked.actor) == ("Still cold.", alice)
    assert answered.text == f"{WORDS}\n\nWe are back Monday 23 November at {hour}."
    assert (answered.actor, answered.audience) == (None, "everyone")
    assert answered.data["rule"] == "out_of_hours"
    assert list(history.problems(Ticket.objects.all())) == []


def test_it_is_said_once_until_somebody_is_there(open_ticket, alice):
    for moment in (SATURDAY, SUNDAY, MONDAY_NOON, MONDAY_NOON + timedelta(hours=9)):
        with at(moment):
            post_message(open_ticket, by=alice, body="Still cold.")

    assert [text.rpartition("back ")[2] for text in answers_on(open_ticket)] == [
        "Monday 23 November at 09:00.",
        "Tuesday 24 November at 09:00.",
    ]


def test_who_raises_a_ticket_reads_it_there(office, alice):
    """... and gets one mail, not two: the receipt says it as well."""
    with at(SATURDAY):
        ticket = make_ticket(alice, category=office)

    assert len(answers_on(ticket)) == 1
    owed = Notification.objects.filter(recipient=alice).values_list("kind", flat=True)
    assert list(owed) == ["ticket_raised"]


def test_nobody_is_put_off_while_somebody_is_there(open_ticket, alice):
    with at(MONDAY_NOON):
        post_message(open_ticket, by=alice, body="Still cold.")

    assert answers_on(open_ticket) == []


def test_a_category_without_opening_hours_is_never_closed(kettles, alice):
    kettles.away_words = WORDS
    kettles.save()
    with at(SATURDAY):
        ticket = make_ticket(alice, category=kettles)

    assert answers_on(ticket) == []


@pytest.mark.parametrize(
    ("own", "above", "said"),
    [("Own words.", WORDS, "Own words."), ("", WORDS, WORDS), (" \n", "", None)],
)
def test_a_category_says_what_the_one_above_it_says(alice, own, above, said):
    make_policy()
    parent = make_category(away_words=above)
    with at(SATURDAY):
        ticket = make_ticket(alice, category=make_category(parent=parent, away_words=own))

    assert [text.partition("\n")[0] for text in answers_on(ticket)] == ([said] if said else [])


def test_it_is_no_answer_of_ours(open_ticket, alice, bob):
    """D1-15: it keeps no promise, moves nothing, and the customer still had the last word."""
    with at(FRIDAY_NOON):
        actions.change_status(open_ticket, Status.WAITING, by=bob)
    with at(SATURDAY):
        post_message(open_ticket, by=alice, body="Here is the number.")

    open_ticket.refresh_from_db()
    assert len(answers_on(open_ticket)) == 1
    assert open_ticket.status == Status.OPEN
    assert (open_ticket.first_responded_at, open_ticket.last_message_by) == (None, "requester")
    assert open_ticket.due_at == datetime(2026, 11, 23, 17, tzinfo=UTC)


def test_a_participant_is_answered_and_staff_are_not(open_ticket, alice, bob, ada, carol):
    with at(SATURDAY):
        post_message(open_ticket, by=bob, body="I look at it.")
        post_note(open_ticket, by=bob, body="Odd.")
        for_alice = actions.raise_ticket(
            by=bob, requester=alice, category=open_ticket.category, subject="By phone",
            description="It leaks.", channel=Channel.PHONE,
        )  # fmt: skip
        assert answers_on(open_ticket) + answers_on(for_alice) == []

        participants.add(open_ticket, carol.email, by=ada)
        post_message(open_ticket, by=carol, body="Mine too.")

    assert len(answers_on(open_ticket)) == 1


def test_the_other_side_still_hears_of_the_message(open_ticket, alice, bob):
    with at(SATURDAY):
        post_message(open_ticket, by=alice, body="Still cold.")

    heard = Notification.objects.filter(kind="message").order_by("recipient__first_name")
    assert [(each.recipient, each.event.text[:8]) for each in heard] == [
        (alice, "Nobody i"),
        (bob, "Still co"),
    ]


@pytest.mark.parametrize(("reader", "url"), [("alice", "ticket"), ("bob", "workspace_ticket")])
def test_the_page_says_that_it_is_automatic(login, request, open_ticket, alice, reader, url):
    with at(SATURDAY):
        post_message(open_ticket, by=alice, body="Still cold.")
        client = login(request.getfixturevalue(reader))
        page = client.get(reverse(f"messaging:{url}", args=[open_ticket.reference])).text

    assert "automatic answer" in page
    assert "ccr-avatar--bot" in page


def test_the_form_of_the_page_is_answered_too(login, open_ticket, alice):
    with at(SATURDAY):
        reply(login(alice), open_ticket, "Still cold.")

    assert len(answers_on(open_ticket)) == 1


def test_without_words_it_costs_nothing(open_ticket, alice, office, django_assert_num_queries):
    """The words of all categories are remembered."""
    office.away_words = ""
    office.save()
    away.forget()
    away.words_for(open_ticket)

    with django_assert_num_queries(0):
        assert away.words_for(open_ticket) == ""


def test_words_that_an_administrator_changes_are_said_at_once(
    login, ada, alice, office, django_capture_on_commit_callbacks
):
    with at(SATURDAY):
        before = make_ticket(alice, category=office)
        form = {
            "name": office.name, "team_name": "Returns", "position": 0, "is_active": "on",
            "default_priority": "normal", "routing": "manual", "away_words": "Back soon.",
            "fields-TOTAL_FORMS": 0, "fields-INITIAL_FORMS": 0,
            "experts-TOTAL_FORMS": 0, "experts-INITIAL_FORMS": 0,
        }  # fmt: skip
        with django_capture_on_commit_callbacks(execute=True):
            page = reverse("admin:tickets_category_change", args=[office.pk])
            assert login(ada).post(page, form).status_code == 302
        after = make_ticket(alice, category=office)

    assert answers_on(before)[0].startswith(WORDS)
    assert answers_on(after)[0].startswith("Back soon.")

"""What is promised, on pages: why then, another time, the place in line, how long it takes."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from careregistry.tests.plans import plan_of
from notifications.mail.composing import compose
from notifications.mail.outbox import address_notifications
from notifications.models import OutgoingMail
from tickets import actions
from tickets.models import TicketEvent
from tickets.promise import sla, usual
from tickets.promise.deadlines import earlier_in_line, outlook_of, why
from tickets.tests.factories import make_calendar, make_category, make_policy, make_ticket
from tickets.workflow import Status

FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


def on_friday(**span):
    return time_machine.travel(FRIDAY + timedelta(**span), tick=False)


def deadline_of(ticket):
    return reverse("tickets:deadline", args=[ticket.reference])


@pytest.fixture
def office(db):
    calendar = make_calendar()
    calendar.holidays.create(day=date(2026, 11, 23), name="Founder's day")
    return calendar


def test_the_deadline_is_explained_step_by_step(alice, office):
    """D1-15, D3-2"""
    make_policy(answer=4, calendar=office)
    with on_friday():
        ticket = make_ticket(alice)

        assert why(ticket) == [
            "An answer is promised within 4\xa0h of opening time.",
            "The time counts from Fri 20 Nov, 16:00.",
            "Fri 20 Nov, from 16:00 to 17:00: 1\xa0h",
            "Mon 23 Nov is a holiday and does not count.",
            "Tue 24 Nov, from 09:00 to 12:00: 3\xa0h",
            "That is Tue 24 Nov, 12:00.",
        ]


def test_what_was_promised_stays_and_nobody_says_it_was_moved(alice, office):
    """D1-15: a service level that is changed later explains nothing of earlier promises."""
    policy = make_policy(answer=4, calendar=office)
    with on_friday():
        ticket = make_ticket(alice)
        policy.answer_within = timedelta(hours=2)
        policy.save()
        sla.forget()

        assert why(ticket) == [
            "The time counts from Fri 20 Nov, 16:00.",
            "Opening hours or service levels were changed since. What was promised stays: "
            "Tue 24 Nov, 12:00.",
        ]


def test_day_and_night_needs_no_calendar(alice):
    with on_friday():
        ticket = make_ticket(alice)

        assert why(ticket) == [
            "An answer is promised within 4\xa0h, day and night.",
            "The time counts from Fri 20 Nov, 16:00.",
            "That is Fri 20 Nov, 20:00.",
        ]


@pytest.mark.parametrize("count", [1, 3])
def test_missed_promises_of_a_list_cost_no_query(
    login, alice, office, django_assert_num_queries, count
):
    """D1-15: the next promise is reckoned from what is known."""
    make_policy(answer=4, calendar=office)
    for _n in range(count):
        with on_friday():
            make_ticket(alice)
    with on_friday(days=9):
        client = login(alice)
        client.get(reverse("tickets:list"))  # learns the service levels

        with django_assert_num_queries(7):
            answer = client.get(reverse("tickets:list"))

    assert answer.text.count("This is taking longer than we said.") == count


def test_a_long_way_is_not_told_day_by_day(alice, office):
    make_policy(answer=200, calendar=office)
    with on_friday():
        steps = why(make_ticket(alice))

    assert steps[-2] == "And so on, for as long as it is open each day."
    assert len(steps) == 1 + 1 + 7 + 1 + 1 + 1  # promise, start, pieces, holiday, and so on, end


def test_there_is_nothing_to_explain_while_the_customer_is_asked(alice, bob, ticket):
    actions.change_status(ticket, Status.WAITING, by=bob)

    assert why(ticket) == []


def test_the_customer_reads_by_when_an_agent_answers_and_why(login, alice, office):
    """D1-15, D3-2: in plain words, after raising and on the ticket."""
    make_policy(answer=4, calendar=office)
    with on_friday():
        ticket = make_ticket(alice)
        pages = [
            login(alice).get(reverse(name, args=[ticket.reference])).text
            for name in ("tickets:done", "messaging:ticket")
        ]

    for page in pages:
        assert "An agent will answer by Tuesday 12:00." in page
        assert "Mon 23 Nov is a holiday and does not count." in page
        assert "Yours is the next to be taken." in page


def test_an_agent_moves_the_deadline_and_the_customer_reads_why(login, alice, bob, ticket):
    """D1-15"""
    to = timezone.localtime() + timedelta(days=2)
    answer = login(bob).post(
        deadline_of(ticket),
        {"to": f"{to:%Y-%m-%dT%H:%M}", "reason": "The part comes on Friday."},
        follow=True,
    )

    assert answer.redirect_chain == [(ticket.workspace_url, 302)]
    ticket.refresh_from_db()
    assert ticket.due_at == to.replace(second=0, microsecond=0)
    page = login(alice).get(ticket.get_absolute_url()).text
    assert "The answer is promised by" in page
    assert "The part comes on Friday." in page
    assert "We moved it to" in page
    address_notifications()
    owed = OutgoingMail.objects.filter(recipient=alice, state=OutgoingMail.State.OWED)
    mail = compose(owed.order_by("-pk").first())
    assert "\nThe answer is promised for another time\n" in mail.body
    assert "> The part comes on Friday." in mail.body


@pytest.mark.parametrize(
    ("days", "reason", "error"),
    [
        pytest.param(1, "", "Tell the customer why", id="no reason"),
        pytest.param(-1, "Because.", "Enter a time to come, within a year", id="past"),
        pytest.param(400, "Because.", "Enter a time to come, within a year", id="far"),
        pytest.param(None, "Because.", "Enter a day and a time", id="no time"),
    ],
)
def test_a_deadline_without_sense_is_refused_beside_the_field(
    login, bob, ticket, days, reason, error
):
    to = f"{timezone.localtime() + timedelta(days=days):%Y-%m-%dT%H:%M}" if days else ""
    lines = ticket.event_count

    answer = login(bob).post(deadline_of(ticket), {"to": to, "reason": reason})

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert [str(words[0]) for words in errors.values()] == [error]
    ticket.refresh_from_db()
    assert ticket.event_count == lines


def test_an_administrator_moves_it_in_the_console(login, ada, ticket):
    url = reverse("admin:tickets_ticket_deadline", args=[ticket.pk])
    to = timezone.localtime() + timedelta(days=2)
    words = {"to": f"{to:%Y-%m-%dT%H:%M}", "reason": "The part comes on Friday."}

    assert "An answer is promised within" in login(ada).get(url).text
    assert login(ada).post(url, words).status_code == 302

    line = ticket.events.get(kind=TicketEvent.Kind.PROMISED)
    assert (line.actor, line.text) == (ada, "The part comes on Friday.")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (0, "Yours is the next to be taken."),
        (1, "1 ticket is before yours."),
        (3, "3 tickets are before yours."),
    ],
)
def test_the_place_in_line(login, alice, bob, carol, ada, kettles, before, words):
    """D1-15: the tickets that nobody has and that were raised earlier; the later ones don't
    count."""
    for _n in range(before):
        make_ticket(carol, category=kettles)
    make_ticket(carol, bob, category=kettles, by=ada)
    ticket = make_ticket(alice, category=kettles)
    make_ticket(carol, category=kettles)
    url = reverse("tickets:place", args=[ticket.reference])

    assert words in login(alice).get(url).text
    actions.assign(ticket, to=bob, by=ada)
    assert login(alice).get(url).text.strip() == '<p id="place" hidden></p>'


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
def test_the_place_is_counted_along_an_index(ticket):
    assert "ticket_unassigned" in plan_of(earlier_in_line(ticket).values("pk")[:100])


def test_the_place_is_counted_no_further_than_a_limit(alice, kettles, monkeypatch):
    for _n in range(3):
        ticket = make_ticket(alice, category=kettles)
    monkeypatch.setattr("tickets.promise.deadlines.LIMIT", 2)

    assert outlook_of(ticket).place == "More than 1 tickets are before yours."


@pytest.mark.parametrize("count", [9, 10])
def test_how_long_it_usually_takes_when_enough_are_known(alice, kettles, count):
    """D1-15: the median of 90 days, kept by a job."""
    with on_friday(days=-100):
        make_resolved(alice, kettles, hours=1)
    for n in range(count):
        with on_friday(days=-20):
            make_resolved(alice, kettles, hours=n + 1)
    with on_friday():
        usual.measure()
        ticket = make_ticket(alice, category=kettles)
        kettles.refresh_from_db()

        lengths = (kettles.usual_answer, kettles.usual_solution)
        assert lengths == ((5.5 * HOUR,) * 2 if count == 10 else (None, None))
        said = "Lately half of the tickets about this were resolved within 5\xa0h 30."
        ticket.category = kettles
        assert outlook_of(ticket).usual == (said if count == 10 else "")


def make_resolved(requester, category, hours):
    """Answered and resolved so many hours after it was raised."""
    ticket = make_ticket(requester, category=category, status=Status.RESOLVED)
    type(ticket).objects.filter(pk=ticket.pk).update(
        first_responded_at=ticket.created_at + hours * HOUR,
        resolved_at=ticket.created_at + hours * HOUR,
    )


def test_everybody_reads_what_we_help_with_and_how_soon(client, kettles):
    """D0-23: each kind of complaint with its usual answer time."""
    make_category("Kettles", parent=kettles)
    make_category("Shut", is_active=False)
    make_policy(answer=8, category=kettles)
    kettles.usual_answer = 2 * HOUR
    kettles.save()

    answer = client.get(reverse("tickets:services"))

    (service,) = answer.context["services"]
    assert (service.name, service.usual) == ("Faulty product", "2\xa0h")
    assert [part.name for part in service.parts] == ["Kettles"]
    assert service.promise == "An answer is promised within 8\xa0h of opening time."
    assert "Lately it took 2\xa0h." in answer.text


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_services_costs_one_query(client, db, django_assert_num_queries, count):
    for _n in range(count):
        make_category()
    client.get(reverse("tickets:services"))  # learns the service levels

    with django_assert_num_queries(1):
        client.get(reverse("tickets:services"))

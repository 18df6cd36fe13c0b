"""Load data is lawful, and the same wherever it is loaded."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F, Q, Sum

from accounts.models import Role, User
from accounts.tests.factories import make_user
from tickets import actions, anchors, history
from tickets.models import (
    Audience,
    Category,
    DaySummary,
    Expertise,
    Feedback,
    Priority,
    ReferenceCounter,
    Ticket,
    TicketEvent,
)
from tickets.tests.factories import make_ticket
from tickets.workflow import LIVE, TRANSITIONS, Status

pytestmark = pytest.mark.django_db

Kind = TicketEvent.Kind


@pytest.fixture(autouse=True)
def folder_of_its_own(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def seed(tickets=300, seed=1, **options):
    out = StringIO()
    call_command("seed", tickets=tickets, seed=seed, verbosity=0, stdout=out, **options)
    return out.getvalue()


def everything():
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (User, Category, Ticket, TicketEvent, Feedback, ReferenceCounter, DaySummary)
    ]


def loaded_into_an_empty_database(**options):
    with transaction.atomic():
        seed(until=datetime(2026, 11, 20, tzinfo=UTC).date(), **options)
        loaded = everything()
        transaction.set_rollback(True)
    return loaded


def without_counter_keys(loaded):
    """An upsert takes keys from PostgreSQL's sequence that a rollback doesn't give back."""
    *rows, counters, days = loaded
    return [*rows, [row[1:] for row in counters], [row[1:] for row in days]]


def test_the_same_seed_gives_the_same_data():
    first = loaded_into_an_empty_database()
    second = loaded_into_an_empty_database()

    assert without_counter_keys(first) == without_counter_keys(second)


def test_another_seed_gives_other_data():
    people, _, tickets, lines, *_ = loaded_into_an_empty_database()
    other_people, _, other_tickets, other_lines, *_ = loaded_into_an_empty_database(seed=2)

    assert len(people) == len(other_people)
    assert len(tickets) == len(other_tickets)
    assert people != other_people
    assert tickets != other_tickets
    assert lines != other_lines


def test_every_history_holds():
    seed()

    assert Ticket.objects.count() == 300
    assert list(history.problems(Ticket.objects.all())) == []


def test_every_line_is_anchored():
    """As the worker would have done each day."""
    seed()

    (anchor,) = anchors.read()
    assert (anchor.lines, list(anchors.problems())) == (TicketEvent.objects.count(), [])


def test_tickets_stand_where_their_lines_led_them():
    seed()

    for ticket in Ticket.objects.select_related("status_event"):
        lines = list(ticket.events.all())
        moves = [line for line in lines if line.kind == Kind.STATUS]
        said = [line for line in lines if line.kind in (Kind.RAISED, Kind.MESSAGE)]
        came_from = [Status.NEW, *(move.data["to"] for move in moves)]
        assert ticket.status == came_from[-1]
        assert all((move.data["from"], move.data["to"]) in TRANSITIONS for move in moves)
        assert [move.data["from"] for move in moves] == came_from[:-1]
        assert ticket.status_event == (moves or lines)[-1]
        assert ticket.message_count == len(said)
        public = [line for line in lines if line.audience == Audience.EVERYONE]
        assert (ticket.created_at, ticket.last_event_at) == (lines[0].at, public[-1].at)
        assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_there_are_five_messages_to_a_ticket():
    seed(tickets=1000)

    messages = TicketEvent.objects.filter(kind=Kind.MESSAGE).count()

    assert 4.8 <= messages / 1000 <= 5.2


def test_most_tickets_have_ended():
    seed(live=50)

    live = Ticket.objects.live()
    assert live.count() == 50
    assert set(live.values_list("status", flat=True)) == set(LIVE)
    assert live.filter(assignee=None).exclude(status=Status.NEW).count() == 0
    assert live.filter(created_at__lt=Ticket.objects.all()[100].created_at).count() == 0
    assert Ticket.objects.filter(Q(status=Status.CLOSED) & ~Q(resolved_at=None)).count() > 200


def test_those_who_sign_in_have_much_to_look_at():
    said = seed(tickets=1000, password="three small words")

    customer, agent, admin = (
        User.objects.get(email=f"{name}@seed1.example.org")
        for name in ("customer", "agent", "admin")
    )
    assert said == (
        "With your password: customer@seed1.example.org, agent@seed1.example.org, "
        "admin@seed1.example.org\n"
    )
    assert [p.role for p in (customer, agent, admin)] == [Role.CUSTOMER, Role.AGENT, Role.ADMIN]
    assert all(p.check_password("three small words") for p in (customer, agent, admin))
    assert customer.requested_tickets.count() >= 10
    assert customer.requested_tickets.live().count() >= 15
    assert agent.assigned_tickets.live().count() >= 25
    longest = Ticket.objects.get(message_count__gt=100)
    assert (longest.requester, longest.assignee) == (customer, agent)
    assert longest.events.filter(kind=Kind.MESSAGE).count() == 100


def test_without_a_password_nobody_can_sign_in():
    seed()

    assert not any(person.has_usable_password() for person in User.objects.all())
    assert not User.objects.filter(is_demo=True).exists()


def test_customers_come_in_proportion_and_agents_as_asked_for():
    seed(tickets=1000, agents=12)

    assert User.objects.filter(role=Role.CUSTOMER).count() == 50
    assert User.objects.filter(role=Role.AGENT).count() == 12
    assert set(Category.objects.values_list("experts", flat=True)) == set(
        Expertise.objects.values_list("pk", flat=True)
    )


def test_days_and_feedback_agree_with_the_tickets():
    seed()

    assert DaySummary.objects.aggregate(raised=Sum("raised"), resolved=Sum("resolved")) == {
        "raised": 300,
        "resolved": Ticket.objects.exclude(resolved_at=None).count(),
    }
    assert Feedback.objects.count() == TicketEvent.objects.filter(kind=Kind.RATED).count() > 0
    assert not Feedback.objects.exclude(agent=F("ticket__assignee")).exists()


def test_the_product_goes_on_from_there(ada):
    seed()
    last = Ticket.objects.latest("pk")
    category, agent = Category.objects.first(), User.objects.agents().first()
    before = Ticket.objects.order_by("-reference").first().reference

    ticket = make_ticket(requester=make_user(), category=category, assignee=agent, by=ada)
    actions.classify(last, by=ada, priority=Priority.URGENT, category=category)
    actions.classify(last, by=ada, priority=Priority.LOW, category=category)

    assert ticket.pk == last.pk + 1
    assert int(ticket.reference[-5:]) == int(before[-5:]) + 1
    assert list(history.problems(Ticket.objects.all())) == []


def test_a_seed_is_loaded_once():
    seed()

    with pytest.raises(CommandError, match="Seed 1 is in this database already"):
        seed()
    seed(seed=2)

    assert Ticket.objects.count() == 600
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.parametrize("tickets", [1, 2, 41])
def test_small_numbers_work(tickets):
    seed(tickets=tickets)

    assert Ticket.objects.count() == tickets


def test_production_refuses(settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="production"):
        seed()

    assert not Ticket.objects.exists()

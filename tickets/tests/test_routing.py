"""Tickets the registry deals by itself to who has room."""

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts import people, work
from accounts.models import AgentProfile, WorkingHours
from accounts.tests.factories import make_agent, make_user
from notifications.models import Notification
from tickets import actions
from tickets.automation import routing
from tickets.models import Expertise, Routing, Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.racing import race
from tickets.workflow import Status

from .absent import is_out, make_profile
from .having import has, is_whole

FRIDAY = "2026-11-20 12:00Z"


# --- Dealing --------------------------------------------------------------------------


def test_a_ticket_gets_the_best_agent_by_itself(alice, bob, dave, dealt):
    """D0-11: nobody did it, and the history names the rule."""
    Expertise.objects.create(agent=dave, category=dealt)
    ticket = make_ticket(requester=alice, category=dealt)

    assert routing.run() == 1

    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (dave, Status.OPEN)
    lines = list(ticket.events.order_by("number").values_list("kind", "actor", "data__rule"))
    assert lines[1:] == [("assigned", None, "dealt"), ("status", None, "dealt")]
    assert is_whole(ticket)


def test_both_hear_of_it_and_no_administrator_was_called(alice, bob, ada, dealt):
    make_ticket(requester=alice, category=dealt)

    routing.run()

    owed = Notification.objects.order_by("pk").values_list("kind", "recipient__email")
    assert list(owed) == [
        ("ticket_raised", "alice@example.org"),
        ("assigned", "alice@example.org"),
        ("assigned_to_you", "bob@example.org"),
    ]


@pytest.mark.parametrize("way", [Routing.MANUAL, Routing.SUGGESTED])
def test_other_categories_wait_for_somebody(alice, bob, ada, way):
    ticket = make_ticket(requester=alice, category=make_category(routing=way))

    assert routing.run() == 0

    assert has(None) == [str(ticket)]
    assert Notification.objects.filter(kind="ticket_unassigned", recipient=ada).exists()


def test_the_oldest_comes_first(bob, dealt):
    """And of what one agent has no room for, the newest waits."""
    make_profile(bob, capacity=2)
    old, older, new = (make_ticket(category=dealt) for _ in range(3))
    Ticket.objects.filter(pk=older.pk).update(created_at=timezone.now() - timedelta(days=1))

    assert [str(step.ticket) for step in routing.steps()] == [str(older), str(old)]
    routing.run()

    assert has(bob) == [str(old), str(older)]
    assert has(None) == [str(new)]


def test_a_full_team_keeps_no_other_waiting(bob, dave, dealt, monkeypatch):
    """However many older tickets wait for it."""
    monkeypatch.setattr(routing, "MOST", 2)
    kettles = make_category("Kettles", routing=Routing.AUTOMATIC)
    for agent, category in ((bob, dealt), (dave, kettles)):
        Expertise.objects.create(agent=agent, category=category)
    make_profile(bob, capacity=1)
    for _ in range(4):
        make_ticket(category=dealt)
    young = make_ticket(category=kettles)

    routing.run()
    routing.run()

    assert (len(has(bob)), has(dave)) == (1, [str(young)])


ABSENCES = {
    "away": {"availability": "away"},
    "out of office": {
        "availability": "out",
        "out_until": date(2026, 11, 20),
        "out_since": datetime(2026, 11, 20, 11, tzinfo=UTC),
    },
    "full": {"capacity": 1},
}


@time_machine.travel(FRIDAY)
@pytest.mark.parametrize("absence", ABSENCES.values(), ids=ABSENCES)
def test_nobody_gets_what_they_cannot_do_now(bob, ada, kettles, dealt, absence):
    """Who is not at work or has no room; with the reason gone they get it."""
    mine = make_ticket(assignee=bob, category=kettles, by=ada)
    profile = make_profile(bob, **absence)
    ticket = make_ticket(category=dealt)

    assert routing.run() == 0

    profile.delete()
    routing.run()
    assert has(bob) == [str(mine), str(ticket)]


@pytest.mark.parametrize(("now", "count"), [("08:59", 0), ("09:00", 1), ("16:59", 1), ("17:00", 0)])
def test_working_hours_count(bob, dealt, now, count):
    """D0-11: of the day, by the agent's clock."""
    with time_machine.travel(f"2026-11-20 {now}Z", tick=False):
        WorkingHours.objects.create(
            profile=make_profile(bob), weekday=4, opens=time(9), closes=time(17)
        )
        make_ticket(category=dealt)

        assert routing.run() == count


def test_it_stays_in_the_team(bob, dave, dealt):
    """As with taking: who does not know the category gets nothing of it while somebody does."""
    Expertise.objects.create(agent=bob, category=dealt)
    make_profile(bob, availability="away")
    ticket = make_ticket(category=dealt)

    routing.run()
    assert has(None) == [str(ticket)]

    Expertise.objects.all().delete()
    routing.run()
    assert has(dave) == [str(ticket)]


def test_nobody_is_dealt_their_own_complaint(bob, dave, dealt):
    ticket = make_ticket(requester=bob, category=dealt)
    make_profile(dave, availability="away")

    assert routing.run() == 0

    AgentProfile.objects.all().delete()
    routing.run()
    assert has(dave) == [str(ticket)]


def test_what_came_back_to_the_pool_is_dealt_again(ada, bob, dave, dealt):
    ticket = make_ticket(assignee=bob, category=dealt, by=ada)
    people.suspend(bob, by=ada, reason="Left us.", handover=people.Handover.POOL)

    routing.run()

    assert has(dave) == [str(ticket)]


def test_deleted_and_ended_tickets_are_left_alone(ada, bob, dealt):
    binned = make_ticket(category=dealt)
    actions.bin_ticket(binned, by=ada)
    make_ticket(category=dealt, status=Status.WITHDRAWN)

    assert routing.run() == 0
    assert has(bob) == []


@pytest.fixture
def rung(monkeypatch):
    """Which tasks the worker was called for."""
    tasks = []
    monkeypatch.setattr("tickets.receivers.ring", tasks.append)
    return tasks


# --- When -----------------------------------------------------------------------------


def test_a_new_ticket_calls_the_dealer(alice, kettles, dealt, rung):
    make_ticket(requester=alice, category=kettles)
    assert rung == []

    make_ticket(requester=alice, category=dealt)
    assert rung == ["tickets.tasks.route_tickets"]


@pytest.mark.parametrize("way", ["switch", "profile"])
def test_an_agent_who_comes_to_work_calls_the_dealer(bob, rung, way):
    if way == "switch":
        work.set_availability(bob, work.Availability.ONLINE)
    else:
        work.save_profile(work.profile_of(bob), {})

    assert rung == ["tickets.tasks.route_tickets"]


def test_a_dry_run_lists_and_changes_nothing(capsys, bob, dave, ada, kettles, dealt):
    is_out(dave)
    new = make_ticket(category=dealt)
    old = make_ticket(assignee=dave, category=kettles, by=ada)

    call_command("route_tickets", dry_run=True)

    assert capsys.readouterr().out == f"{old} absent nobody\n{new} dealt Bob Baker\n"
    assert (has(None), has(dave)) == ([str(new)], [str(old)])
    call_command("route_tickets")
    assert capsys.readouterr().out == "2 tickets assigned or put back.\n"


# --- Never beyond capacity ------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_whatever_there_is_nobody_gets_too_much_and_nothing_waits_without_need(seed):
    """Any agents, any loads: who is dealt something had room for it, and at the end no ticket
    waits that somebody of its team could have."""
    dice = random.Random(seed)
    categories = [make_category(routing=Routing.AUTOMATIC) for _ in range(3)]
    agents = [make_agent(f"Agent {n}") for n in range(5)]
    capacities = {agent: dice.randint(1, 5) for agent in agents}
    away = {agent for agent in agents if dice.random() < 0.3}
    for agent in agents:
        make_profile(
            agent,
            capacity=capacities[agent],
            availability="away" if agent in away else "online",
        )
        for category in categories:
            if dice.random() < 0.5:
                Expertise.objects.create(agent=agent, category=category)
    customer = make_user()
    for _ in range(dice.randint(5, 25)):
        make_ticket(requester=customer, category=dice.choice(categories))

    routing.run()

    for agent in agents:
        assert len(has(agent)) <= (0 if agent in away else capacities[agent])
    free = [each for each in agents if each not in away and len(has(each)) < capacities[each]]
    for ticket in Ticket.objects.filter(assignee=None):
        team = Expertise.objects.filter(category=ticket.category).values_list("agent", flat=True)
        assert [each for each in free if not team or each.pk in team] == []


@pytest.mark.plan("SEC-E2")
@pytest.mark.django_db(transaction=True)
def test_several_dealers_and_an_administrator_at_once(ada, dealt):
    """Each ticket once, nobody beyond what they can have, though somebody is given more."""
    agents = [make_agent(f"Agent {number}") for number in range(3)]
    for agent in agents:
        make_profile(agent, capacity=3)
    customer = make_user()
    kettles = make_category("Kettles")
    tickets = [make_ticket(requester=customer, category=dealt) for _ in range(12)]
    others = [make_ticket(requester=customer, category=kettles) for _ in range(2)]

    outcomes = race(
        *(routing.run for _ in range(4)),
        *(partial(actions.assign, other, to=agents[0], by=ada) for other in others),
    )

    assert [each for each in outcomes if isinstance(each, Exception)] == []
    dealt_to = {
        agent: Ticket.objects.filter(assignee=agent, category=dealt).count() for agent in agents
    }
    assert sum(outcomes[:4]) == sum(dealt_to.values())
    assert max(dealt_to.values()) <= 3
    routing.run()  # what was refused in the crowd
    assert [len(has(agent)) >= 3 for agent in agents] == [True] * 3
    for ticket in tickets:
        assert ticket.events.filter(kind="assigned").count() <= 1
    assert is_whole(*tickets, *others)

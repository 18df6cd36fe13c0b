"""Tickets the registry assigns by itself: dealt to who has room, taken from who is absent."""

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts import people, work
from accounts.models import AgentProfile, User, WorkingHours
from accounts.tests.factories import make_agent, make_user
from notifications.models import Notification
from tickets import actions, history
from tickets.automation import routing
from tickets.models import Expertise, Routing, Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.tests.racing import race
from tickets.workflow import ResolutionKind, Status

FRIDAY = "2026-11-20 12:00Z"
OUT = AgentProfile.Availability.OUT


@pytest.fixture
def dealt(db):
    """A category whose tickets are dealt."""
    return make_category("Toasters", routing=Routing.AUTOMATIC)


def make_profile(agent, **fields):
    return AgentProfile.objects.create(agent=agent, **fields)


def is_out(agent, *, days=7, hours=0, substitute=None):
    """Out of office for ``hours`` already and for ``days`` more."""
    return make_profile(
        agent,
        availability=OUT,
        out_until=timezone.localdate() + timedelta(days=days),
        out_since=timezone.now() - timedelta(hours=hours),
        substitute=substitute,
    )


def has(agent):
    return [str(each) for each in Ticket.objects.filter(assignee=agent).order_by("pk")]


def is_whole(*tickets):
    found = Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets])
    return list(history.problems(found)) == []


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


# --- When -----------------------------------------------------------------------------


@pytest.fixture
def rung(monkeypatch):
    """Which tasks the worker was called for."""
    tasks = []
    monkeypatch.setattr("tickets.receivers.ring", tasks.append)
    return tasks


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


# --- The work of the absent -------------------------------------------------------------


@pytest.fixture
def mine(alice, bob, ada, kettles):
    return make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)


def test_who_stands_in_gets_the_work_of_the_absent(login, alice, ada, bob, dave, mine):
    """D0-11: though it is more than they can have, and whoever reads it sees by which rule."""
    make_profile(dave, capacity=1)
    full = make_ticket(assignee=dave, by=ada)
    is_out(bob, substitute=dave)

    assert routing.run() == 1

    assert (has(bob), has(dave)) == ([], [str(mine), str(full)])
    line = mine.events.last()
    assert (line.actor, line.data) == (
        None,
        {"from": bob.pk, "to": dave.pk, "rule": "substitute"},
    )
    words = "Bob Baker is out of office. The registry assigned this to Dave Dunn, who stands in."
    assert words in login(dave).get(mine.workspace_url).text
    assert "Dave Dunn has your ticket now." in login(alice).get(mine.get_absolute_url()).text
    console = login(ada).get(f"/admin/tickets/ticket/{mine.pk}/change/").text
    assert "Assigned to Dave Dunn (given to who stands in for an absent agent)" in console
    assert is_whole(mine)


def test_without_one_it_goes_back_to_the_pool(login, alice, dave, bob, mine):
    is_out(bob)

    assert routing.run() == 1

    mine.refresh_from_db()
    assert (mine.assignee, mine.status) == (None, Status.OPEN)
    assert mine.events.last().data == {"from": bob.pk, "to": None, "rule": "absent"}
    assert "Rule: absent." in login(dave).get(mine.workspace_url).text
    page = login(alice).get(mine.get_absolute_url()).text
    assert "Bob Baker no longer has your ticket. Somebody else takes it." in page
    assert "out of office" not in page


CAN_NOT_STAND_IN = {
    "absent too": lambda dave, ticket: is_out(dave),
    "their own complaint": lambda dave, ticket: Ticket.objects.filter(pk=ticket.pk).update(
        requester=dave
    ),
}


@pytest.mark.parametrize("why", CAN_NOT_STAND_IN.values(), ids=CAN_NOT_STAND_IN)
def test_a_substitute_who_cannot_gets_nothing(bob, dave, mine, why):
    is_out(bob, substitute=dave)
    why(dave, mine)

    routing.run()

    assert has(None) == [str(mine)]


@time_machine.travel(FRIDAY, tick=False)
@pytest.mark.parametrize(
    ("hours", "days", "stays"), [(0, 0, True), (3, 0, True), (4, 0, False), (0, 1, False)]
)
def test_who_is_gone_for_a_few_hours_keeps_their_work(bob, mine, hours, days, stays):
    """Four hours by default; who is out until tomorrow is not waited for."""
    is_out(bob, hours=hours, days=days)

    routing.run()

    assert has(bob) == ([str(mine)] if stays else [])


def test_who_was_out_before_this_was_counted_is_not_waited_for(bob, mine):
    make_profile(bob, availability=OUT, out_until=timezone.localdate())

    routing.run()

    assert has(bob) == []


def test_the_hours_begin_when_an_agent_says_that_they_are_out(bob):
    profile = work.profile_of(bob)
    profile.availability, profile.out_until = OUT, timezone.localdate() + timedelta(days=1)
    profile.full_clean()
    work.save_profile(profile, {})
    began = work.profile_of(bob).out_since
    assert began is not None

    again = work.profile_of(bob)
    again.out_until += timedelta(days=1)
    again.full_clean()
    work.save_profile(again, {})
    assert work.profile_of(bob).out_since == began

    work.set_availability(bob, work.Availability.ONLINE)
    assert work.profile_of(bob).out_since is None


@pytest.mark.parametrize("to", [Status.WAITING, Status.RESOLVED])
def test_only_what_is_not_done_goes_on(bob, mine, to):
    """It keeps where it stands."""
    actions.change_status(mine, to, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED)
    is_out(bob)

    routing.run()

    mine.refresh_from_db()
    assert (mine.status, mine.assignee) == (to, bob if to == Status.RESOLVED else None)


def test_who_comes_back_begins_anew(bob, dave, mine):
    is_out(bob, substitute=dave)
    routing.run()

    work.set_availability(bob, work.Availability.ONLINE)
    routing.run()

    assert (has(bob), has(dave)) == ([], [str(mine)])


def test_what_was_given_on_meanwhile_is_not_touched(ada, bob, dave, mine):
    """The job looked before somebody else was quicker."""
    is_out(bob)
    (step,) = routing.steps()
    actions.assign(Ticket.objects.get(pk=mine.pk), to=dave, by=ada)

    assert not routing._take(step)

    assert has(dave) == [str(mine)]


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_hand_on_once(ada, bob, dave, kettles):
    is_out(bob, substitute=dave)
    tickets = [make_ticket(assignee=bob, category=kettles, by=ada) for _ in range(4)]

    assert sum(race(*(routing.run for _ in range(3)))) == 4

    assert len(has(dave)) == 4
    for ticket in tickets:
        assert ticket.events.filter(kind="assigned").count() == 2
    assert is_whole(*tickets)


@pytest.mark.parametrize("count", [1, 3])
def test_looking_costs_the_same_with_more_of_everything(
    ada, kettles, dealt, django_assert_num_queries, count
):
    heir = make_agent("Uma")
    for number in range(count):
        agent = make_agent(f"Agent {number}")
        make_ticket(assignee=agent, category=kettles, by=ada)
        is_out(agent, substitute=heir)
        make_ticket(category=dealt)
    User.objects.update(time_zone="Europe/Paris")

    with django_assert_num_queries(10):
        assert len(list(routing.steps())) == 2 * count

"""The work of agents who are absent: who gets it, and when."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import work
from accounts.models import User
from accounts.tests.factories import make_agent
from tickets import actions
from tickets.automation import routing
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import ResolutionKind, Status

from .absent import OUT, is_out, make_profile
from .having import has, is_whole

FRIDAY = "2026-11-20 12:00Z"


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

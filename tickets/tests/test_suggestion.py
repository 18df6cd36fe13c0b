"""Who is suggested for a ticket, and why; and what goes with it when it is handed over."""

from datetime import date, time

import pytest
import time_machine
from django.urls import reverse

from accounts.models import AgentProfile, Weekday, WorkingHours
from accounts.tests.factories import make_agent, make_user
from tickets import actions
from tickets.automation.assignment import Desk
from tickets.models import Expertise, Routing
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

from .reading import text

pytestmark = pytest.mark.django_db

NOON = "2026-11-20 12:00Z"  # a Friday
OUT = {"availability": "out", "out_until": date(2026, 11, 27)}


@pytest.fixture
def waiting(alice, kettles):
    return make_ticket(requester=alice, category=kettles)


def order_for(ticket):
    return [str(each.agent) for each in Desk([ticket]).candidates([ticket])]


def make_profile(agent, hours=None, **fields):
    """``hours``: from and until on each day of the week."""
    profile = AgentProfile.objects.create(agent=agent, **fields)
    for day in Weekday if hours else ():
        WorkingHours.objects.create(
            profile=profile, weekday=day, opens=time(hours[0]), closes=time(hours[1])
        )


def help_well(customer, agent, boss, *, rating=None, reopened=False):
    """``agent`` resolved something for ``customer``, who thought so much of it."""
    ticket = make_ticket(requester=customer, assignee=agent, by=boss)
    solved = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(ticket, Status.RESOLVED, by=agent, **solved)
    if reopened:
        actions.change_status(ticket, Status.OPEN, by=customer)
        actions.change_status(ticket, Status.RESOLVED, by=agent, **solved)
    if rating:
        actions.rate(ticket, by=customer, rating=rating)
    return ticket


# --- The order ------------------------------------------------------------------------


def know(agent, ticket, level):
    Expertise.objects.create(agent=agent, category=ticket.category, level=level)


def is_busy(agent, ada, n=1):
    for _ in range(n):
        make_ticket(assignee=agent, by=ada)


BETTER = {
    "at work, though the other helped before": lambda good, bad, ticket, ada: (
        make_profile(bad, availability="away"),
        help_well(ticket.requester, bad, ada),
    ),
    "not out of office, though the other knows it": lambda good, bad, ticket, ada: (
        make_profile(bad, **OUT),
        know(bad, ticket, 3),
    ),
    "inside the working hours": lambda good, bad, ticket, ada: make_profile(bad, hours=(13, 17)),
    "room, though the other helped before": lambda good, bad, ticket, ada: (
        make_profile(bad, capacity=1),
        is_busy(bad, ada),
        help_well(ticket.requester, bad, ada),
    ),
    "who helped before, though the other knows it": lambda good, bad, ticket, ada: (
        help_well(ticket.requester, good, ada),
        know(bad, ticket, 3),
    ),
    "who knows more, though the other has less": lambda good, bad, ticket, ada: (
        know(good, ticket, 3),
        know(bad, ticket, 2),
        is_busy(good, ada),
    ),
    "the smaller part of what they can have": lambda good, bad, ticket, ada: (
        make_profile(bad, capacity=2),
        is_busy(bad, ada),
        is_busy(good, ada, 2),
    ),
}


@time_machine.travel(NOON)
@pytest.mark.parametrize("arrange", BETTER.values(), ids=BETTER)
def test_the_better_one_comes_first(waiting, ada, arrange):
    """D0-11, D4-7: Bea comes first by name, Zoe by merit."""
    bad, good = make_agent("Bea"), make_agent("Zoe")
    assert order_for(waiting) == ["Bea", "Zoe"]

    arrange(good, bad, waiting, ada)

    assert order_for(waiting) == ["Zoe", "Bea"]


@pytest.mark.parametrize(
    ("rating", "reopened", "is_first"),
    [
        (None, False, True),
        (None, True, False),
        (5, False, True),
        (4, True, True),
        (3, False, False),
    ],
)
def test_who_helped_the_customer_well_comes_first(
    alice, bob, dave, ada, kettles, rating, reopened, is_first
):
    """D1-20: rated 4 or 5, or not rated and never opened again."""
    help_well(alice, dave, ada, rating=rating, reopened=reopened)

    order = order_for(make_ticket(requester=alice, category=kettles))

    assert order == (["Dave Dunn", "Bob Baker"] if is_first else ["Bob Baker", "Dave Dunn"])
    assert order_for(make_ticket(category=kettles)) == ["Bob Baker", "Dave Dunn"]


def test_the_last_who_did_well_counts(alice, bob, dave, ada, waiting):
    """D1-20: neither who did it long ago, nor who did not do it well since."""
    for agent, rating in ((bob, 5), (dave, 4), (bob, 2)):
        help_well(alice, agent, ada, rating=rating)

    assert order_for(waiting) == ["Dave Dunn", "Bob Baker"]


@pytest.mark.parametrize(("zone", "is_at_work"), [("Europe/London", True), ("Asia/Tokyo", False)])
@time_machine.travel(NOON)
def test_hours_are_those_of_the_agents_own_clock(bob, waiting, zone, is_at_work):
    """Noon in London is nine in the evening in Tokyo."""
    bob.time_zone = zone
    bob.save()
    make_profile(bob, hours=(9, 17))

    (candidate,) = Desk([waiting]).candidates([waiting])

    assert candidate.is_at_work == is_at_work
    words = "Bob Baker (0 open)" if is_at_work else "Bob Baker (0 open, not at work now)"
    assert str(candidate) == words


# --- How it is shown --------------------------------------------------------------------


@time_machine.travel(NOON)
def test_the_suggestion_says_why_and_is_chosen_already(login, ada, alice, bob, dave, waiting):
    """D0-11, D4-7, D1-20: on the page of the question and where a ticket is handed over."""
    know(dave, waiting, 2)
    make_profile(dave, hours=(9, 17))
    help_well(alice, dave, ada, rating=5)
    why = "Knows “Faulty product” well · 0 of 20 open · works until 17:00 · helped Alice before"
    client = login(ada)

    asked = client.get(reverse("admin:tickets_ticket_assign", args=[waiting.pk]))
    handed = client.get(reverse("tickets:hand_over", args=[waiting.reference]))

    for page in (asked, handed):
        assert f"Suggested: Dave Dunn. {why}" in page.text
        assert page.context["form"]["agent"].value() == dave.pk
        assert "Dave Dunn (0 open, good, helped before)" in page.text
    sure = client.get(reverse("admin:tickets_ticket_assign", args=[waiting.pk]), {"agent": dave.pk})
    assert why in sure.text


def test_who_has_it_is_not_suggested(login, ada, bob, dave, ticket):
    know(bob, ticket, 3)

    form = login(bob).get(reverse("tickets:hand_over", args=[ticket.reference])).context["form"]

    assert form["agent"].value() == dave.pk


def test_by_hand_means_by_name_and_without_advice(login, ada, bob, dave, waiting):
    waiting.category.routing = Routing.MANUAL
    waiting.category.save()
    know(dave, waiting, 3)

    page = login(ada).get(reverse("admin:tickets_ticket_assign", args=[waiting.pk]))

    assert order_for(waiting) == ["Bob Baker", "Dave Dunn"]
    assert page.context["form"]["agent"].value() is None
    assert "Suggested" not in page.text


def test_the_category_says_how_its_tickets_are_assigned(login, ada, kettles):
    page = reverse("admin:tickets_category_change", args=[kettles.pk])
    fields = login(ada).get(page).context["adminform"].form.fields

    assert [words for _value, words in fields["routing"].choices] == list(Routing.labels)
    assert "default_priority" in fields


# --- With a note ------------------------------------------------------------------------


def hand_over(client, ticket, agent, note):
    address = reverse("tickets:hand_over", args=[ticket.reference])
    return client.post(address, {"agent": agent.pk, "note": note}, follow=True)


def test_a_note_goes_with_the_ticket(login, alice, bob, dave, ticket):
    """For the next agent, not for the customer."""
    hand_over(login(bob), ticket, dave, "She was promised a new one.")

    lines = ticket.events.order_by("-number").values_list("kind", "audience", "actor__first_name")
    assert list(lines[:2]) == [("note", "staff", "Bob"), ("assigned", "everyone", "Bob")]
    assert "She was promised a new one." in login(dave).get(ticket.workspace_url).text
    assert "She was promised" not in login(alice).get(ticket.get_absolute_url()).text


def test_without_words_there_is_no_note(login, bob, dave, ticket):
    hand_over(login(bob), ticket, dave, " \u200b ")

    ticket.refresh_from_db()
    assert ticket.assignee == dave
    assert not ticket.events.filter(kind="note").exists()


def test_a_refused_handing_over_leaves_no_note(login, ada, bob, dave, ticket):
    """All or nothing."""
    client = login(bob)
    hand_over(client, ticket, bob, "She was promised a new one.")

    assert not ticket.events.filter(kind="note").exists()
    hand_over(client, ticket, dave, "She was promised a new one.")
    assert ticket.events.filter(kind="note").count() == 1


def test_a_note_that_is_too_long_is_said_beside_it(login, bob, dave, ticket, settings):
    page = hand_over(login(bob), ticket, dave, "x" * (settings.MAX_TEXT_LENGTH + 1))

    ticket.refresh_from_db()
    assert page.status_code == 422
    assert text(page, "#id_note_error") == "Error: Use 50,000 characters or less"
    assert ticket.assignee == bob


@pytest.mark.parametrize("count", [1, 3])
def test_the_choice_costs_the_same_with_more_agents(
    login, ada, alice, kettles, django_assert_num_queries, count
):
    for number in range(count):
        agent = make_agent(f"Agent {number}")
        make_profile(agent, hours=(9, 17))
        help_well(make_user(), agent, ada)
    ticket = make_ticket(requester=alice, category=make_category(parent=kettles))

    with django_assert_num_queries(4):
        assert len([each.reasons(ticket) for each in Desk([ticket]).candidates([ticket])]) == count

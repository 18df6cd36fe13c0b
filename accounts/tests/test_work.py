"""How an agent works: their own page, the menu's switch, the console."""

from datetime import date, time
from functools import partial

import pytest
import time_machine
from django.urls import reverse

from accounts import erasure, people, work
from accounts.models import AgentProfile, Role, Standing
from tickets.automation.assignment import Desk
from tickets.models import Expertise
from tickets.tests.factories import make_ticket

from .factories import make_agent

pytestmark = pytest.mark.django_db

WORK = reverse("account_work")
SWITCH = reverse("account_availability")
DAYS = range(7)
GOOD = {
    "availability": "online",
    "out_until": "",
    "substitute": "",
    "capacity": "20",
    "signature": "",
    **{f"{edge}_{day}": "" for edge in ("opens", "closes") for day in DAYS},
}
MONDAY = {"opens_0": "09:00", "closes_0": "17:30"}


def save(client, **changes):
    return client.post(WORK, GOOD | changes)


def hours_of(agent):
    rows = agent.agent_profile.hours.all()
    return [(row.weekday, row.opens, row.closes) for row in rows]


@time_machine.travel("2026-11-20 12:00Z")
def test_an_agent_writes_down_how_they_work(login, bob, dave):
    client = login(bob)

    save(
        client,
        availability="out",
        out_until="2026-11-27",
        substitute=dave.pk,
        capacity="7",
        signature="Bob\nReturns team",
        **MONDAY,
        opens_6="10:00",
        closes_6="12:00",
    )

    profile = AgentProfile.objects.get(agent=bob)
    assert (profile.availability, profile.out_until) == ("out", date(2026, 11, 27))
    assert (profile.substitute, profile.capacity) == (dave, 7)
    assert profile.signature.splitlines() == ["Bob", "Returns team"]
    assert hours_of(bob) == [(0, time(9), time(17, 30)), (6, time(10), time(12))]
    page = client.get(WORK).text
    assert 'value="09:00"' in page
    assert 'value="2026-11-27"' in page


def test_hours_are_replaced_not_added_to(login, bob):
    client = login(bob)
    save(client, **MONDAY)

    save(client, opens_1="08:00", closes_1="12:00")

    assert hours_of(bob) == [(1, time(8), time(12))]


def test_who_is_back_is_back_altogether(login, bob, dave):
    client = login(bob)
    save(client, availability="out", out_until="2999-01-01", substitute=dave.pk)

    save(client, availability="online", out_until="2999-01-01", substitute=dave.pk)

    profile = AgentProfile.objects.get(agent=bob)
    assert (profile.availability, profile.out_until, profile.substitute) == ("online", None, None)


BAD = [
    ({"capacity": "0"}, "capacity", "Enter a number from 1 to 500"),
    ({"capacity": "501"}, "capacity", "Enter a number from 1 to 500"),
    ({"capacity": "many"}, "capacity", "Enter a number from 1 to 500"),
    ({"capacity": ""}, "capacity", "Enter a number from 1 to 500"),
    ({"capacity": "9" * 60_000}, "capacity", "Enter a number from 1 to 500"),
    ({"availability": "asleep"}, "availability", "Choose one"),
    ({"availability": "out"}, "out_until", "Enter the last day away, from today on"),
    (
        {"availability": "out", "out_until": "2026-11-19"},
        "out_until",
        "Enter the last day away, from today on",
    ),
    (
        {"availability": "out", "out_until": "soon"},
        "out_until",
        "Enter a date, like 2026-11-26",
    ),
    ({"signature": "x" * 1001}, "signature", "Use 1,000 characters or less"),
    ({"signature": "x" * 60_000}, "signature", "Use 1,000 characters or less"),
    ({"opens_0": "nine"}, "opens_0", "Enter a time, like 09:00"),
    (
        {"opens_0": "09:00"},
        "closes_0",
        "Monday: give both times, or leave both empty",
    ),
    (
        {"opens_2": "17:00", "closes_2": "09:00"},
        "closes_2",
        "Wednesday: the end must be after the beginning",
    ),
    (
        {"opens_6": "09:00", "closes_6": "09:00"},
        "closes_6",
        "Sunday: the end must be after the beginning",
    ),
]


@pytest.mark.parametrize(
    ("changes", "field", "words"), BAD, ids=[f"{n}-{field}" for n, (_, field, _) in enumerate(BAD)]
)
@time_machine.travel("2026-11-20 12:00Z")
def test_bad_input_is_said_beside_its_field_and_nothing_is_kept(login, bob, changes, field, words):
    changes = {"signature": "Typed"} | changes
    response = save(login(bob), **changes)

    form = response.context["form"]
    assert form.errors[field][0] == words
    assert words in response.text
    assert form["signature"].value() == changes["signature"]
    assert not AgentProfile.objects.exists()


def test_only_an_agent_who_is_let_in_stands_in(login, bob, alice, ada, dave):
    waiting = make_agent("Wanda", standing=Standing.PENDING)
    gone = make_agent("Gwen", standing=Standing.SUSPENDED)
    client = login(bob)

    for nobody in (bob, alice, ada, waiting, gone):
        response = save(client, availability="out", out_until="2999-01-01", substitute=nobody.pk)
        assert response.context["form"].errors == {"substitute": ["Choose another agent"]}
        assert not AgentProfile.objects.exists()
    save(client, availability="out", out_until="2999-01-01", substitute=dave.pk)

    assert AgentProfile.objects.get().substitute == dave


LEAVE = {
    "suspended": (partial(people.suspend, reason="x"), people.reactivate),
    "deleted": (people.bin_user, people.restore_user),
    "to be erased": (erasure.ask, people.restore_user),
    "no agent": (
        partial(people.change_role, role=Role.CUSTOMER),
        partial(people.change_role, role=Role.AGENT),
    ),
}


@pytest.mark.parametrize(("leave", "come_back"), LEAVE.values(), ids=LEAVE)
def test_who_leaves_stands_in_for_nobody_and_is_not_offered(
    login, ada, bob, dave, leave, come_back
):
    """Also not after coming back: by then somebody else may count on it. Others stay."""
    client = login(bob)
    out = {"availability": "out", "out_until": "2999-01-01"}
    save(client, **out, substitute=dave.pk)
    carl = make_agent("Carl")
    AgentProfile.objects.create(agent=make_agent("Anna"), substitute=carl)

    leave(dave, by=ada)

    profile = AgentProfile.objects.get(agent=bob)
    assert (profile.substitute, str(profile.out_until)) == (None, "2999-01-01")
    assert AgentProfile.objects.get(agent__first_name="Anna").substitute == carl
    refused = save(client, **out, substitute=dave.pk).context["form"]
    assert refused.errors == {"substitute": ["Choose another agent"]}

    come_back(dave, by=ada)
    profile.refresh_from_db()
    assert profile.substitute is None
    save(client, **out, substitute=dave.pk)
    profile.refresh_from_db()
    assert profile.substitute == dave


@pytest.mark.parametrize("name", ["alice", "ada", "pete"])
@pytest.mark.parametrize("url", [WORK, SWITCH])
def test_who_is_no_agent_has_no_such_page(login, request, name, url):
    client = login(request.getfixturevalue(name))

    assert client.get(url).status_code in (403, 405)
    assert client.post(url, GOOD).status_code == 403
    assert not AgentProfile.objects.exists()


def test_what_an_agent_knows_is_shown_and_not_changed_here(login, bob, kettles):
    Expertise.objects.create(agent=bob, category=kettles, level=Expertise.Level.EXPERT)

    page = login(bob).get(WORK).text

    assert kettles.name in page
    assert "Expert" in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_whoever_there_is(
    login, bob, kettles, django_assert_num_queries, count
):
    """The session, the person, the profile, its hours, who can stand in and what they know."""
    for number in range(count):
        make_agent(f"Agent {number}")
    client = login(bob)
    save(client, **MONDAY)
    client.get(WORK)

    with django_assert_num_queries(7):
        client.get(WORK)


# --- The switch in the menu -----------------------------------------------------------


@pytest.mark.parametrize("to", ["online", "away"])
def test_one_click_in_the_menu_switches(login, bob, to):
    client = login(bob)
    page = reverse("tickets:workspace")
    assert f'action="{SWITCH}"' in client.get(page).text

    response = client.post(SWITCH, {"availability": to, "next": page})

    assert response.headers["Location"] == page
    assert AgentProfile.objects.get(agent=bob).availability == to
    assert f"You’re {to} now." in client.get(page).text


def test_the_switch_ends_being_out_and_leaves_the_rest(login, bob, dave):
    client = login(bob)
    save(
        client,
        availability="out",
        out_until="2999-01-01",
        substitute=dave.pk,
        capacity="7",
        **MONDAY,
    )

    client.post(SWITCH, {"availability": "online"})

    profile = AgentProfile.objects.get(agent=bob)
    assert (profile.availability, profile.out_until, profile.substitute) == ("online", None, None)
    assert profile.capacity == 7
    assert hours_of(bob)


@pytest.mark.parametrize("to", ["", "out", "asleep", "x" * 60_000])
def test_the_switch_knows_two_ways(login, bob, to):
    assert login(bob).post(SWITCH, {"availability": to}).status_code == 400
    assert not AgentProfile.objects.exists()


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_the_switch_leads_nowhere_else(login, bob, place):
    response = login(bob).post(SWITCH, {"availability": "away", "next": place})

    assert response.headers["Location"] == WORK


# --- Where it is used -----------------------------------------------------------------


def in_words(ticket, agent):
    """How ``agent`` is offered to whoever gives out ``ticket``."""
    return next(str(c) for c in Desk([ticket]).candidates([ticket]) if c.agent == agent)


@time_machine.travel("2026-11-20 12:00Z", tick=False)
@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (None, "Bob Baker (1 open)"),
        ({"capacity": 2}, "Bob Baker (1 open)"),
        ({"capacity": 1}, "Bob Baker (1 of 1 open)"),
        ({"availability": "away"}, "Bob Baker (1 open, away)"),
        (
            {"availability": "out", "out_until": date(2026, 11, 20)},
            "Bob Baker (1 open, out until Fri 20 Nov)",
        ),
        ({"availability": "out", "out_until": date(2026, 11, 19)}, "Bob Baker (1 open)"),
    ],
)
def test_whoever_gives_out_tickets_reads_how_an_agent_is(ticket, bob, profile, words):
    if profile:
        AgentProfile.objects.create(agent=bob, **profile)

    assert in_words(ticket, bob) == words


def test_the_choice_of_agents_costs_the_same_with_profiles(
    alice, kettles, django_assert_num_queries
):
    ticket = make_ticket(alice, category=kettles)
    for number in range(3):
        work.set_availability(make_agent(f"Agent {number}"), work.Availability.AWAY)

    # The agents with loads and profiles, their hours, who helped the customer, what they know.
    with django_assert_num_queries(4):
        assert len([str(each) for each in Desk([ticket]).candidates([ticket])]) == 3


# --- The console ----------------------------------------------------------------------

HOURS = {f"hours-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
ADMIN = {"availability": "online", "out_until": "", "substitute": "", "capacity": "5"}


def test_an_administrator_begins_a_profile_for_an_agent(login, ada, bob):
    row = {"hours-0-weekday": "0", "hours-0-opens": "09:00", "hours-0-closes": "17:00"}
    form = ADMIN | HOURS | {"agent": bob.pk, "signature": "", "hours-TOTAL_FORMS": "1"} | row

    login(ada).post(reverse("admin:accounts_agentprofile_add"), form)

    assert AgentProfile.objects.get().capacity == 5
    assert hours_of(bob) == [(0, time(9), time(17))]


def test_an_administrator_changes_it_by_the_same_rules(login, ada, bob, dave):
    profile = AgentProfile.objects.create(agent=bob)
    url = reverse("admin:accounts_agentprofile_change", args=[profile.pk])
    client = login(ada)

    refused = client.post(url, ADMIN | HOURS | {"availability": "out", "substitute": bob.pk})
    out = {"availability": "out", "out_until": "2999-01-01", "substitute": dave.pk}
    client.post(url, ADMIN | HOURS | out | {"agent": dave.pk})

    assert "Enter the last day away, from today on" in refused.text
    profile.refresh_from_db()
    assert (profile.agent, profile.availability, profile.substitute) == (bob, "out", dave)


def test_wrong_hours_are_said_in_the_console(login, ada, bob):
    profile = AgentProfile.objects.create(agent=bob)
    url = reverse("admin:accounts_agentprofile_change", args=[profile.pk])
    row = {"hours-0-weekday": "0", "hours-0-opens": "17:00", "hours-0-closes": "09:00"}

    response = login(ada).post(
        url, ADMIN | HOURS | {"hours-TOTAL_FORMS": "1", "hours-0-profile": profile.pk} | row
    )

    assert "The end must be after the beginning" in response.text
    assert not profile.hours.exists()

"""The agent's list: their views, their order, their filters."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging import actions as messaging
from tickets import actions
from tickets.models import Expertise, Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import Status

from .reading import text, texts

WORKSPACE = reverse("tickets:workspace")


def rows(page):
    return [
        words.removeprefix("Awaits an answer: ") for words in texts(page, ".ccr-queue__subject")
    ]


def view(client, name="", **more):
    return client.get(WORKSPACE, ({"view": name} if name else {}) | more)


@pytest.fixture
def desk(alice, bob, dave, ada, kettles):
    """A ticket at each place, named after it."""

    def make(subject, assignee=bob, status=None, **fields):
        return make_ticket(
            requester=alice, assignee=assignee, category=kettles, by=ada,
            status=status, subject=subject, **fields,
        )  # fmt: skip

    make("open")
    make("waiting", status=Status.WAITING)
    make("resolved", status=Status.RESOLVED)
    make("closed", status=Status.CLOSED)
    make("withdrawn", status=Status.WITHDRAWN)
    make("unassigned", assignee=None)
    make("of Dave", assignee=dave)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ["open", "waiting"]),
        ("mine", ["open", "waiting"]),
        ("waiting", ["waiting"]),
        ("unassigned", ["unassigned"]),
        ("done", ["closed", "resolved", "withdrawn"]),
        ("all", ["open", "waiting"]),  # an administrator's view: an agent gets the first of theirs
    ],
)
def test_an_agents_views(login, bob, desk, name, shown):
    """D1-5"""
    assert sorted(rows(view(login(bob), name))) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ["unassigned"]),
        ("unassigned", ["unassigned"]),
        ("all", ["of Dave", "open", "unassigned", "waiting"]),
    ],
)
def test_an_administrators_views(login, ada, desk, name, shown):
    """D1-6"""
    assert sorted(rows(view(login(ada), name))) == shown


def test_a_row_shows_what_an_agent_needs(login, bob, ticket):
    """D2-2"""
    page = view(login(bob))

    cells = texts(page, "td")
    assert cells == [
        "Normal priority",
        ticket.reference.removeprefix("CCR-"),
        "Awaits an answer: Kettle stopped heatingFaulty product",
        "Alice Archer",
        "In progress",
        "BB Bob Baker",
        "0 min",
        "3 h 59 left",
    ]


def test_what_is_answered_awaits_nothing(login, bob, ticket):
    messaging.post_message(ticket, by=bob, body="Soon.")

    assert "Awaits an answer" not in text(view(login(bob)), "tbody")


@pytest.mark.parametrize(
    ("name", "order"),
    [("mine", ["b", "c", "a"]), ("unassigned", ["a", "b", "c"]), ("done", ["c", "b", "a"])],
)
def test_the_order_of_each_view(login, bob, alice, ada, kettles, name, order):
    """What is due soonest, what waits longest, what changed last."""
    start = timezone.now() - timedelta(hours=3)
    for hours, subject in enumerate("abc"):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            ticket = make_ticket(
                requester=alice,
                assignee=None if name == "unassigned" else bob,
                category=kettles,
                by=ada,
                subject=subject,
                status=Status.CLOSED if name == "done" else None,
            )
    if name == "mine":  # due four hours after our last word
        with time_machine.travel(start + timedelta(hours=2, minutes=30), tick=False):
            messaging.post_message(Ticket.objects.get(subject="a"), by=bob, body="Soon.")
    assert ticket

    assert rows(view(login(bob), name)) == order


def test_the_pool_is_of_the_categories_somebody_knows(login, bob, dave, alice, kettles):
    Expertise.objects.create(agent=dave, category=kettles)
    lamps = make_category("Lamps")
    nested = make_category("Electric kettles", parent=kettles)
    for category in (kettles, nested, lamps):
        make_ticket(requester=alice, category=category, subject=category.name)
    make_ticket(requester=dave, category=kettles, subject="Dave's own")

    assert sorted(rows(view(login(dave), "unassigned"))) == [
        "Electric kettles", "Faulty product", "Lamps",
    ]  # fmt: skip
    assert rows(view(login(bob), "unassigned")) == ["Lamps"]  # which nobody knows


def test_counts_stand_beside_the_views(login, bob, desk):
    counts = texts(view(login(bob)), ".ccr-side__n")
    assert [words for words in counts if words.endswith("tickets")] == [
        "2 tickets", "1 tickets", "1 tickets", "3 tickets",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine", "Nothing is waiting for you."),
        ("waiting", "No customer owes you an answer."),
        ("unassigned", "There is nothing left to assign"),
        ("done", "Nothing has been resolved by you yet."),
    ],
)
def test_an_empty_view_says_what_is_true(login, bob, name, words):
    """D1-T23"""
    assert text(view(login(bob), name), "#queue") == words


def test_an_empty_list_leads_to_the_unassigned(login, bob, alice):
    make_ticket(requester=alice)

    assert text(view(login(bob)), "#queue") == "Nothing is waiting for you. 1 unassigned"


def test_no_match_says_so_and_can_be_cleared(login, bob, ticket):
    page = view(login(bob), "mine", q="toaster")

    assert text(page, "#queue") == "No tickets match these filters Clear filters"
    assert 'href="?view=mine"' in page.text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"q": "kettle"}, ["Kettle K2"]),
        ({"q": "KETTLE"}, ["Kettle K2"]),
        ({"q": "  lamp "}, ["Lamp"]),
        ({"q": "00001"}, ["Kettle K2"]),
        ({"q": "archer"}, ["Kettle K2", "Lamp"]),
        ({"q": "%"}, []),
        ({"q": "K_"}, []),
        ({"priority": "high"}, ["Lamp"]),
        ({"priority": "high", "q": "kettle"}, []),
        ({"priority": "", "category": "", "q": ""}, ["Kettle K2", "Lamp"]),
    ],
)
def test_filters_narrow(login, bob, alice, ada, kettles, words, found):
    for subject, priority in (("Kettle K2", "low"), ("Lamp", "high")):
        make_ticket(
            requester=alice, assignee=bob, category=kettles, by=ada,
            subject=subject, priority=priority,
        )  # fmt: skip

    assert sorted(rows(view(login(bob), "mine", **words))) == found


def test_the_category_narrows(login, bob, alice, ada, kettles):
    lamps = make_category("Lamps")
    for category in (kettles, lamps):
        make_ticket(requester=alice, assignee=bob, category=category, by=ada, subject=category.name)

    assert rows(view(login(bob), category=lamps.pk)) == ["Lamps"]


def test_a_deleted_ticket_vanishes(login, bob, ada, ticket):
    assert rows(view(login(bob))) == ["Kettle stopped heating"]

    actions.bin_ticket(ticket, by=ada)

    assert rows(view(login(bob))) == []
    assert texts(view(login(bob)), ".ccr-side__n")[0] == "0 tickets"


def test_the_fragment_is_the_pages_own_part(login, bob, ticket):
    client = login(bob)

    fragment = client.get(WORKSPACE, headers={"HX-Request": "true"})

    assert fragment.text.startswith('<div id="queue"')
    assert fragment.text.strip() in client.get(WORKSPACE).text
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<h1" in client.get(WORKSPACE, headers=back).text


@pytest.mark.plan("SEC-G2")
@pytest.mark.parametrize("name", ["mine", "done"])
def test_queries_do_not_grow_with_the_rows(login, bob, alice, ada, kettles, settings, name):
    settings.TICKETS_PER_HOUR = 100
    client = login(bob)
    view(client)  # what a process reads once
    counts = []
    for total in (1, 3, 50):
        for _number in range(Ticket.objects.count(), total):
            status = Status.RESOLVED if name == "done" else Status.OPEN
            make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)
        with CaptureQueriesContext(connection) as captured:
            view(client, name)
        counts.append(len(captured))

    assert counts[0] == counts[1] == counts[2]
    assert counts[0] <= 15


HOSTILE = [
    "x=1",
    "view=",
    "view=x&view=mine",
    "view=%00",
    "category=0",
    "category=-1",
    "category=1.5",
    "category=x",
    "category=%00",
    "category=" + "9" * 30,
    "category=" + "9" * 10_000,
    "priority=extreme",
    "priority=%00",
    "q=%00",
    "after=%00",
    "after=" + "9" * 10_000,
    "after=-1&after=1e9",
    "ordering=-requester__password",
    "requester__password=x&status=closed",
    "page=-1",
]


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize("query", HOSTILE)
def test_odd_parameters_are_harmless(login, bob, ticket, query):
    page = login(bob).get(f"{WORKSPACE}?{query}")

    assert page.status_code == 200
    assert rows(page) == ["Kettle stopped heating"]


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize(
    "words", ["x" * 10_000, "' OR 1=1 --", "a:*&!b", "\\", "[", "(((((((", "*", "\ufffd"]
)
def test_odd_searches_find_nothing(login, bob, ticket, words):
    page = view(login(bob), q=words)

    assert page.status_code == 200
    assert rows(page) == []


@pytest.mark.plan("SEC-H5")
def test_the_workspace_stays_in_no_cache(login, bob):
    assert login(bob).get(WORKSPACE).headers["Cache-Control"] == "no-store"


def test_regulated_complaints_are_found(login, bob, track, kettles, alice, ada):
    """Issue 5: only where the law has rules for any."""
    make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, subject="By law")
    ordinary = make_category("Toys")
    make_ticket(requester=alice, assignee=bob, category=ordinary, by=ada, subject="Ordinary")

    assert rows(view(login(bob), regulated="yes")) == ["By law"]
    assert sorted(rows(view(login(bob), regulated=""))) == ["By law", "Ordinary"]
    assert "Regulated or not" in view(login(bob)).text


def test_without_a_procedure_nobody_is_asked_about_the_law(login, bob, ticket):
    assert "Regulated or not" not in view(login(bob)).text

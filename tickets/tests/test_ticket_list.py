"""The customer's list: what they have raised and where it stands."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging import actions as messaging
from tickets import actions
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

from .reading import text, texts

LIST = reverse("tickets:list")


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


def cards(page):
    return texts(page, ".ccr-stub__title")


def resolve(ticket, by):
    actions.change_status(
        ticket, Status.RESOLVED, by=by, text="Replaced.", resolution=ResolutionKind.REPLACED
    )


def test_who_has_raised_nothing_is_told_so(client_of_alice):
    """D1-T18"""
    page = client_of_alice.get(LIST)

    assert "You are yet to raise a ticket" in texts(page, "h2")
    assert "Raise your first ticket" in text(page, "#ticket-list")
    assert texts(page, ".ccr-tabs") == []


@pytest.mark.parametrize(
    ("tab", "words"), [("open", "No open tickets"), ("resolved", "No resolved tickets yet")]
)
def test_an_empty_tab_says_what_is_true(client_of_alice, alice, kettles, tab, words):
    status = Status.CLOSED if tab == "open" else None
    make_ticket(requester=alice, category=kettles, status=status)

    page = client_of_alice.get(LIST, {"tab": tab})

    assert text(page, ".ccr-clear") == words
    assert len(cards(client_of_alice.get(LIST, {"tab": "all"}))) == 1


def test_a_card_shows_status_promise_and_agent(client_of_alice, ticket):
    """D1-4, D1-T17, D1-T20, D0-6: the agent's first name."""
    page = client_of_alice.get(LIST)

    assert texts(page, ".ccr-no") == [ticket.reference]
    assert texts(page, ".ccr-status") == ["In progress"]
    assert cards(page) == ["Kettle stopped heating"]
    card = text(page, ".ccr-stub")
    assert "Bob is working on it. You’ll hear by" in card
    assert "Received" in text(page, ".ccr-steps")
    assert "Assigned agent: Bob ·" in card


def test_while_nobody_has_it_the_agent_is_not_there(client_of_alice, alice, kettles):
    """D1-T21"""
    make_ticket(requester=alice, category=kettles)

    assert "Assigned agent: N/A ·" in text(client_of_alice.get(LIST), ".ccr-stub")


def test_what_needs_a_reply_comes_first_then_the_newest(client_of_alice, alice, bob, ada, kettles):
    """D0-T9"""
    moments = {}
    for hours, subject in enumerate(["one", "two", "three", "four"]):
        with time_machine.travel(timezone.now() - timedelta(days=1) + timedelta(hours=hours)):
            moments[subject] = make_ticket(
                requester=alice, assignee=bob, category=kettles, by=ada, subject=subject
            )
    assert cards(client_of_alice.get(LIST)) == ["four", "three", "two", "one"]

    actions.change_status(moments["two"], Status.WAITING, by=bob)
    messaging.post_message(moments["one"], by=bob, body="Soon.")

    page = client_of_alice.get(LIST)
    assert cards(page) == ["two", "one", "four", "three"]
    assert "1 ticket needs a reply from you." in text(page, ".ccr-lede")
    assert "Reply to Bob" in text(page, "#ticket-list")


@pytest.mark.parametrize("count", [0, 2])
def test_the_greeting_counts_what_needs_a_reply(client_of_alice, alice, bob, ada, kettles, count):
    for _number in range(count):
        make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=Status.WAITING)

    words = "2 tickets need a reply from you." if count else "Nothing needs you right now."
    assert text(client_of_alice.get(LIST), ".ccr-lede") == f"Hello Alice. {words}"


def test_the_tabs_part_what_is_open_from_what_has_ended(client_of_alice, alice, bob, ada, kettles):
    for status in (None, Status.WAITING, Status.RESOLVED, Status.CLOSED, Status.WITHDRAWN):
        make_ticket(
            requester=alice, category=kettles, by=ada, status=status, subject=status or "new"
        )

    def shown(tab):
        page = client_of_alice.get(LIST, {"tab": tab})
        return sorted(cards(page)), text(page, ".ccr-tabs")

    counts = "Open 2 Resolved 3 All 5"
    assert shown("open") == (["new", "waiting"], counts)
    assert shown("resolved") == (["closed", "resolved", "withdrawn"], counts)
    assert shown("all") == (["closed", "new", "resolved", "waiting", "withdrawn"], counts)


def test_what_was_lately_resolved_stands_beside_what_is_open(client_of_alice, alice, bob, ada):
    """D4-6: three of them, and whether they were rated."""
    tickets = [
        make_ticket(requester=alice, assignee=bob, by=ada, status=Status.RESOLVED, subject=subject)
        for subject in ("one", "two", "three", "four")
    ]
    make_ticket(requester=alice, by=ada, status=Status.WITHDRAWN, subject="withdrawn")
    actions.rate(tickets[1], by=alice, rating=4)

    aside = text(client_of_alice.get(LIST), ".ccr-aside")

    assert [word for word in aside.split() if word in ("one", "two", "three", "four")] == [
        "two", "four", "three",
    ]  # fmt: skip
    assert "You rated it 4 of 5" in aside
    assert aside.count("Not rated yet") == 2
    assert texts(client_of_alice.get(LIST, {"tab": "resolved"}), ".ccr-aside") == []


@pytest.mark.parametrize(("count", "words"), [(99, "99"), (100, "99+"), (101, "99+")])
def test_counts_stop_at_a_hundred(client_of_alice, alice, kettles, count, words):
    now = timezone.now()
    Ticket.objects.bulk_create(
        Ticket(reference=f"CCR-2026-{number:05}", requester=alice, category=kettles, due_at=now)
        for number in range(count)
    )

    assert text(client_of_alice.get(LIST), ".ccr-tabs") == f"Open {words} Resolved 0 All {words}"


def test_nobody_elses_tickets_are_listed(login, alice, bob, carol, ada, kettles):
    for person in (alice, carol):
        make_ticket(
            requester=person, assignee=bob, category=kettles, by=ada, subject=f"Of {person}"
        )

    assert cards(login(alice).get(LIST)) == ["Of Alice Archer"]
    assert cards(login(bob).get(LIST)) == []
    assert cards(login(ada).get(LIST)) == []


def test_a_deleted_ticket_vanishes_and_comes_back(client_of_alice, ada, ticket):
    """D0-9"""
    actions.bin_ticket(ticket, by=ada)
    page = client_of_alice.get(LIST, {"tab": "all"})
    assert cards(page) == []
    assert "You are yet to raise a ticket" in texts(page, "h2")

    actions.restore_ticket(ticket, by=ada)
    assert cards(client_of_alice.get(LIST)) == ["Kettle stopped heating"]


def test_the_fragment_is_the_pages_own_part(client_of_alice, ticket):
    """What a bell brings is what a reload would."""
    page = client_of_alice.get(LIST)
    fragment = client_of_alice.get(LIST, headers={"HX-Request": "true"})
    back = client_of_alice.get(
        LIST, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )

    assert fragment.text.startswith('<div id="ticket-list"')
    assert fragment.text.strip() in page.text
    assert "<h1" in back.text


@pytest.mark.plan("SEC-G2")
def test_queries_do_not_grow_with_the_rows(client_of_alice, alice, bob, ada, kettles, settings):
    settings.TICKETS_PER_HOUR = 100

    def queries():
        with CaptureQueriesContext(connection) as captured:
            client_of_alice.get(LIST, {"tab": "all"})
        return len(captured)

    states = [None, Status.WAITING, Status.RESOLVED, Status.CLOSED, Status.WITHDRAWN, Status.OPEN]
    counts = []
    for total in (1, 3, 50):
        for number in range(Ticket.objects.count(), total):
            make_ticket(
                requester=alice,
                assignee=bob if number % 2 else None,
                category=kettles,
                by=ada,
                status=states[number % 6] if number % 2 else None,
            )
        counts.append(queries())

    assert counts[0] == counts[1] == counts[2]
    assert counts[0] <= 15


HOSTILE = [
    "x=1",
    "tab=",
    "tab=everything",
    "tab=open&tab=all",
    "tab=%00",
    "after=CCR-1999-00001",
    "after=-1",
    "after=0",
    "after=1.5",
    "after=9999999999999999999999",
    "after=%00",
    "after=%ED%A0%80",
    "after=" + "9" * 10_000,
    "after=a&after=b",
    "tab=" + "x" * 10_000,
    "page=2",
    "ordering=-requester__password",
    "requester=1&requester__email=x",
    "[]=1&tab[]=all",
    "%",
    "&&&===",
]


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize("query", HOSTILE)
def test_odd_parameters_are_harmless(client_of_alice, ticket, query):
    page = client_of_alice.get(f"{LIST}?{query}")

    assert page.status_code == 200
    assert cards(page) == ["Kettle stopped heating"]


@pytest.mark.plan("SEC-H5")
def test_the_list_stays_in_no_cache(client_of_alice):
    assert client_of_alice.get(LIST).headers["Cache-Control"] == "no-store"


def test_visitors_sign_in_first_and_come_back(client):
    assert client.get(LIST).url == f"{reverse('account_login')}?next={LIST}"


def test_all_that_the_page_says_follows_the_tickets(client_of_alice, alice, bob, ada, kettles):
    """D4-3: the greeting, the counts and what was resolved come with the list when it is asked."""
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
    actions.change_status(ticket, Status.RESOLVED, by=bob, text="Done.", resolution="answered")

    part = client_of_alice.get(LIST, headers={"HX-Request": "true"})

    assert "<html" not in part.text
    assert text(part, ".ccr-tabs") == "Open 0 Resolved 1 All 1"
    assert ticket.reference in text(part, "aside")

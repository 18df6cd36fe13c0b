"""The ticket page of both sides: what each kind of line looks like to whom."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import actions as messaging
from tickets import actions
from tickets.tests.factories import make_ticket
from tickets.tests.reading import lines, text, texts
from tickets.workflow import ResolutionKind, Status

from .talking import talk


def page_of(login, person, ticket, query=""):
    return login(person).get(f"{ticket.url_for(person)}{query}")


def events(page):
    """The lines between the messages, without their times."""
    return [words.rsplit(" ", 1)[0] for words in texts(page, ".ccr-log__event")]


def test_the_query_as_it_was_posted(login, alice, ticket):
    """D1-8, D1-T19, D1-T41, D2-6"""
    page = page_of(login, alice, ticket)

    assert text(page, "h1") == "Kettle stopped heating"
    assert texts(page, ".ccr-msg__text") == ["The light comes on but the water stays cold."]
    assert "Faulty product" in texts(page, "dd")
    assert "Bob Baker" in text(page, "#ticket-aside")


def test_what_comes_after_the_words_of_a_mail_is_folded(login, alice, bob, ticket):
    """Nobody knows here whether it is quoted or a signature."""
    how = {"mail": 1, "new": len("Still cold.")}
    messaging.post_message(ticket, by=alice, body="Still cold.\n-- \nAlice Archer", how=how)

    for person in (alice, bob):
        page = page_of(login, person, ticket)
        assert text(page, ".ccr-fold") == "Show the rest-- Alice Archer"


def test_without_an_agent(login, alice, kettles):
    """D1-T21"""
    ticket = make_ticket(requester=alice, category=kettles)

    page = page_of(login, alice, ticket)

    assert "Your agent N/A Returns team" in text(page, "#ticket-aside")
    assert text(page, "#start") == (
        "As soon as somebody has your ticket, they answer here. You can add to it now."
    )


def test_who_starts_the_conversation(login, alice, bob, ticket):
    """D1-T42, D1-17: as long as nobody has said anything."""
    assert text(page_of(login, alice, ticket), "#start") == (
        "Start the conversation with the agent, Bob"
    )
    assert text(page_of(login, bob, ticket), "#start") == (
        "Start the conversation with the customer, Alice"
    )

    talk(ticket, bob, "Hello")

    assert texts(page_of(login, alice, ticket), "#start") == []
    assert texts(page_of(login, bob, ticket), "#start") == []


@pytest.fixture
def story(ticket, alice, bob, ada, dave):
    """Every kind of line there is."""
    talk(ticket, alice, "Any news?")
    messaging.post_message(ticket, by=bob, body="Which model?", then=Status.WAITING)
    talk(ticket, alice, "The K2.")
    messaging.post_note(ticket, by=bob, body="The K2 is recalled.")
    actions.classify(ticket, by=bob, priority="high", category=ticket.category)
    actions.assign(ticket, to=dave, by=bob)
    tomorrow = timezone.localdate() + timedelta(days=1)
    actions.change_status(ticket, Status.HOLD, by=dave, text="Waits for a part.", until=tomorrow)
    actions.bin_ticket(ticket, by=ada)
    actions.restore_ticket(ticket, by=ada)
    actions.change_status(
        ticket, Status.RESOLVED, by=dave, text="Replaced.", resolution=ResolutionKind.REPLACED
    )
    actions.rate(ticket, by=alice, rating=4, comment="Slow but fine.")
    actions.change_status(ticket, Status.OPEN, by=alice)
    actions.change_status(ticket, Status.WITHDRAWN, by=alice)
    return ticket


def test_the_requesters_story(login, alice, story):
    """D3-2, D4-3: each step once, in their words, and nothing that is for staff."""
    page = page_of(login, alice, story, "?all=1")

    assert texts(page, ".ccr-msg__text") == [
        "The light comes on but the water stays cold.",
        "Any news?",
        "Which model?",
        "The K2.",
        "Waits for a part.",
        "Replaced.",
        "Slow but fine.",
    ]
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert events(page) == [
        "Bob Baker has your ticket now.",
        "Dave Dunn has your ticket now.",
        f"Dave Dunn put the ticket on hold until {tomorrow:%a} {tomorrow.day} {tomorrow:%b}.",
        "Dave Dunn marked the ticket resolved: Replaced.",
        "You rated it 4 of 5.",
        "You closed the ticket.",
        "You opened the ticket again.",
        "You withdrew the ticket.",
    ]
    for secret in ("recalled", "category or tags", "Ada", "Deleted", "Restored"):
        assert secret not in page.text


def test_the_staffs_story(login, dave, story):
    page = page_of(login, dave, story, "?all=1")

    assert texts(page, ".ccr-copy__text") == [
        "The light comes on but the water stays cold.",
        "Any news?",
        "Which model?",
        "The K2.",
        "The K2 is recalled.",
        "Waits for a part.",
        "Replaced.",
        "Slow but fine.",
    ]
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert events(page) == [
        "Ada Adler assigned this to Bob Baker.",
        "Bob Baker changed kind, priority, category or tags.",
        "Bob Baker assigned this to Dave Dunn.",
        f"Dave Dunn put the ticket on hold until {tomorrow:%a} {tomorrow.day} {tomorrow:%b}.",
        "Deleted (Ada Adler).",
        "Restored (Ada Adler).",
        "Dave Dunn marked the ticket resolved: Replaced.",
        "Alice Archer rated it 4 of 5.",
        "Alice Archer closed the ticket.",
        "Alice Archer opened the ticket again.",
        "Alice Archer withdrew the ticket.",
    ]
    assert len(texts(page, ".ccr-copy--note")) == 1


def test_the_timeline_follows_each_step(login, alice, story):
    """D3-2"""
    page = page_of(login, alice, story)

    assert texts(page, ".ccr-timeline__what") == [
        "Received",
        "Assigned to Bob Baker",
        "Your answer was asked for",
        "You answered",
        "Assigned to Dave Dunn",
        "On hold",
        "Resolved",
        "Closed",
        "Opened again",
        "Withdrawn",
    ]


def test_who_took_a_ticket_is_said_so(login, alice, bob, kettles):
    ticket = make_ticket(requester=alice, category=kettles)
    actions.assign(ticket, to=bob, by=bob)

    assert events(page_of(login, alice, ticket)) == ["Bob Baker took the ticket."]
    assert events(page_of(login, bob, ticket)) == ["Bob Baker took the ticket."]


def test_the_promise_stands_at_the_top(login, alice, bob, ticket):
    """D1-15, D4-3"""
    page = page_of(login, alice, ticket)
    assert "Bob is working on it. You’ll hear by" in text(page, "#ticket-now")

    actions.change_status(ticket, Status.WAITING, by=bob, text="Which model is it?")

    page = page_of(login, alice, ticket)
    assert text(page, "#ticket-now") == (
        "Bob needs your answer. Which model is it? The clock is stopped until you answer."
    )
    assert "Answer Bob" in text(page, "#ticket-stub")
    assert texts(page, "title")[0].startswith(f"Your reply needed: {ticket}")


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("open", ["close", "withdraw"]),
        ("waiting", ["close", "withdraw"]),
        ("resolved", ["rate", "reopen"]),
        ("closed", ["rate", "reopen"]),
        ("withdrawn", []),
    ],
)
def test_the_page_offers_what_would_be_accepted(login, alice, bob, ada, kettles, status, offered):
    """D0-6"""
    ticket = make_ticket(
        requester=alice, assignee=bob, category=kettles, by=ada, status=Status(status)
    )

    page = page_of(login, alice, ticket)

    verbs = [
        verb for verb in ("close", "withdraw", "rate", "reopen") if f"{ticket}/{verb}/" in page.text
    ]
    assert verbs == offered


def test_after_seven_days_a_new_ticket_is_offered_instead(login, alice, bob, ada, kettles):
    ticket = make_ticket(
        requester=alice, assignee=bob, category=kettles, by=ada, status=Status.CLOSED
    )

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        page = page_of(login, alice, ticket)

    assert "/reopen/" not in page.text
    assert "Raise a new one about this" in text(page, "#ticket-aside")


# --- Long conversations -------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "earlier"), [(8, ""), (9, "Show 1 earlier message"), (12, "Show 4 earlier messages")]
)
def test_the_requester_sees_the_newest_ten(login, alice, ticket, said, earlier):
    """Two lines are there before: the query and the assignment. The move that came with it is
    no line of its own, and is not counted."""
    talk(ticket, alice, *(f"Word {number}" for number in range(said)))

    page = page_of(login, alice, ticket)

    assert len(lines(page)) == 10
    assert texts(page, ".ccr-earlier") == ([earlier] if earlier else [])
    assert texts(page, ".ccr-msg__text")[-1] == f"Word {said - 1}"


def test_all_of_it_on_one_page(login, alice, ticket):
    talk(ticket, alice, *(f"Word {number}" for number in range(20)))

    page = page_of(login, alice, ticket, "?all=1")

    assert len(lines(page)) == 22
    assert texts(page, ".ccr-earlier") == []


def test_the_earlier_ones_are_the_rest(login, alice, ticket):
    """What the link brings and what stood there make the whole."""
    talk(ticket, alice, *(f"Word {number}" for number in range(20)))
    client = login(alice)
    page = client.get(ticket.get_absolute_url())
    everything = lines(client.get(f"{ticket.get_absolute_url()}?all=1"))

    link = page.text.split('hx-get="')[1].split('"')[0]
    earlier = client.get(link)

    assert lines(earlier) + lines(page) == everything
    assert f'href="{ticket.get_absolute_url()}?all=1#talk"' in page.text


def test_staff_see_the_newest_twenty(login, alice, bob, ticket):
    talk(ticket, alice, *(f"Word {number}" for number in range(21)))

    page = page_of(login, bob, ticket)

    assert len(lines(page)) == 20
    assert texts(page, ".ccr-earlier") == ["Show 3 earlier messages"]
    assert len(lines(page_of(login, bob, ticket, "?all=1"))) == 23


def test_notes_do_not_take_the_place_of_the_requesters_ten(login, alice, bob, ticket):
    talk(ticket, alice, "Hello?")
    for _number in range(20):
        messaging.post_note(ticket, by=bob, body="Called again.")

    assert lines(page_of(login, alice, ticket)) == [1, 2, 4]


def test_each_day_begins_once(login, alice, bob, ada, kettles):
    """Today, yesterday, and the day's name before that."""
    with time_machine.travel("2026-11-16 10:00 +0000", tick=False):
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        talk(ticket, alice, "Monday")
    with time_machine.travel("2026-11-17 23:59 +0000", tick=False):
        talk(ticket, alice, "Tuesday")
    with time_machine.travel("2026-11-18 00:01 +0000", tick=False):
        talk(ticket, alice, "Wednesday")
        page = page_of(login, alice, ticket)

    assert texts(page, ".ccr-log__day") == ["Monday 16 November", "Yesterday", "Today"]


@pytest.mark.plan("SEC-G2")
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_queries_do_not_grow_with_the_lines(login, request, alice, bob, dave, ada, ticket, name):
    person = request.getfixturevalue(name)
    client = login(person)
    counts = []
    for total in (1, 3, 50):
        while ticket.message_count < total:
            talk(ticket, alice, "Hello?")
            talk(ticket, bob, "Hello.")
            messaging.post_note(ticket, by=bob, body="Called.")
            actions.assign(ticket, to=dave, by=ada)
            actions.assign(ticket, to=bob, by=ada)
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{ticket.url_for(person)}?all=1")
        counts.append(len(captured))

    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize("name", ["alice", "bob", "ada"])
def test_few_queries(login, request, ticket, name):
    person = request.getfixturevalue(name)
    client = login(person)

    with CaptureQueriesContext(connection) as captured:
        assert client.get(ticket.url_for(person)).status_code == 200

    assert len(captured) <= 15


# --- Who is shown which page ----------------------------------------------------------


def test_each_is_led_to_their_own_page(login, alice, bob, ada, ticket):
    assert login(bob).get(ticket.get_absolute_url()).url == ticket.workspace_url
    assert login(ada).get(ticket.get_absolute_url()).url == ticket.workspace_url
    assert login(alice).get(ticket.workspace_url).status_code == 403

    own = make_ticket(requester=bob)
    assert login(bob).get(own.workspace_url).url == own.get_absolute_url()


@pytest.mark.plan("SEC-A2")
@pytest.mark.parametrize(
    "reference",
    ["CCR-1999-00001", "x", "1", "CCR-2026-00001x", "9" * 500, "%00", "%2e%2e", "a%00b", "é"],
)
def test_an_unknown_reference_is_not_found(login, carol, bob, ticket, reference):
    for person in (carol, bob):
        client = login(person)
        assert client.get(f"/tickets/{reference}/").status_code == 404
        assert client.post(f"/tickets/{reference}/reply/", {"body": "Hello"}).status_code == 404
    assert login(bob).get(f"/workspace/tickets/{reference}/").status_code == 404


@pytest.mark.plan("SEC-A2")
def test_a_foreign_ticket_looks_like_none(login, alice, carol, dave, ticket):
    for person in (carol, dave):
        client = login(person)
        foreign = client.get(ticket.get_absolute_url())
        unknown = client.get(ticket.get_absolute_url().replace("00001", "99999"))
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert texts(foreign, "main") == texts(unknown, "main")

    assert page_of(login, alice, ticket).status_code == 200


def test_the_pool_reads_and_offers_to_take(login, bob, alice, kettles):
    ticket = make_ticket(requester=alice, category=kettles)

    page = page_of(login, bob, ticket)

    assert "Nobody has this ticket yet.Take this ticket" in text(page, "#composer")
    assert "Change the status" not in text(page, ".ccr-work__side")


@pytest.mark.plan("SEC-H5")
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_the_pages_stay_in_no_cache(login, request, ticket, name):
    page = page_of(login, request.getfixturevalue(name), ticket)

    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.plan("SEC-B11")
@pytest.mark.parametrize(
    "query", ["?all", "?all=0&all=1", "?all=%00", "?after=-1", "?x=" + "9" * 10_000]
)
def test_odd_parameters_are_harmless(login, alice, bob, ticket, query):
    for person in (alice, bob):
        page = page_of(login, person, ticket, query)
        assert page.status_code == 200
        assert lines(page) == [1, 2]

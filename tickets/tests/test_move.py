"""Handlers move a ticket by the form beside the conversation, and sort it."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.urls import reverse

from tickets import actions
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

from .reading import problems, text, texts, told, typed

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)


def move(client, ticket, status, **words):
    url = reverse("messaging:move", args=[ticket.reference])
    return client.post(url, {"status": status, **words}, follow=True)


def classify(client, ticket, **fields):
    url = reverse("tickets:classify", args=[ticket.reference])
    return client.post(url, {"kind": ticket.kind, **fields}, follow=True)


@pytest.mark.parametrize(
    ("status", "words", "data"),
    [
        ("waiting", {"text": "Which model is it?"}, {}),
        ("waiting", {}, {}),
        (
            "hold",
            {"text": "Waits for a part.", "until": "2026-11-26"},
            {"until": "2026-11-26"},
        ),
        (
            "resolved",
            {"text": "A new one is on its way.", "resolution": "replaced"},
            {"resolution": "replaced"},
        ),
        ("closed", {"text": "As agreed on the phone."}, {"resolution": "other"}),
    ],
)
@time_machine.travel(MONDAY, tick=False)
def test_a_move_with_its_words(login, bob, ticket, status, words, data):
    """D2-5, D4-5"""
    page = move(login(bob), ticket, status, **words)

    ticket.refresh_from_db()
    line = ticket.status_event
    assert (ticket.status, line.actor, line.text) == (status, bob, words.get("text", ""))
    assert line.data == {"from": "open", "to": status} | data
    assert told(page) == ["Saved"]
    assert page.redirect_chain == [(ticket.workspace_url, 302)]


@pytest.mark.parametrize(
    ("status", "words", "errors"),
    [
        (
            "resolved",
            {},
            ["Tell the customer what was done and how to go on", "Choose how it was resolved"],
        ),
        ("resolved", {"text": "Done."}, ["Choose how it was resolved"]),
        (
            "resolved",
            {"text": "Done.", "resolution": "magic"},
            [
                "Select a valid choice. magic is not one of the available choices.",
                "Choose how it was resolved",
            ],
        ),
        (
            "resolved",
            {"text": "  ", "resolution": "replaced"},
            ["Tell the customer what was done and how to go on"],
        ),
        (
            "hold",
            {},
            ["Say what it is waiting for. The customer reads it", "Enter a day from today on"],
        ),
        ("hold", {"text": "A part."}, ["Enter a day from today on"]),
        ("hold", {"text": "A part.", "until": "2026-11-15"}, ["Enter a day from today on"]),
        ("hold", {"text": "A part.", "until": "soon"}, ["Enter a date, like 2026-11-26"]),
        ("hold", {"text": "A part.", "until": "2026-02-30"}, ["Enter a date, like 2026-11-26"]),
        ("waiting", {"text": "x" * 50_001}, ["Use 50,000 characters or less"]),
        ("waiting", {"text": "a\0b"}, ["Null characters are not allowed."]),
        ("open", {}, ["That move is not available now"]),
        ("withdrawn", {}, ["That move is not available now"]),
        ("", {}, ["Choose where to move it"]),
        ("flying", {}, ["That move is not available now"]),
    ],
)
@time_machine.travel(MONDAY, tick=False)
def test_a_move_without_its_words_is_asked_for_them(login, bob, ticket, status, words, errors):
    """And what was typed is kept."""
    lines = ticket.event_count

    page = move(login(bob), ticket, status, **words)

    assert page.status_code == 422
    assert problems(page)[0] == errors
    assert texts(page, "title")[0].startswith("Error: ")
    assert typed(page, "text").strip() == words.get("text", "").strip()
    assert typed(page, "until") == words.get("until", "")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.event_count) == (Status.OPEN, lines)


def test_a_hold_from_today_on(login, bob, ticket):
    with time_machine.travel(MONDAY, tick=False):
        page = move(login(bob), ticket, "hold", text="A part.", until="2026-11-16")

    assert told(page) == ["Saved"]


def test_only_lawful_moves_are_offered(login, bob, ada, ticket):
    def offered(person):
        page = login(person).get(ticket.workspace_url)
        choices = page.context["move_form"].fields["status"].choices
        return [str(label) for key, label in choices if key]

    assert offered(bob) == ["Waiting on customer", "On hold", "Resolved", "Closed"]
    assert offered(ada) == [*offered(bob), "Withdrawn"]
    actions.change_status(ticket, Status.WITHDRAWN, by=ada)
    assert offered(ada) == []


@pytest.mark.plan("SEC-A3")
def test_who_only_might_take_it_moves_nothing(login, alice, bob, dave, carol, kettles):
    ticket = make_ticket(requester=alice, category=kettles)

    assert move(login(bob), ticket, "resolved").status_code == 403  # sees it, in the pool
    assert move(login(alice), ticket, "resolved").status_code == 403
    assert move(login(carol), ticket, "resolved").status_code == 403
    actions.assign(ticket, to=dave, by=dave)
    assert move(login(bob), ticket, "resolved").status_code == 404
    assert move(login(dave), ticket, "waiting").status_code == 200


def test_priority_and_category(login, bob, ticket, kettles):
    """D2-2, D2-5: a line for staff that says what it was before."""
    lamps = make_category("Lamps")

    page = classify(login(bob), ticket, priority="urgent", category=lamps.pk)

    ticket.refresh_from_db()
    assert (ticket.priority, ticket.category) == ("urgent", lamps)
    assert told(page) == ["Saved"]
    line = ticket.events.last()
    assert (line.kind, line.audience, line.actor) == ("classified", "staff", bob)
    assert line.data == {"priority": ["normal", "urgent"], "category": [kettles.pk, lamps.pk]}


def test_nothing_changed_is_nothing_written(login, bob, ticket, kettles):
    lines = ticket.event_count

    classify(login(bob), ticket, priority="normal", category=kettles.pk)

    ticket.refresh_from_db()
    assert ticket.event_count == lines


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"priority": "high"},
        {"priority": "extreme", "category": "1"},
        {"priority": "high", "category": "0"},
        {"priority": "high", "category": "x"},
        {"priority": "high", "category": "9" * 30},
        {"priority": "\0", "category": "\0"},
    ],
)
def test_a_wrong_priority_or_category_changes_nothing(login, bob, ticket, fields):
    page = classify(login(bob), ticket, **fields)

    ticket.refresh_from_db()
    assert page.status_code == 422
    assert "Select a valid choice" in page.text or "This field is required" in page.text
    assert (ticket.priority, ticket.category.name) == ("normal", "Faulty product")


def test_the_requester_learns_of_the_new_priority_by_no_line(login, alice, bob, ticket):
    classify(login(bob), ticket, priority="urgent", category=ticket.category_id)

    assert (
        "changed kind, priority, category or tags"
        not in login(alice).get(ticket.get_absolute_url()).text
    )
    assert "changed kind, priority, category or tags" in login(bob).get(ticket.workspace_url).text


def test_facts_of_the_ticket(login, bob, alice, ada, kettles):
    """D2-2, D2-6"""
    ticket = make_ticket(
        requester=alice, assignee=bob, category=kettles, by=ada,
        against="Kettle K2", incident_on=date(2026, 11, 3), contact_phone="+441134960000",
    )  # fmt: skip
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Sent.", resolution=ResolutionKind.REPLACED
    )

    page = login(bob).get(ticket.workspace_url)

    facts = texts(page, "dd")
    for fact in (
        "Resolved", "Bob Baker", "Normal", "Faulty product", "Returns team", "Replaced",
        "alice@example.org", "+44 113 496 0000", "Kettle K2", "3 Nov 2026",
    ):  # fmt: skip
        assert fact in facts
    assert "Alice Archer" in text(page, ".ccr-work__side")

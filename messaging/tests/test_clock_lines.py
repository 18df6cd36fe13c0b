"""What time did, as both sides read it on the ticket's page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from messaging.actions import chat_closed_words
from tickets import actions
from tickets.automation import clockwork
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
RESOLVED = {"text": "Replaced.", "resolution": ResolutionKind.REPLACED}
HELD = {"text": "Waits.", "until": MONDAY.date()}
QUIET = "We have not heard from you. Open the ticket again if you still need us."
STORIES = {
    "waiting": (
        Status.WAITING, {}, [{"days": 5}, {"days": 7}],
        [
            "We reminded you that we wait for your answer.",
            "We heard nothing from you, so the registry marked the ticket resolved.",
        ],
        [
            "The customer was reminded that we wait for their answer. Rule: waiting reminder.",
            "The customer did not answer, so the registry marked the ticket resolved. "
            "Rule: waiting over.",
        ],
    ),
    "resolved": (
        Status.RESOLVED, RESOLVED, [{"days": 5}, {"days": 7}],
        [
            "We reminded you that the ticket closes soon.",
            "Nobody wrote any more, so the registry closed the ticket.",
        ],
        [
            "The customer was reminded that the ticket closes soon. Rule: closing reminder.",
            "Nobody wrote any more, so the registry closed the ticket. Rule: closing.",
        ],
    ),
    "hold": (
        Status.HOLD, HELD, [{"hours": 12}],
        ["The hold has ended. The ticket is in progress."],
        ["The hold has ended. The ticket is in progress. Rule: hold over."],
    ),
    "missed": (
        Status.OPEN, {}, [{"hours": 4}],
        [],
        ["The customer got no answer by the time promised. Rule: answer missed."],
    ),
}  # fmt: skip


def at(**span):
    return time_machine.travel(MONDAY + timedelta(**span), tick=False)


@pytest.mark.parametrize("story", sorted(STORIES))
def test_both_sides_read_what_time_did_and_staff_by_which_rule(
    client, alice, bob, ada, kettles, story
):
    """D0-12, D3-2"""
    status, words, moments, for_alice, for_bob = STORIES[story]
    with at():
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        if status != Status.OPEN:
            actions.change_status(ticket, status, by=bob, **words)
    for moment in moments:
        with at(**moment):
            clockwork.run()

    with at(**moments[-1]):
        for reader, expected in ((alice, for_alice), (bob, for_bob)):
            client.force_login(reader)
            page = client.get(Ticket.objects.get(pk=ticket.pk).url_for(reader))
            shown = [words.rpartition(" ")[0] for words in texts(page, ".ccr-log__event")]
            assert [line for line in shown if line in for_alice + for_bob] == expected
            assert "None" not in page.text


def test_where_nobody_acted_the_registry_is_named(alice, bob, ada, kettles, login):
    """D1-9: also in place of the composer, and in the promise of what was resolved."""
    with at():
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        actions.change_status(ticket, Status.WAITING, by=bob)
    for days in (5, 7):
        with at(days=days):
            clockwork.run()
    with at(days=7):
        page = login(alice).get(ticket.get_absolute_url())
        assert "The registry marked this resolved." in page.text
        assert QUIET in page.text
    for days in (12, 14):
        with at(days=days):
            clockwork.run()

    ticket.refresh_from_db()
    words = "The registry closed this ticket. Chats are disabled"
    assert [chat_closed_words(ticket, reader) for reader in (alice, bob)] == [words] * 2


@pytest.mark.parametrize(
    ("days", "words"), [(7, "Mon 23 Nov, or when you say so"), (0, "when you say so")]
)
def test_what_is_resolved_says_when_it_closes(
    login, settings, alice, bob, ada, kettles, days, words
):
    settings.CLOSE_AFTER_DAYS = days
    with at():
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
        actions.change_status(ticket, Status.RESOLVED, by=bob, **RESOLVED)
        page = login(alice).get(ticket.get_absolute_url())

    assert texts(page, ".ccr-timeline__when")[-1] == words


def test_the_console_names_the_rule(login, alice, bob, ada, kettles):
    with at():
        ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada)
    with at(hours=4):
        clockwork.run()
        page = login(ada).get(f"/admin/tickets/ticket/{ticket.pk}/change/")

    assert page.context["lines"][0]["what"] == "Promise missed (answer missed)"

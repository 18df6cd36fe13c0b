"""The fingerprints outside the database find what the chain alone can't."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from tickets import actions, anchors, history
from tickets.models import Ticket
from tickets.tasks import anchor_history
from tickets.tests.test_history import alter, remove
from tickets.workflow import Status


@pytest.fixture(autouse=True)
def folder_of_its_own(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def lines(ticket, bob):
    actions.change_status(ticket, Status.WAITING, by=bob, text="Please send a picture.")
    return list(ticket.events.all())


@pytest.fixture
def later():
    """Six minutes on: all lines so far have settled."""
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        yield


def roll_back(ticket):
    """Take the last line away, together with the count and the head."""
    *_, before, last = ticket.events.all()
    remove(last)
    alter(ticket, event_count=before.number, head_digest=before.digest)


def test_untouched_lines_fit_their_anchor(lines, later):
    anchor = anchors.write()

    assert (anchor.lines, anchor.tickets) == (4, 1)
    assert anchors.read() == [anchor]
    assert list(anchors.problems()) == []


def test_a_rollback_of_line_and_ticket_together_is_found_by_the_anchor_alone(lines, ticket, later):
    anchor = anchors.write()

    roll_back(ticket)

    assert list(history.problems(Ticket.objects.all())) == []
    assert list(anchors.problems()) == [
        f"Anchor of {anchor.at}: 4 lines of 1 tickets then, 3 lines of 1 tickets now, not the same."
    ]


def test_a_rollback_that_went_on_differently_is_found(lines, ticket, bob, later):
    anchors.write()

    roll_back(ticket)
    ticket.refresh_from_db()
    actions.change_status(ticket, Status.HOLD, by=bob, text="Later.", until=timezone.localdate())

    assert list(history.problems(Ticket.objects.all())) == []
    assert len(list(anchors.problems())) == 1


def test_a_rollback_is_found_by_an_older_anchor_too(lines, ticket, bob, later):
    """Every anchor is compared, not only the newest."""
    first = anchors.write()
    roll_back(ticket)
    ticket.refresh_from_db()
    actions.change_status(ticket, Status.HOLD, by=bob, text="Later.", until=timezone.localdate())
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        anchors.write()

    assert [problem.split(": ")[0] for problem in anchors.problems()] == [f"Anchor of {first.at}"]


def test_a_ticket_removed_as_a_whole_is_found(lines, ticket, later):
    anchors.write()

    for line in lines:
        remove(line)
    remove(ticket)

    assert list(history.problems(Ticket.objects.all())) == []
    assert len(list(anchors.problems())) == 1


def test_lines_of_the_last_minutes_wait_for_the_next_anchor(lines, ticket, bob, later):
    actions.change_status(ticket, Status.OPEN, by=bob)

    first = anchors.write()
    nothing_new = anchors.write()
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        second = anchors.write()

    assert (first.lines, nothing_new, second.lines) == (4, None, 1)
    assert list(anchors.problems()) == []


def test_a_line_taken_out_of_the_file_is_found(lines, ticket, bob, later):
    anchors.write()
    actions.change_status(ticket, Status.OPEN, by=bob)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        anchors.write()
    file = anchors.anchors_file()

    file.write_text(file.read_text().splitlines(keepends=True)[1])

    assert len(list(anchors.problems())) == 1


def test_an_anchor_signed_with_another_key_is_found(lines, later, settings):
    """Who can write the database and the file still needs the key."""
    ours = settings.HISTORY_KEY
    settings.HISTORY_KEY = "somebody else's key"
    anchors.write()
    settings.HISTORY_KEY = ours

    assert len(list(anchors.problems())) == 1


def test_the_commands_anchor_and_compare(lines, ticket, later):
    out = StringIO()

    call_command("anchor_history", stdout=out)
    call_command("anchor_history", stdout=out)
    roll_back(ticket)

    assert out.getvalue().splitlines() == [
        f"Anchored 4 lines of 1 tickets in {anchors.anchors_file()}.",
        "No line is new since the last anchor and older than five minutes.",
    ]
    with pytest.raises(CommandError, match="1 problems in the history of 1 tickets"):
        call_command("verify_history", stdout=StringIO())
    call_command("verify_history", "--no-anchors", stdout=StringIO())
    call_command("verify_history", ticket.reference, stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("verify_history", ticket.reference, "--anchors", stdout=StringIO())


def test_the_worker_anchors(lines, later):
    anchor_history()

    assert [anchor.lines for anchor in anchors.read()] == [4]

"""What is kept of those who take part in others' tickets, and how it leaves."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import erasure, exports
from accounts.models import DataExport
from accounts.tests.factories import make_user
from messaging.actions import post_message, post_note
from messaging.tests.talking import reply
from tickets import actions, history, removal
from tickets.models import Attachment, Follower, Participant, Ticket
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.workflow import Status, TicketRefusal

from .files import PNG, file, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def spoken(login, ticket, alice, bob, dan):
    """Alice's ticket, on which everybody has said something, Dan with a file."""
    participants.add(ticket, dan.email, by=bob)
    reply(login(dan), ticket, "We share the kitchen.", files=[file("dans.png")])
    reply(login(alice), ticket, "It is all broken.", files=[file("alices.png", PNG + b" ")])
    ticket.refresh_from_db()
    post_note(ticket, by=bob, body="The K2 is recalled.")
    return ticket


def archive_of(person) -> tuple[dict, list[str]]:
    exports.ask_for(person, by=person)
    exports.make_due()
    with DataExport.objects.get(user=person).file as kept:
        archive = zipfile.ZipFile(io.BytesIO(kept.read()))
    files = [name for name in archive.namelist() if name.startswith("files/")]
    return json.loads(archive.read("data.json")), files


def erase(person):
    person.erase_at = timezone.now()
    person.save()
    erasure.erase(person, by=person)


def said_on(ticket) -> list[str]:
    return list(ticket.events.exclude(text="").values_list("text", flat=True))


# --- Export ---------------------------------------------------------------------------------


@pytest.mark.plan("SEC-H1")
@pytest.mark.parametrize("still", [True, False])
def test_the_archive_has_their_own_words_and_nobody_elses(spoken, bob, dan, still):
    """Also after they left."""
    if not still:
        participants.remove(spoken, person=dan.pk, by=bob)

    told, files = archive_of(dan)

    (row,) = told["tickets_of_others"]
    assert row["number"] == spoken.reference
    said = [line["words"] for line in row["lines"] if line["words"]]
    assert said == ["We share the kitchen."]
    assert told["tickets"] == []
    assert [name.rpartition("-")[2] for name in files] == ["dans.png"]
    assert "broken" not in json.dumps(told)


@pytest.mark.plan("SEC-H1")
def test_the_owners_archive_has_the_whole_conversation(spoken, alice):
    told, files = archive_of(alice)

    (row,) = told["tickets"]
    words = [line["words"] for line in row["lines"]]
    assert "We share the kitchen." in words
    assert "The K2 is recalled." not in words
    assert len(files) == 2
    assert told["tickets_of_others"] == []


# --- Erasure --------------------------------------------------------------------------------


@pytest.mark.plan("SEC-H2")
@pytest.mark.parametrize("still", [True, False])
def test_their_words_and_files_go_with_them(
    spoken, alice, bob, dan, settings, django_capture_on_commit_callbacks, still
):
    """P16: also where they no longer took part. The rest stays, and the chain holds."""
    if not still:
        participants.remove(spoken, person=dan.pk, by=bob)

    with django_capture_on_commit_callbacks(execute=True):
        erase(dan)

    spoken.refresh_from_db()
    assert said_on(spoken) == [
        "The light comes on but the water stays cold.",
        "It is all broken.",
        "The K2 is recalled.",
    ]
    assert [each.name for each in Attachment.objects.all()] == ["alices.png"]
    assert [path.read_bytes() for path in stored(settings)] == [PNG + b" "]
    assert not Participant.objects.exists()
    assert spoken.status == Status.OPEN
    assert [line.kind for line in spoken.events.filter(kind="left")] == ["left"]
    assert list(history.problems(Ticket.objects.all())) == []


@pytest.mark.plan("SEC-H2")
def test_with_the_owner_everything_goes(spoken, alice, ada, dan):
    participants.follow(spoken, by=ada)

    erase(alice)

    assert said_on(spoken) == []
    assert not Participant.objects.exists()
    assert not Follower.objects.exists()
    assert not Ticket.objects.visible_to(dan).exists()


def test_what_an_agent_follows_is_forgotten_with_them(ticket, bob, ada):
    participants.follow(ticket, by=bob)
    actions.assign(ticket, to=make_user("Noor", role="agent"), by=ada)

    erase(bob)

    assert not Follower.objects.exists()


# --- Final deletion ---------------------------------------------------------------------------


def bin_long_ago(ticket, ada):
    with time_machine.travel(timezone.now() - timedelta(days=60)):
        actions.bin_ticket(ticket, by=ada)


def test_a_ticket_goes_for_good_with_who_took_part(spoken, ada, dan):
    """Nothing points at it any more."""
    participants.follow(spoken, by=ada)
    bin_long_ago(spoken, ada)

    removal.remove_for_good(spoken, by=ada)

    assert not Ticket.objects.exists()
    assert not Participant.objects.exists()
    assert not Follower.objects.exists()


@pytest.mark.plan("SEC-H3")
@pytest.mark.parametrize("still", [True, False])
def test_who_is_held_keeps_what_they_took_part_in(spoken, bob, ada, dan, still):
    """Legal hold: nothing of theirs is removed, also where they no longer take part."""
    if not still:
        participants.remove(spoken, person=dan.pk, by=bob)
    bin_long_ago(spoken, ada)
    dan.legal_hold = "Case 17"
    dan.save()

    with pytest.raises(TicketRefusal):
        removal.remove_for_good(spoken, by=ada)

    dan.legal_hold = ""
    dan.save()
    removal.remove_for_good(spoken, by=ada)
    assert not Ticket.objects.exists()


def test_others_tickets_are_no_work_left_open(spoken, alice, dan):
    """Leaving names one's own tickets alone, and withdraws no other's."""
    own = make_ticket(dan)
    post_message(own, by=dan, body="Mine.")

    erase(dan)

    own.refresh_from_db()
    spoken.refresh_from_db()
    assert (own.status, spoken.status) == (Status.WITHDRAWN, Status.OPEN)

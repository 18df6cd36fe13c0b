"""What participants and followers are mailed, looked at as it arrives at a real SMTP server."""

import pytest

from accounts import people
from accounts.tests.factories import make_user
from messaging.actions import post_message, post_note
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail, Preference
from tickets import actions
from tickets.models import Follower
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)

SOLVED = {"text": "We sent a new one.", "resolution": ResolutionKind.REPLACED}


@pytest.fixture
def shared(shared, sink):
    """What happened so far has been mailed."""
    outbox.drain()
    sink.mails.clear()
    return shared


@pytest.fixture
def followed(ticket, ada, sink):
    participants.follow(ticket, by=ada)
    outbox.drain()
    sink.mails.clear()
    return ticket


def mailed(sink, person) -> list[str]:
    """What each mail tells."""
    outbox.drain()
    return [mail.headline for mail in sink.to(person)]


# --- Participants -----------------------------------------------------------------------


def test_who_joins_is_told_who_added_them_and_what_they_can_do(sink, ticket, alice, bob, dan):
    """D0-21"""
    participants.add(ticket, dan.email, by=bob)

    assert mailed(sink, dan) == ["Bob added you to the ticket of Alice"]
    (mail,) = sink.to(dan)
    assert "You can read everything on this ticket that Alice Archer reads" in mail.text
    assert "Only Alice Archer can close it or rate it." in mail.text
    assert "Kettle stopped heating" in mail.text
    assert f"http://localhost:8000/tickets/{ticket}/" in mail.text
    assert f"because you take part in {ticket}, the ticket of Alice Archer" in " ".join(
        mail.text.split()
    )
    assert alice.email not in mail.raw.decode()


@pytest.mark.plan("SEC-D19")
@pytest.mark.plan("SEC-D20")
def test_each_gets_a_mail_of_their_own_and_never_of_their_own_words(sink, shared, alice, bob, dan):
    """Nobody sees another's address; no note, no way into the workspace, no link to rate."""
    for name in ("Eve", "Finn", "Gail"):
        participants.add(shared, make_user(name).email, by=bob)
    outbox.drain()
    sink.mails.clear()
    people_told = [dan, *(each.person for each in shared.participants.all()[1:])]
    post_note(shared, by=bob, body="zqnotezq")

    post_message(shared, by=dan, body="We share the kitchen.")
    outbox.drain()
    assert sink.to(dan) == []
    assert [len(sink.to(each)) for each in (alice, bob, *people_told[1:])] == [1] * 5
    sink.mails.clear()

    post_message(shared, by=alice, body="Any news?")
    actions.change_status(shared, Status.RESOLVED, by=bob, **SOLVED)
    outbox.drain()

    assert len(sink.to(alice)) == 1
    for each in people_told:
        said, resolved = sink.to(each)
        for mail in (said, resolved):
            raw = mail.raw.decode()
            others = {alice, bob, *people_told} - {each}
            assert mail["To"] == each.email
            assert not [other.email for other in others if other.email in raw]
            assert "/workspace/" not in raw
            assert "/rate/" not in raw
            assert "zqnotezq" not in raw
    assert "/rate/" in sink.to(alice)[0].text


def test_they_hear_what_the_owner_hears_in_their_sense(sink, shared, alice, bob, dan, dave):
    """D2-4"""
    post_message(shared, by=bob, body="Which model?", then=Status.WAITING)
    assert mailed(sink, dan) == ["Bob wrote on the ticket of Alice"]
    assert "Bob needs an answer." in sink.to(dan)[0].text
    assert "Open the ticket:" in sink.to(dan)[0].text
    sink.mails.clear()

    actions.change_status(shared, Status.OPEN, by=bob)
    actions.assign(shared, to=dave, by=bob)
    actions.change_status(shared, Status.RESOLVED, by=dave, **SOLVED)
    actions.change_status(shared, Status.OPEN, by=alice)
    actions.change_status(shared, Status.CLOSED, by=alice)

    assert mailed(sink, dan) == [
        "The ticket of Alice is now: In progress",
        "Dave has the ticket of Alice",
        "Dave marked the ticket of Alice resolved",
        "The ticket of Alice is open again",
        "The ticket of Alice is closed",
    ]


def test_while_nobody_has_it_the_administrators_hear_of_their_words_once_an_hour(
    sink, alice, ada, dan, kettles
):
    ticket = make_ticket(alice, category=kettles)
    participants.add(ticket, dan.email, by=ada)
    outbox.drain()
    sink.mails.clear()

    post_message(ticket, by=dan, body="One.")
    post_message(ticket, by=dan, body="Two.")
    outbox.drain()

    assert len(sink.to(ada)) == 1
    assert len(sink.to(alice)) == 2


def test_what_they_refused_is_not_sent(sink, shared, bob, dan):
    """D2-4: their own choice, as for tickets of their own."""
    Preference.objects.create(user=dan, kind=Notification.Kind.MESSAGE, is_wanted=False)

    post_message(shared, by=bob, body="Hello")
    actions.change_status(shared, Status.RESOLVED, by=bob, **SOLVED)

    assert mailed(sink, dan) == ["Bob marked the ticket of Alice resolved"]


@pytest.mark.plan("SEC-A10")
@pytest.mark.parametrize("end", ["removed", "suspended", "binned"])
def test_mail_on_its_way_is_dropped_when_the_right_has_ended(sink, shared, bob, dan, ada, end):
    post_message(shared, by=bob, body="Hello")

    if end == "removed":
        participants.remove(shared, person=dan.pk, by=bob)
    elif end == "suspended":
        people.suspend(dan, by=ada, reason="Too many jokes.")
    else:
        actions.bin_ticket(shared, by=ada)
    outbox.drain()

    about_it = OutgoingMail.objects.filter(recipient=dan, ticket=shared).latest("pk")
    assert about_it.state == OutgoingMail.State.DROPPED
    assert [mail for mail in sink.to(dan) if "Kettle" in mail["Subject"]] == []


# --- Followers ----------------------------------------------------------------------------


def test_followers_hear_of_words_notes_moves_and_breaches(sink, followed, alice, bob, ada):
    """Once each, and what tells another line is not told twice."""
    post_message(followed, by=alice, body="Any news?")
    post_note(followed, by=bob, body="The K2 is recalled.")
    post_message(followed, by=bob, body="Which model?", then=Status.WAITING)
    actions.change_status(followed, Status.OPEN, by=bob)

    assert mailed(sink, ada) == [
        "Alice wrote",
        "Bob wrote an internal note",
        "Bob wrote",
        "Now: In progress",
    ]
    note = sink.to(ada)[1]
    assert "The K2 is recalled." in note.text
    assert f"You’re getting this because you follow {followed}." in note.text
    assert f"/workspace/tickets/{followed}/" in note.text
    assert [mail for mail in sink.to(alice) if "recalled" in mail.text] == []


def test_who_has_the_ticket_hears_of_a_colleagues_note(sink, ticket, bob, ada):
    """Whether they follow it or not; not of their own."""
    outbox.drain()
    sink.mails.clear()

    post_note(ticket, by=ada, body="The K2 is recalled.")
    post_note(ticket, by=bob, body="I know.")

    assert mailed(sink, bob) == ["Ada wrote an internal note"]
    assert mailed(sink, ada) == []


def test_who_does_it_and_who_has_it_hear_no_more_for_following(sink, ticket, alice, bob, ada):
    for person in (bob, ada):
        participants.follow(ticket, by=person)
    outbox.drain()
    sink.mails.clear()

    post_message(ticket, by=alice, body="Any news?")
    actions.change_status(ticket, Status.WAITING, by=ada)

    assert mailed(sink, bob) == ["Alice wrote", "Now: Waiting on customer"]
    assert mailed(sink, ada) == ["Alice wrote"]


def test_an_administrator_hears_of_a_word_once(sink, alice, ada, kettles):
    """Nobody has the ticket, and she follows it besides."""
    ticket = make_ticket(alice, category=kettles)
    participants.follow(ticket, by=ada)
    outbox.drain()
    sink.mails.clear()

    post_message(ticket, by=alice, body="One.")

    assert len(mailed(sink, ada)) == 1


@pytest.mark.plan("SEC-A10")
def test_mails_stop_with_the_right(sink, ticket, alice, bob, dave, ada):
    """The row gives none: ``visible_to`` is asked when the mail is sent."""
    Follower.objects.create(ticket=ticket, person=dave)
    post_message(ticket, by=alice, body="Any news?")
    assert mailed(sink, dave) == []

    actions.assign(ticket, to=dave, by=ada)
    outbox.drain()
    sink.mails.clear()
    post_note(ticket, by=ada, body="Call her.")

    assert mailed(sink, dave) == ["Ada wrote an internal note"]


@pytest.mark.plan("SEC-A5")
def test_no_note_goes_to_who_reads_only_the_public_part(sink, ticket, alice, bob, dave, ada):
    """Bob follows Alice's other ticket, which Dave has."""
    other = make_ticket(alice, dave, category=ticket.category, by=ada)
    participants.follow(other, by=bob)
    outbox.drain()
    sink.mails.clear()

    post_note(other, by=dave, body="zqnotezq")
    post_message(other, by=dave, body="Hello.")

    assert mailed(sink, bob) == ["Dave wrote"]
    assert "zqnotezq" not in sink.to(bob)[0].raw.decode()

"""The mails about tickets that were merged, split or waited for their parts."""

import pytest

from notifications.mail import outbox
from tickets import actions
from tickets.models import LinkKind
from tickets.parties import participants
from tickets.relations import links, merging, splitting
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twin(alice, bob, ada, kettles, ticket):
    return make_ticket(alice, bob, category=kettles, by=ada, subject="Kettle again")


@pytest.fixture
def mails_after(sink):
    """The mails that go out because of what is done."""

    def act(*acts):
        outbox.drain()
        sink.mails.clear()
        for each in acts:
            each()
        outbox.drain()
        return sink.mails

    return act


def test_the_customer_hears_once_where_it_goes_on(mails_after, alice, bob, ticket, twin):
    (mail,) = mails_after(lambda: merging.merge(twin, into=ticket, by=bob))

    assert mail["To"] == alice.email
    assert mail.headline == f"{twin} goes on here"
    assert f"Bob found that {twin} and {ticket} are about the same thing" in mail.text
    assert ticket.get_absolute_url() in mail.text

    (mail,) = mails_after(lambda: merging.unmerge(twin, by=bob))
    assert mail["Subject"] == f"[{twin}] Kettle again"
    assert mail.headline == "It is a ticket of its own again"
    assert f"Bob undid the merging with {ticket}. {twin} goes on" in mail.text


def test_the_agent_whose_ticket_it_was_hears_that_it_left_their_list(
    mails_after, sink, ada, bob, dave, alice, kettles, ticket
):
    """And reads no more of the other than its number and who has it; who has it hears nothing."""
    theirs = make_ticket(alice, dave, category=kettles, by=ada, subject="It stays cold")

    mails_after(lambda: merging.merge(theirs, into=ticket, by=ada))

    (mail,) = sink.to(dave)
    assert mail.headline == f"{theirs} goes on here"
    words = " ".join(mail.text.split())
    assert f"Ada found that {theirs}, which you had, and {ticket} are about the same thing" in words
    assert f"{theirs} has left your list. Bob Baker works on {ticket}." in words
    assert f"because you worked on {theirs}." in words
    assert "/workspace/" in mail.text
    assert ticket.subject not in f"{mail['Subject']} {mail.text}"
    assert sink.to(bob) == []


def test_who_merges_their_own_ticket_away_needs_no_mail(mails_after, sink, bob, ticket, twin):
    mails_after(lambda: merging.merge(twin, into=ticket, by=bob))

    assert sink.to(bob) == []


@pytest.mark.plan("SEC-D19")
def test_who_takes_part_gets_a_mail_of_their_own(mails_after, sink, bob, carol, ticket, twin):
    for each in (ticket, twin):
        participants.add(each, carol.email, by=bob)

    mails_after(lambda: merging.merge(twin, into=ticket, by=bob))

    (mail,) = sink.to(carol)
    assert "alice@example.org" not in mail.text


def test_a_split_is_told_by_the_receipt(mails_after, sink, alice, bob, kettles, ticket):
    """One mail, not two."""
    again = {"subject": "The lid", "category": kettles}
    mails_after(lambda: splitting.split(ticket, numbers=[1], by=bob, **again))

    (mail,) = sink.to(alice)
    new = ticket.links_to.get().ticket
    assert mail["Subject"].startswith(f"[{new}] ")
    assert (
        f"Bob made a ticket of its own of a part of what you told us. It has the number {new}"
        in (" ".join(mail.text.split()))
    )


def test_the_parents_agent_hears_when_the_last_part_ends(mails_after, sink, bob, ada, dave, ticket):
    parts = [make_ticket(assignee=dave, by=ada) for _number in range(2)]
    for part in parts:
        links.link(part, to=ticket, kind=LinkKind.CHILD, by=ada)
    solved = {"text": "Done.", "resolution": ResolutionKind.ANSWERED}

    def end(part):
        return lambda: actions.change_status(part, Status.RESOLVED, by=dave, **solved)

    mails_after(end(parts[0]))
    assert sink.to(bob) == []
    mails_after(end(parts[1]))
    (mail,) = sink.to(bob)
    assert mail.headline == "All its parts have ended"
    assert f"The tickets that are part of {ticket} have all ended." in mail.text

"""D0-27: the mail that says that a problem is mended."""

import pytest

from notifications.mail import outbox
from tickets.improvement import problems
from tickets.tests.factories import make_problem, make_ticket

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "Kettles sold from today on are fine."


@pytest.fixture
def mend(sink, bob, ada):
    """Link tickets to a problem and mend it: the mails that go out."""

    def link_and_mend(*tickets):
        problem = make_problem(bob, team_note="canary-3302")
        for ticket in tickets:
            problems.link(ticket, problem, by=ada)
        outbox.drain()
        sink.mails.clear()
        problems.mend(problem, by=bob, text=WORDS)
        problems.tell()
        outbox.drain()
        return problem

    return link_and_mend


def test_the_customer_hears_that_it_is_mended(sink, mend, ticket, alice):
    mend(ticket)

    (mail,) = sink.mails
    assert sink.to(alice) == [mail]
    assert mail.headline == "It is mended"
    assert f"What you told us about has been mended:\n\n> {WORDS}\n" in mail.text
    assert WORDS in mail.html
    assert "canary-3302" not in mail.text + mail.html


def test_two_tickets_of_one_person_make_one_mail(sink, mend, ticket, alice, carol):
    """It names both, and no ticket of anybody else."""
    second, hers = make_ticket(alice, subject="Toaster"), make_ticket(carol)

    mend(ticket, second, hers)

    (mail,) = sink.to(alice)
    assert (
        "What you told us about in these tickets has been mended:\n"
        f"{ticket} {ticket.subject}\n{second} Toaster\n"
    ) in mail.text
    assert str(hers) not in mail.text + mail.html
    assert len(sink.to(carol)) == 1


def test_who_is_no_longer_its_customer_hears_nothing(sink, mend, ticket, bob, alice, carol):
    problem = make_problem(bob)
    problems.link(ticket, problem, by=bob)
    outbox.drain()
    sink.mails.clear()
    problems.mend(problem, by=bob, text=WORDS)
    problems.tell()
    ticket.requester = carol
    ticket.save()

    outbox.drain()

    assert sink.mails == []

"""Agents who leave, and who assigns at the same moment."""

import time
from functools import partial
from threading import Event

import pytest
from django.db import transaction

from accounts import people
from accounts.models import User
from accounts.people import Handover
from accounts.tests.factories import make_agent
from tickets import actions
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import TicketRefusal

from .having import is_whole
from .leaving import has, suspend

pytestmark = pytest.mark.race


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["suspend", "assign"])
def test_nobody_is_given_a_ticket_while_they_leave(ada, bob, alice, kettles, first):
    """SEC-C6: whichever comes first. The other began before it was kept, and waits."""
    ticket = make_ticket(requester=alice, category=kettles)
    has_begun = Event()
    acts = {
        "suspend": partial(suspend, User.objects.get(pk=bob.pk), ada),
        "assign": partial(actions.assign, Ticket.objects.get(pk=ticket.pk), to=bob, by=ada),
    }
    second = acts.keys() - {first}

    def lead():
        with transaction.atomic():
            acts[first]()
            has_begun.set()
            time.sleep(0.3)  # still in its transaction: the other meets its locks

    def follow():
        has_begun.wait(10)
        return acts[second.pop()]()

    led, followed = race(lead, follow)

    assert led is None
    if first == "suspend":
        assert isinstance(followed, TicketRefusal)
        assert str(followed) == "Bob Baker can't be given this ticket."
    bob.refresh_from_db()
    assert not bob.is_approved
    assert has(None) == {str(ticket)}
    assert is_whole(ticket)


@pytest.mark.django_db(transaction=True)
def test_two_who_leave_at_once_and_somebody_assigns_meanwhile(ada, bob, dave, kettles):
    """Everybody waits for the other in one order, so none of them fails."""
    heir = make_agent("Uma")
    for _round in range(5):
        tickets = [
            make_ticket(assignee=agent, category=kettles, by=ada) for agent in (bob, dave) * 3
        ]
        seen = [Ticket.objects.get(pk=ticket.pk) for ticket in tickets]
        people_now = [User.objects.get(pk=person.pk) for person in (bob, dave)]

        outcomes = race(
            partial(suspend, people_now[0], ada, Handover.SPREAD),
            partial(suspend, people_now[1], ada, Handover.SPREAD),
            *(partial(actions.assign, ticket, to=heir, by=ada) for ticket in seen),
        )

        failed = [each for each in outcomes if isinstance(each, Exception)]
        assert [each for each in failed if not isinstance(each, TicketRefusal)] == []
        assert {str(ticket) for ticket in tickets} <= has(heir)
        assert is_whole(*tickets)
        for person in people_now:
            people.reactivate(person, by=ada)

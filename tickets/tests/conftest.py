"""Tickets in the states that several files of tests begin with."""

import pytest
import time_machine

from tickets import actions
from tickets.improvement import problems
from tickets.models import Routing, Ticket
from tickets.regulated import complaints
from tickets.tests.factories import (
    make_category,
    make_code,
    make_problem,
    make_question,
    make_ticket,
    make_track,
)
from tickets.workflow import Status

from .clocked import MOVES, at
from .graded import MONDAY, WORDS


@pytest.fixture
def track(kettles):
    return make_track(kettles)


@pytest.fixture
def graded(track, alice, bob, ada, kettles):
    """Alice's regulated complaint, with Bob, raised on a Monday at noon."""
    with time_machine.travel(MONDAY, tick=False):
        return make_ticket(alice, assignee=bob, category=kettles, by=ada)


@pytest.fixture
def codes(db):
    return {"cause": make_code("cause", "defect"), "remedy": make_code("remedy", "refund")}


@pytest.fixture
def answered(graded, bob, codes):
    complaints.respond(graded, by=bob, text=WORDS, **codes)
    return graded


@pytest.fixture
def cold(bob, kettles):
    """A problem of Bob's, with no tickets."""
    return make_problem(bob, category=kettles)


@pytest.fixture
def another(bob, ada, kettles, cold):
    """A ticket with the problem: ``another(carol, status=Status.CLOSED)``."""

    def make(requester, agent=bob, **fields):
        ticket = make_ticket(requester, agent, by=ada, category=kettles, **fields)
        problems.link(ticket, cold, by=ada)
        return ticket

    return make


@pytest.fixture
def one_more(alice, bob, ada, kettles):
    """One more ticket with Bob: of Alice, unless it is of somebody else."""

    def make(requester=alice, assignee=bob, **fields):
        fields = {"category": kettles, "by": ada} | fields
        return make_ticket(requester=requester, assignee=assignee, **fields)

    return make


@pytest.fixture
def twin(one_more):
    """Alice told it once more."""
    return one_more(subject="Kettle again", description="It is still cold.")


@pytest.fixture
def dealt(db):
    """A category whose tickets are dealt."""
    return make_category("Toasters", routing=Routing.AUTOMATIC)


@pytest.fixture
def serial(kettles):
    return make_question(kettles, "Serial number", is_required_to_raise=True)


@pytest.fixture
def shelf(kettles):
    """For staff, and needed to resolve."""
    return make_question(kettles, "Shelf", is_for_requester=False, is_required_to_resolve=True)


@pytest.fixture
def on_monday(alice, bob, ada, kettles):
    """Alice's ticket, raised on Monday at noon and moved to a status by Bob at once."""

    def raise_it(status=Status.OPEN, **row):
        with at():
            agent = None if status == Status.NEW else bob
            ticket = make_ticket(requester=alice, assignee=agent, category=kettles, by=ada)
            if status in MOVES:
                actions.change_status(ticket, status, by=bob, **MOVES[status])
            if row:
                Ticket.objects.filter(pk=ticket.pk).update(wakes_at=MONDAY, **row)
        return ticket

    return raise_it

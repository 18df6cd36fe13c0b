"""Tickets in the states that several files of tests begin with."""

import pytest
import time_machine

from tickets.improvement import problems
from tickets.regulated import complaints
from tickets.tests.factories import make_code, make_problem, make_ticket, make_track

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

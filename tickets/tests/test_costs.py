"""How many statements the verbs take that a desk lives by. docs/benchmarks.md has their times."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.tests.talking import reply, write
from notifications.models import Notification
from tickets.belongings import belongings_of
from tickets.history import lock
from tickets.models import Follower, LinkKind, Ticket
from tickets.parties import participants
from tickets.relations import links
from tickets.tests.factories import make_question, make_ticket
from tickets.workflow import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(alice, kettles):
    return [make_ticket(requester=alice, category=kettles) for _number in range(2)]


def take(client, ticket):
    return client.post(reverse("tickets:take", args=[ticket.reference]))


def resolve(client, ticket):
    said = {"then": "resolved", "resolution": "answered", "key": uuid4()}
    return write(client, ticket, "A new kettle is on its way.", **said)


def statements(act, *args) -> int:
    """Without those that open and close transactions, which differ in a test."""
    with CaptureQueriesContext(connection) as captured:
        assert act(*args).status_code == 302
    return len([each for each in captured if "SAVEPOINT" not in each["sql"]])


@pytest.mark.plan("SEC-G2")
def test_an_ordinary_ticket_costs_little(login, alice, bob, waiting):
    """Issue 5, speed: nothing is asked twice, and nothing of what it hasn't got."""
    first, second = waiting
    client = login(bob)
    take(client, first)  # what a process reads once
    resolve(client, first)

    assert statements(take, client, second) <= 13
    assert statements(write, client, second, "Which model is it?") <= 12
    assert statements(resolve, client, second) <= 12
    second.refresh_from_db()
    assert (second.assignee, second.status) == (bob, Status.RESOLVED)
    client = login(alice)
    reply(client, first, "It is cold again.")
    assert statements(reply, client, second, "It is cold again.") <= 12


def test_what_hangs_on_a_ticket_is_known_until_it_is_locked_anew(
    ticket, alice, bob, carol, dave, ada, kettles, django_assert_num_queries
):
    assert belongings_of(ticket) == set()
    with django_assert_num_queries(0):
        belongings_of(ticket)
    participants.add(Ticket.objects.get(pk=ticket.pk), carol.email, by=bob)
    Follower.objects.create(ticket=ticket, person=dave)
    make_question(kettles)
    part = make_ticket(alice, assignee=bob, category=kettles, by=ada)
    links.link(part, to=Ticket.objects.get(pk=ticket.pk), kind=LinkKind.CHILD, by=bob)
    assert belongings_of(ticket) == set()

    lock(ticket)

    assert belongings_of(ticket) == {"followers", "links", "participants", "questions"}


def test_who_joined_or_follows_hears_all_the_same(login, bob, carol, dave, ticket):
    participants.add(ticket, carol.email, by=bob)
    Follower.objects.create(ticket=ticket, person=dave)
    Notification.objects.all().delete()

    write(login(bob), ticket, "Which model is it?")

    told = Notification.objects.filter(kind="message").values_list("recipient__first_name")
    assert sorted(name for (name,) in told) == ["Alice", "Carol", "Dave"]

"""The staff's clock on a ticket: the answer, or the solution if that is due sooner."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from messaging.actions import post_message
from tickets.tests.factories import make_policy, make_ticket

from .reading import texts

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(hours, start=MONDAY):
    return time_machine.travel(start + timedelta(hours=hours), tick=False)


@pytest.fixture
def clock_of(login, bob):
    """What Bob reads on his list and on the ticket, with the moment a mouse shows."""

    def read(ticket):
        client = login(bob)
        (in_list,) = texts(client.get(reverse("tickets:workspace")), ".ccr-due")
        page = client.get(ticket.workspace_url)
        (on_page,) = texts(page, ".ccr-due")
        assert in_list == on_page
        kind, title = page.text.split('class="ccr-due ccr-due--')[1].split('"')[:3:2]
        return on_page, kind, title

    return read


def test_it_shows_what_is_due_sooner(alice, bob, ada, kettles, clock_of):
    """D1-15: an agent who answered may still owe the solution."""
    make_policy(answer=4, solve=6, warn=1, category=kettles)
    with at(hours=0):
        ticket = make_ticket(alice, bob, by=ada, category=kettles)
        assert clock_of(ticket)[::2] == ("4 h left", "Mon 23 Nov, 16:00")

    with at(hours=3):
        post_message(ticket, by=bob, body="I look into it.")

    with at(hours=3):
        assert clock_of(ticket) == ("19 h left", "ok", "To be solved by Tue 24 Nov, 10:00")
    with at(hours=23):
        assert clock_of(ticket)[1] == "over"


def test_it_warns_in_opening_hours(alice, bob, ada, kettles, clock_of):
    """Of what is due on Monday at half past nine the agent reads on Friday."""
    make_policy(answer=8, warn=1, category=kettles)
    with at(-2.5, FRIDAY):
        ticket = make_ticket(alice, bob, by=ada, category=kettles)

    with at(4.4, FRIDAY):
        assert clock_of(ticket)[1] == "ok"
    with at(4.5, FRIDAY):
        assert clock_of(ticket)[1] == "soon"

"""SEC-E1: a second complaint like an open one is pointed out before it is sent."""

import pytest

from tickets import actions, likeness
from tickets.likeness import tickets_like
from tickets.models import Ticket
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import Status

from .raising import REVIEW, send, write
from .reading import text

pytestmark = pytest.mark.django_db

KETTLE = {
    "subject": "Kettle stopped heating",
    "description": "The light comes on but the water stays cold.",
}
TOLD_BEFORE = "You already told us about this"


def like(person, category, **changes):
    return tickets_like(person, category=category, **KETTLE | changes)


@pytest.mark.parametrize(
    ("changes", "is_like"),
    [
        ({}, True),
        ({"subject": "My KETTLE stopped heating!", "description": "Something else"}, True),
        ({"subject": "Kéttle", "description": "Nothing of it"}, True),
        (
            {"subject": "Broken", "description": "The water stays cold, the light comes on"},
            True,
        ),
        ({"subject": "Toaster burns bread", "description": "Black on one side."}, False),
        ({"subject": "Kettle lost its lid today", "description": "Where to buy one?"}, False),
        ({"subject": "It is so", "description": "No."}, False),
        ({"subject": "!!!", "description": "…"}, False),
    ],
    ids=["same", "subject", "accent", "description", "other", "one-word", "short", "no-word"],
)
def test_what_is_alike(alice, kettles, changes, is_like):
    ticket = make_ticket(alice, category=kettles, **KETTLE)

    assert like(alice, kettles, **changes) == ([ticket] if is_like else [])


def test_pointed_out_with_the_way_there_and_sent_anyway(login, alice, kettles):
    client = login(alice)
    write(client, kettles, **KETTLE)
    assert TOLD_BEFORE not in client.get(REVIEW).text
    send(client)
    first = Ticket.objects.get()

    write(client, kettles, **KETTLE)
    page = client.get(REVIEW)

    assert TOLD_BEFORE in page.text
    assert f"{first} {first.subject}" in text(page, ".ccr-banner--warn")
    assert f'href="{first.get_absolute_url()}"' in page.text
    send(client)
    assert Ticket.objects.count() == 2


@pytest.mark.plan("SEC-A3")
def test_nobody_learns_of_the_tickets_of_others(login, alice, carol, kettles):
    make_ticket(alice, category=kettles, **KETTLE)
    write(login(carol), kettles, **KETTLE)

    assert TOLD_BEFORE not in login(carol).get(REVIEW).text


def test_visitors_are_not_asked(client, alice, kettles):
    make_ticket(alice, category=kettles, **KETTLE)
    write(client, kettles, **KETTLE)

    page = client.get(REVIEW)

    assert (page.status_code, TOLD_BEFORE in page.text) == (200, False)


def test_another_category_or_an_ended_one_is_another_matter(alice, ada, kettles):
    ended, binned = (make_ticket(alice, category=kettles, **KETTLE) for _ in range(2))
    make_ticket(alice, category=make_category(), **KETTLE)
    actions.change_status(ended, Status.CLOSED, by=alice)
    actions.bin_ticket(binned, by=ada)

    assert like(alice, kettles) == []
    actions.restore_ticket(binned, by=ada)
    assert like(alice, kettles) == [binned]


def test_the_newest_only(alice, kettles, monkeypatch):
    monkeypatch.setattr(likeness, "NEWEST", 2)
    _oldest, middle, newest = (make_ticket(alice, category=kettles, **KETTLE) for _ in range(3))

    assert like(alice, kettles) == [newest, middle]


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_queries_for_one_as_for_three(alice, kettles, django_assert_num_queries, count):
    for _ in range(count):
        make_ticket(alice, category=kettles, **KETTLE)

    with django_assert_num_queries(2):
        like(alice, kettles)

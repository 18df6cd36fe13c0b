"""A deleted ticket is gone from every page, and nothing of it is lost."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from messaging import actions as messaging
from tickets import actions
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

PAGES = ["messaging:ticket", "messaging:lines", "tickets:done"]
STAFF_PAGES = ["messaging:workspace_ticket", "messaging:workspace_lines"]
VERBS = ["messaging:reply", "messaging:close", "messaging:withdraw", "messaging:rate"]
STAFF_VERBS = ["messaging:write", "messaging:move", "tickets:hand_over", "tickets:classify"]


def answers(client, names, ticket, method):
    urls = [reverse(name, args=[ticket.reference]) for name in names]
    return {getattr(client, method)(url).status_code for url in urls}


def test_no_page_and_no_verb_knows_a_deleted_ticket(login, alice, bob, ada, ticket):
    """D0-9, D0-T11"""
    assert answers(login(alice), PAGES, ticket, "get") == {200}
    assert answers(login(bob), STAFF_PAGES, ticket, "get") == {200}

    actions.bin_ticket(ticket, by=ada)

    assert answers(login(alice), PAGES, ticket, "get") == {404}
    assert answers(login(alice), VERBS, ticket, "post") == {404}
    for person in (bob, ada):
        assert answers(login(person), STAFF_PAGES, ticket, "get") == {404}
        assert answers(login(person), STAFF_VERBS, ticket, "post") == {404}


def test_everything_comes_back(login, alice, ada, ticket):
    messaging.post_message(ticket, by=alice, body="Hello?")
    actions.bin_ticket(ticket, by=ada)
    actions.restore_ticket(ticket, by=ada)

    page = login(alice).get(ticket.get_absolute_url())

    assert "Hello?" in page.text
    staff_lines = list(ticket.events.filter(audience="staff").values_list("kind", "actor__email"))
    assert staff_lines == [("binned", ada.email), ("restored", ada.email)]
    assert "Deleted" not in page.text


def test_deleting_twice_is_one_line(ada, ticket):
    actions.bin_ticket(ticket, by=ada)
    deleted_at = ticket.deleted_at
    lines = ticket.event_count

    actions.bin_ticket(Ticket.objects.get(pk=ticket.pk), by=ada)

    ticket.refresh_from_db()
    assert (ticket.deleted_at, ticket.event_count) == (deleted_at, lines)


def test_restoring_what_is_there_writes_nothing(ada, ticket):
    lines = ticket.event_count

    actions.restore_ticket(ticket, by=ada)

    assert ticket.event_count == lines


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "dave", "pete"])
def test_only_administrators_delete(request, ada, ticket, name):
    with pytest.raises(PermissionDenied):
        actions.bin_ticket(ticket, by=request.getfixturevalue(name))
    assert Ticket.objects.get().deleted_at is None

    actions.bin_ticket(ticket, by=ada)
    assert Ticket.objects.get().deleted_at


def test_an_administrator_does_not_delete_a_complaint_of_their_own(ada):
    ticket = make_ticket(requester=ada)

    with pytest.raises(PermissionDenied):
        actions.bin_ticket(ticket, by=ada)

"""D2-5: an administrator raises a ticket for a customer who called or came by."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import Standing
from accounts.tests.factories import make_user
from notifications.models import Notification
from tickets import actions
from tickets.models import Channel, Ticket

from .raising import form_of
from .reading import text

ADD = reverse("admin:tickets_ticket_add")


def raise_for(client, email, category, **changes):
    told = form_of(category, requester=email, channel="phone", **changes)
    return client.post(ADD, told, follow=True)


def test_the_ticket_is_the_customers(login, ada, alice, kettles):
    page = raise_for(login(ada), "Alice@example.org", kettles)

    ticket = Ticket.objects.get()
    line = ticket.events.get()
    assert "is raised" in text(page, ".messagelist")
    assert (ticket.requester, line.actor, line.channel) == (alice, ada, Channel.PHONE)
    assert "by phone" in login(ada).get(ticket.workspace_url).text
    assert ticket.subject in login(alice).get(reverse("tickets:list")).text
    told = Notification.objects.filter(recipient=alice).values_list("kind", flat=True)
    assert list(told) == ["ticket_raised"]


@pytest.mark.parametrize("email", ["", "x", "nobody@example.org", "ada@example.org", "gone"])
def test_whose_it_is_must_be_known(login, ada, alice, kettles, email):
    if email == "gone":
        email = make_user("Gone", standing=Standing.SUSPENDED).email

    page = raise_for(login(ada), email, kettles, subject="Kept words")

    assert page.status_code == 200
    assert 'value="Kept words"' in page.text
    assert not Ticket.objects.exists()


def test_it_is_checked_like_any_ticket(login, ada, alice, kettles):
    page = raise_for(login(ada), alice.email, kettles, description="")

    assert "Query cannot be empty!" in page.text
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("name", ["alice", "bob", "pete"])
def test_others_raise_for_themselves_only(login, request, carol, kettles, name):
    person = request.getfixturevalue(name)

    assert login(person).get(ADD).status_code in (302, 403)
    with pytest.raises(PermissionDenied):
        actions.raise_ticket(
            by=person, requester=carol, category=kettles, subject="S", description="D"
        )
    assert not Ticket.objects.exists()

"""What the clock makes of a ticket that went on in another for a while."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from tickets import actions, history
from tickets.automation import clockwork
from tickets.models import LinkKind, Ticket
from tickets.relations import links, merging
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

from .reading import text

SOLVED = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}
LONG = timedelta(days=60)


@pytest.fixture
def another(alice, bob, ada, kettles):
    def make(assignee=bob, **fields):
        fields = {"category": kettles, "by": ada, "requester": alice} | fields
        return make_ticket(assignee=assignee, **fields)

    return make


def merged(ticket, into, by):
    merging.merge(Ticket.objects.get(pk=ticket.pk), into=Ticket.objects.get(pk=into.pk), by=by)
    ticket.refresh_from_db()
    return ticket


def kinds(ticket):
    return list(ticket.events.order_by("number").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("status", "how"),
    [(Status.OPEN, {}), (Status.WAITING, {}), (Status.RESOLVED, SOLVED)],
)
def test_what_came_meanwhile_counts_from_the_undoing(ada, bob, ticket, another, status, how):
    """D1-12: nothing is missed, resolved or closed the minute it is back; later it is."""
    twin = another()
    if status != Status.OPEN:
        actions.change_status(twin, status, by=bob, **how)
    wait = twin.due_at - timezone.now()
    merged(twin, ticket, ada)

    with time_machine.travel(timezone.now() + LONG, tick=False):
        merging.unmerge(twin, by=ada)
        clockwork.run()
        twin.refresh_from_db()
        assert kinds(twin)[-1] == "unmerged"
        assert twin.status == status
        assert abs(twin.due_at - timezone.now() - wait) < timedelta(minutes=1)
    with time_machine.travel(timezone.now() + 2 * LONG, tick=False):
        clockwork.run()
    assert kinds(twin)[-1] != "unmerged"
    assert list(history.problems(Ticket.objects.all())) == []


def test_nobody_is_alarmed_at_once_about_what_nobody_has(ada, ticket, another):
    twin = merged(another(assignee=None), ticket, ada)

    with time_machine.travel(timezone.now() + LONG, tick=False):
        merging.unmerge(twin, by=ada)
        clockwork.run()
        assert "alarmed" not in kinds(twin)
    with time_machine.travel(timezone.now() + LONG + timedelta(days=3), tick=False):
        clockwork.run()
    assert "alarmed" in kinds(twin)


def test_what_is_still_to_come_stays_as_it_was(ada, ticket, another):
    twin = another()
    before = (twin.due_at, twin.due_since, twin.resolve_by)
    merged(twin, ticket, ada)

    merging.unmerge(twin, by=ada)

    twin.refresh_from_db()
    assert (twin.due_at, twin.due_since, twin.resolve_by) == before


# --- Met elsewhere ----------------------------------------------------------------------


def test_a_part_that_was_merged_stands_where_it_goes_on(login, bob, ada, carol, ticket, another):
    """Its own state is of no use any more: that of the other is shown."""
    part, survivor = another(), another(subject="Lid")
    links.link(part, to=ticket, kind=LinkKind.CHILD, by=bob)
    merged(part, survivor, ada)
    actions.change_status(survivor, Status.WAITING, by=bob)

    shown = text(login(bob).get(ticket.workspace_url), "#links")

    assert f"{part}, which goes on in {survivor} Waiting on customer" in shown


def test_the_receipt_of_a_merged_ticket_leads_to_where_it_goes_on(
    login, alice, carol, ada, ticket, another
):
    twin = another()
    receipt = reverse("tickets:done", args=[twin.reference])
    assert login(alice).get(receipt).status_code == 200

    merged(twin, ticket, ada)

    assert login(alice).get(receipt).url == ticket.get_absolute_url()
    assert login(carol).get(receipt).status_code == 404

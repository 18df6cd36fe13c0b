"""Two tickets that were made one, and are two again."""

from django.urls import reverse

from accounts.people import Handover, suspend
from accounts.signals import exporting
from messaging.tests.talking import talk
from notifications.models import Notification
from tickets import actions, history
from tickets.models import LinkKind, Ticket
from tickets.parties import calls
from tickets.relations import links, merging, splitting
from tickets.workflow import Status

from .merged import merge, newest, rows, send
from .reading import told


def test_undoing_gives_back_every_row(login, alice, bob, carol, ticket, twin, one_more):
    """Of both tickets and of all that points at them, but for the lines that tell it."""
    talk(twin, alice, "Any news?")
    calls.ask_for_call(twin, by=alice, phone="+441134960000")
    links.link(twin, to=one_more(carol), kind=LinkKind.RELATED, by=bob)
    actions.change_status(twin, Status.WAITING, by=bob)
    deeper = one_more()
    merge(deeper, twin, bob)
    told = {
        "but": ["merged", "unmerged"],
        "without": ["event_count", "head_digest", "last_event_at"],
    }
    Notification.objects.all().delete()
    before = rows(**told)

    merge(twin, ticket, bob)
    assert rows(**told) != before
    deeper.refresh_from_db()
    assert deeper.merged_into == ticket
    page = send(login(bob), "unmerge", twin)

    assert page.url == twin.workspace_url
    Notification.objects.all().delete()
    assert rows(**told) == before
    data = {"from": twin.pk, "to": ticket.pk}
    assert newest(twin) == newest(ticket) == ("unmerged", "everyone", data)
    assert list(history.problems(Ticket.objects.all())) == []
    assert "Any news?" not in login(alice).get(f"{ticket.get_absolute_url()}?all=1").text


def test_what_was_taken_out_meanwhile_does_not_come_along(bob, ticket, twin, one_more):
    """Alone again, and merged once more into the ticket itself, with what is its own."""
    inner, innermost = one_more(), one_more()
    merge(innermost, inner, bob)
    merge(inner, twin, bob)
    merge(twin, ticket, bob)
    inner.refresh_from_db()
    merging.unmerge(inner, by=bob)
    innermost.refresh_from_db()
    assert (inner.merged_into, innermost.merged_into) == (None, inner)
    merge(inner, ticket, bob)

    twin.refresh_from_db()
    merging.unmerge(twin, by=bob)

    for each in (inner, innermost):
        each.refresh_from_db()
        assert each.merged_into == ticket
    assert not twin.merged.exists()


def test_undoing_twice_is_told(login, bob, ticket, twin):
    merge(twin, ticket, bob)
    send(login(bob), "unmerge", twin)
    count = twin.events.count()

    page = login(bob).post(reverse("tickets:unmerge", args=[twin.reference]), follow=True)

    assert told(page)[-1] == f"{twin} is not merged into another."
    assert twin.events.count() == count


def test_its_agent_left_meanwhile(bob, ada, ticket, twin):
    """D1-T: what comes back is for somebody else to take."""
    merge(twin, ticket, bob)
    suspend(bob, by=ada, reason="Left.", handover=Handover.POOL)
    twin.refresh_from_db()
    assert twin.assignee == bob

    merging.unmerge(twin, by=ada)

    assert twin.assignee is None
    assert twin.status == Status.OPEN


def test_the_archive_of_the_customer_says_where_it_went(bob, kettles, ticket, twin):
    new = splitting.split(twin, numbers=[1], subject="Lid", category=kettles, by=bob)
    merge(twin, ticket, bob)

    parts = [answer for _receiver, answer in exporting.send(sender=None, user=ticket.requester)]
    (tickets,) = (part for part in parts if part.name == "tickets")
    told = {row["number"]: (row["goes_on_in"], row["links"]) for row in tickets.rows}

    assert told == {
        str(ticket): ("", [f"Split into {new}"]),
        str(twin): (str(ticket), [f"Split into {new}"]),
        str(new): ("", [f"Split off from {twin}"]),
    }

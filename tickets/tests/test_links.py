"""Links between tickets, and a parent that waits for its parts."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from messaging import actions as messaging
from notifications.models import Notification
from tickets import actions
from tickets.automation import clockwork
from tickets.models import LinkKind, Ticket, TicketLink
from tickets.relations import links
from tickets.workflow import ResolutionKind, Status, TicketRefusal, TransitionRefused

from .merged import newest, send
from .reading import problems, text, texts, told

SOLVED = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}


def part_of(parent, one_more, by, **fields):
    child = one_more(**fields)
    links.link(child, to=parent, kind=LinkKind.CHILD, by=by)
    return child


# --- Making and removing ----------------------------------------------------------------


def test_an_agent_links_two_tickets_and_both_say_so(login, bob, ticket, one_more):
    other = one_more(subject="Lid is broken")
    page = send(login(bob), "link", ticket, kind="related", number=other.reference.lower())

    assert page.url == ticket.workspace_url
    data = {"link": "related", "from": ticket.pk, "to": other.pk}
    assert newest(ticket) == newest(other) == ("linked", "staff", data)
    page = login(bob).get(ticket.workspace_url)
    assert text(page, "#links") == (
        f"Belongs together Related to {other} In progressLid is broken Remove the link to {other}"
    )
    assert texts(page, ".ccr-log__event")[-1].startswith(
        f"Bob Baker linked this: related to {other}."
    )


def test_a_link_can_be_removed(login, bob, ticket, one_more):
    other = one_more()
    link = links.link(ticket, to=other, kind=LinkKind.RELATED, by=bob)

    page = send(login(bob), "unlink", other, link.pk)

    assert page.url == other.workspace_url
    assert not TicketLink.objects.exists()
    assert newest(ticket)[0] == newest(other)[0] == "unlinked"
    again = send(login(bob), "unlink", other, link.pk)
    assert again.url == other.workspace_url
    assert "This link was removed already." in told(login(bob).get(again.url))


def test_a_link_of_other_tickets_is_not_removed_from_here(login, bob, ticket, one_more):
    link = links.link(one_more(), to=one_more(), kind=LinkKind.RELATED, by=bob)

    send(login(bob), "unlink", ticket, link.pk)

    assert TicketLink.objects.filter(pk=link.pk).exists()


def test_what_came_of_a_ticket_stays_linked(bob, ticket, one_more):
    link = TicketLink.objects.create(ticket=one_more(), other=ticket, kind=LinkKind.FOLLOW_UP)

    with pytest.raises(TicketRefusal):
        links.unlink(link, by=bob)
    assert TicketLink.objects.filter(pk=link.pk).exists()


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda t, o, by: (t, t, "related"), "A ticket can’t be linked to itself."),
        (lambda t, o, by: (o, t, "child"), "{ticket} and {other} are linked already."),
    ],
)
def test_no_link_twice_or_to_itself(bob, ticket, one_more, make, refusal):
    other = one_more()
    links.link(ticket, to=other, kind=LinkKind.RELATED, by=bob)
    one, to, kind = make(ticket, other, bob)

    with pytest.raises(TicketRefusal) as refused:
        links.link(one, to=to, kind=kind, by=bob)

    assert str(refused.value) in (
        refusal.format(ticket=one, other=to),
        refusal.format(ticket=to, other=one),
    )
    assert TicketLink.objects.count() == 1


def test_one_parent_and_no_parts_of_parts(login, bob, ticket, one_more):
    """And so no loop: what is a part has no parts."""
    child, other = part_of(ticket, one_more, bob), one_more()
    lines = [each.event_count for each in Ticket.objects.order_by("pk")]

    for one, to, words in (
        (child, other, f"{child} is part of {ticket} already."),
        (other, child, f"{child} is part of {ticket} already."),
        (ticket, other, f"{ticket} has parts of its own."),
    ):
        page = send(login(bob), "link", one, kind="child", number=to.reference)
        assert page.status_code == 422
        assert problems(page)[0] == [words]
    assert [each.event_count for each in Ticket.objects.order_by("pk")] == lines
    assert part_of(ticket, one_more, bob).links.get().other == ticket


@pytest.mark.plan("SEC-A1")
def test_only_tickets_the_agent_may_see_can_be_linked(login, bob, dave, carol, ticket, one_more):
    """What is hidden and what does not exist get the same words; what is seen is linked."""
    hidden = one_more(carol, dave)
    own = one_more(bob, dave)

    answers = [
        problems(send(login(bob), "link", ticket, kind="related", number=number))[0]
        for number in (hidden.reference, own.reference, "CCR-2026-99999", "\x00", "")
    ]

    unseen = ["You see no ticket with this number"]
    assert answers[:3] == [unseen] * 3
    assert all(answer and answer != unseen for answer in answers[3:])
    assert not TicketLink.objects.exists()
    seen = one_more(carol)
    assert send(login(bob), "link", ticket, kind="related", number=seen.reference).url


@pytest.mark.plan("SEC-A1")
def test_only_who_works_on_it_links(bob, dave, ticket, one_more):
    other = one_more()

    for ends in ((ticket, other), (other, ticket)):
        with pytest.raises(PermissionDenied):
            links.link(ends[0], to=ends[1], kind=LinkKind.RELATED, by=dave)
    assert links.link(ticket, to=other, kind=LinkKind.RELATED, by=bob)


@pytest.mark.plan("SEC-A13")
def test_customers_never_learn_of_links_across_customers(
    login, bob, alice, carol, ticket, one_more
):
    other = one_more(carol, subject="Carol’s kettle")
    links.link(ticket, to=other, kind=LinkKind.CHILD, by=bob)

    for person, own, foreign in ((alice, ticket, other), (carol, other, ticket)):
        page = login(person).get(own.get_absolute_url())
        assert foreign.reference not in page.text
        assert texts(page, "#belongs-title") == []
    assert other.reference in login(bob).get(ticket.workspace_url).text


def test_of_a_ticket_they_may_not_see_staff_read_the_number_only(
    login, ada, bob, carol, dave, ticket, one_more
):
    hidden = one_more(carol, dave, subject="Carol’s kettle")
    links.link(ticket, to=hidden, kind=LinkKind.RELATED, by=ada)

    page = login(bob).get(ticket.workspace_url)

    assert text(page, "#links").startswith(f"Belongs together Related to {hidden} In progress ")
    assert "Carol" not in page.text
    assert hidden.workspace_url not in page.text
    assert "Carol’s kettle" in text(login(ada).get(ticket.workspace_url), "#links")


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_links(
    login, bob, carol, ticket, one_more, django_assert_max_num_queries, count
):
    """P6"""
    for _number in range(count):
        links.link(ticket, to=one_more(carol), kind=LinkKind.RELATED, by=bob)

    with django_assert_max_num_queries(4):
        assert len(links.links_of(ticket, bob)) == count


# --- Parts --------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [Status.RESOLVED, Status.CLOSED])
def test_a_parent_waits_for_its_parts(bob, ada, carol, ticket, one_more, to):
    children = [part_of(ticket, one_more, bob, requester=person) for person in (carol, None)]
    words = SOLVED if to == Status.RESOLVED else {}

    for by in (bob, ada):
        with pytest.raises(TransitionRefused) as refused:
            actions.change_status(ticket, to, by=by, **words)
        assert str(refused.value) == (
            f"{ticket} waits for its parts: {children[0]}, {children[1]}."
        )
    actions.change_status(children[0], Status.RESOLVED, by=bob, **SOLVED)
    with pytest.raises(TransitionRefused, match=children[1].reference):
        actions.change_status(ticket, to, by=bob, **words)

    actions.change_status(children[1], Status.RESOLVED, by=bob, **SOLVED)
    ticket.refresh_from_db()
    assert actions.change_status(ticket, to, by=bob, **words)


def test_a_reply_that_resolves_is_refused_whole(bob, ticket, one_more):
    child = part_of(ticket, one_more, bob)
    messages = ticket.events.filter(kind="message").count()

    with pytest.raises(TransitionRefused, match=child.reference):
        messaging.post_message(
            ticket, by=bob, body="Done.", then=Status.RESOLVED, resolution=ResolutionKind.ANSWERED
        )

    assert ticket.events.filter(kind="message").count() == messages


def test_the_requester_closes_their_own_all_the_same(alice, bob, ticket, one_more):
    part_of(ticket, one_more, bob)

    actions.change_status(ticket, Status.CLOSED, by=alice)

    assert ticket.status == Status.CLOSED


def test_the_page_names_the_parts_beside_the_form(login, bob, ticket, one_more):
    child = part_of(ticket, one_more, bob)

    url = reverse("messaging:move", args=[ticket.reference])
    page = login(bob).post(url, {"status": "resolved", **SOLVED})

    assert page.status_code == 422
    assert problems(page)[0] == [f"{ticket} waits for its parts: {child}."]


def test_many_parts_are_not_all_named(bob, ticket, one_more):
    children = [part_of(ticket, one_more, bob) for _number in range(6)]

    with pytest.raises(TransitionRefused) as refused:
        actions.change_status(ticket, Status.RESOLVED, by=bob, **SOLVED)

    named = ", ".join(map(str, children[:5]))
    assert str(refused.value) == f"{ticket} waits for its parts: {named} and more."


def test_the_clock_does_not_resolve_a_parent(bob, ticket, one_more):
    """It is silent, but waits for its part; the same without one is resolved."""
    alone = one_more()
    part_of(ticket, one_more, bob)
    for each in (ticket, alone):
        actions.change_status(each, Status.WAITING, by=bob)
    lines = ticket.events.exclude(kind="reminded").count()

    for days in (30, 60):  # the reminder comes first
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            clockwork.run()

    for each in (ticket, alone):
        each.refresh_from_db()
    assert (ticket.status, alone.status) == (Status.WAITING, Status.RESOLVED)
    assert ticket.events.exclude(kind="reminded").count() == lines
    assert ticket.stuck_since is None


def test_when_the_last_part_ends_the_parent_says_so(login, bob, dave, ticket, one_more):
    """A line for staff and one mail to its agent."""
    first = part_of(ticket, one_more, bob)
    second = part_of(ticket, one_more, bob)
    Notification.objects.all().delete()

    actions.change_status(first, Status.RESOLVED, by=bob, **SOLVED)
    assert newest(ticket)[0] == "linked"
    actions.change_status(second, Status.WITHDRAWN, by=second.requester)

    assert newest(ticket) == ("children", "staff", {"part": second.pk})
    told_of = Notification.objects.filter(kind="children_done")
    assert [(each.recipient, each.event.ticket) for each in told_of] == [(bob, ticket)]
    page = login(bob).get(ticket.workspace_url)
    assert texts(page, ".ccr-log__event")[-1].startswith("All parts of this ticket have ended.")


def test_an_ended_parent_hears_nothing(alice, bob, ticket, one_more):
    child = part_of(ticket, one_more, bob)
    actions.change_status(ticket, Status.CLOSED, by=alice)

    actions.change_status(child, Status.RESOLVED, by=bob, **SOLVED)

    assert newest(ticket)[0] == "status"

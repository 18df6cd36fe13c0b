"""Who works on a ticket: taken from the pool, handed over, set by an administrator."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import Standing
from accounts.tests.factories import make_agent
from tickets import actions
from tickets.models import Expertise, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.racing import race
from tickets.workflow import AlreadyAssigned, Status, TicketRefusal

from .reading import text, told


@pytest.fixture
def waiting(alice, kettles):
    """Nobody has it yet."""
    return make_ticket(requester=alice, category=kettles)


def take(client, ticket):
    return client.post(reverse("tickets:take", args=[ticket.reference]), follow=True)


def hand_over(client, ticket, agent):
    return client.post(
        reverse("tickets:hand_over", args=[ticket.reference]), {"agent": agent}, follow=True
    )


def assignments(ticket):
    return [line.data for line in ticket.events.filter(kind="assigned")]


def test_an_agent_takes_a_ticket_of_the_pool(login, bob, waiting):
    """D1-5: it is theirs, and in progress."""
    page = take(login(bob), waiting)

    waiting.refresh_from_db()
    assert (waiting.assignee, waiting.status) == (bob, Status.OPEN)
    assert told(page) == [f"{waiting} is yours."]
    assert page.redirect_chain == [(waiting.workspace_url, 302)]
    kinds = list(waiting.events.values_list("kind", "actor__first_name"))
    assert kinds == [("raised", "Alice"), ("assigned", "Bob"), ("status", "Bob")]
    assert assignments(waiting) == [{"from": None, "to": bob.pk}]


def test_the_slower_one_is_told_who_has_it(login, bob, dave, waiting):
    """SEC-E2 without the race: the page was open before."""
    take(login(bob), waiting)

    page = take(login(dave), waiting)

    assert told(page) == [f"{waiting} is already assigned to Bob Baker."]
    assert page.redirect_chain == [(reverse("tickets:workspace"), 302)]
    waiting.refresh_from_db()
    assert waiting.assignee == bob


@pytest.mark.plan("SEC-A3")
@pytest.mark.parametrize("why_not", ["not of the team", "ended", "deleted"])
def test_only_who_could_have_taken_it_is_told(login, bob, dave, ada, alice, waiting, why_not):
    take(login(bob), waiting)
    assert take(login(dave), waiting).status_code == 200
    waiting.refresh_from_db()
    if why_not == "ended":
        actions.change_status(waiting, Status.WITHDRAWN, by=alice)
    elif why_not == "deleted":
        actions.bin_ticket(waiting, by=ada)
    else:
        Expertise.objects.create(agent=bob, category=waiting.category)

    assert take(login(dave), waiting).status_code == 404


def test_taking_twice_says_so(login, bob, waiting):
    client = login(bob)
    take(client, waiting)

    page = take(client, waiting)

    assert told(page) == [f"{waiting} is already assigned to Bob Baker."]
    assert len(assignments(waiting)) == 1


@pytest.mark.plan("SEC-A3")
def test_only_the_pool_of_ones_own_categories(login, bob, dave, waiting):
    Expertise.objects.create(agent=dave, category=waiting.category)

    assert take(login(bob), waiting).status_code == 404
    assert take(login(dave), waiting).status_code == 200


def test_the_agent_hands_over(login, bob, dave, ticket):
    """The ticket leaves their sight, so they are back at their list."""
    page = hand_over(login(bob), ticket, dave.pk)

    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (dave, Status.OPEN)
    assert page.redirect_chain == [(reverse("tickets:workspace"), 302)]
    assert told(page) == [f"{ticket} is with Dave Dunn now."]
    assert login(bob).get(ticket.workspace_url).status_code == 404
    assert login(dave).get(ticket.workspace_url).status_code == 200


def test_the_choice_says_who_has_how_much_and_who_knows_it(login, bob, dave, kettles, ticket):
    """D0-11: asked for as a page of its own, or by the ticket's page as a part."""
    Expertise.objects.create(agent=dave, category=kettles, level=Expertise.Level.GOOD)
    address = reverse("tickets:hand_over", args=[ticket.reference])
    classify = reverse("tickets:classify", args=[ticket.reference])
    client = login(bob)

    page = client.get(address)
    part = client.get(address, headers={"HX-Request": "true"})

    assert page.status_code == part.status_code == 200
    assert "Dave Dunn (0 open, good)" in page.text
    assert "Dave Dunn (0 open, good)" in part.text
    assert "<main" in page.text
    assert "<main" not in part.text
    assert "Priority" in client.get(classify).text
    for way in (f'hx-get="{address}"', f'href="{address}"', f'hx-get="{classify}"'):
        assert way in client.get(ticket.workspace_url).text


def test_who_has_it_is_not_among_the_choices(login, bob, dave, ada, ticket):
    """And is named to whoever chose them while they got it."""
    address = reverse("tickets:hand_over", args=[ticket.reference])

    page = login(ada).get(address).text

    assert "Dave Dunn (" in page
    assert "Bob Baker (" not in page
    answer = hand_over(login(ada), ticket, bob.pk)
    assert told(answer) == [f"{ticket} is already assigned to Bob Baker."]


def test_an_administrator_assigns_from_the_ticket(login, ada, bob, waiting):
    """D0-10, D2-5"""
    page = hand_over(login(ada), waiting, bob.pk)

    waiting.refresh_from_db()
    assert waiting.assignee == bob
    assert page.redirect_chain == [(waiting.workspace_url, 302)]
    assert "Bob Baker" in text(page, "#ticket-facts")


@pytest.mark.parametrize("agent", ["", "0", "x", "9" * 30, "alice", "ada", "pete", "gone"])
def test_only_agents_who_work_here(login, bob, ada, request, ticket, agent):
    if agent == "gone":
        agent = make_agent("Gone", standing=Standing.SUSPENDED).pk
    elif agent.isalpha() and agent != "x":
        agent = request.getfixturevalue(agent).pk

    page = hand_over(login(ada), ticket, agent)

    ticket.refresh_from_db()
    assert page.status_code == 422
    assert text(page, "#id_agent_error") == "Error: Choose an agent"
    assert ticket.assignee == bob


def test_nobody_works_on_their_own_complaint(login, ada, bob, dave):
    ticket = make_ticket(requester=bob)

    assert hand_over(login(ada), ticket, bob.pk).status_code == 422
    with pytest.raises(TicketRefusal, match=r"Bob Baker can't be given this ticket\."):
        actions.assign(ticket, to=bob, by=ada)
    with pytest.raises(PermissionDenied):
        actions.assign(ticket, to=bob, by=bob)

    assert actions.assign(ticket, to=dave, by=ada)


@pytest.mark.parametrize("name", ["alice", "carol", "dave", "pete"])
def test_others_assign_nothing(request, bob, ticket, name):
    with pytest.raises(PermissionDenied):
        actions.assign(ticket, to=bob, by=request.getfixturevalue(name))

    assert len(assignments(ticket)) == 1


def test_an_agent_of_the_pool_gives_it_to_nobody_else(login, bob, dave, waiting):
    with pytest.raises(PermissionDenied):
        actions.assign(waiting, to=dave, by=bob)

    assert hand_over(login(bob), waiting, dave.pk).status_code == 403
    assert actions.assign(waiting, to=bob, by=bob)


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED, Status.WITHDRAWN])
def test_what_has_ended_is_opened_first(alice, bob, dave, ada, kettles, status):
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)

    with pytest.raises(TicketRefusal) as refusal:
        actions.assign(ticket, to=dave, by=ada)

    words = f"{ticket} is {status.label.lower()}. Open it again to assign it."
    assert str(refusal.value) == words
    if status != Status.WITHDRAWN:
        actions.change_status(ticket, Status.OPEN, by=ada)
        assert actions.assign(ticket, to=dave, by=ada)


def test_a_new_agent_keeps_the_status(bob, dave, ticket):
    actions.change_status(ticket, Status.WAITING, by=bob)
    due_at = ticket.due_at

    actions.assign(ticket, to=dave, by=bob)

    assert (ticket.status, ticket.due_at) == (Status.WAITING, due_at)


def test_the_same_agent_again_is_no_assignment(bob, ada, ticket):
    with pytest.raises(AlreadyAssigned, match=f"{ticket} is already assigned to Bob Baker."):
        actions.assign(ticket, to=bob, by=ada)

    assert len(assignments(ticket)) == 1


@pytest.mark.plan("SEC-E2")
@pytest.mark.django_db(transaction=True)
def test_of_many_agents_one_takes_it_and_the_others_are_told_who(alice, kettles):
    """Twenty at once, three rounds: one assignment, one move, and everybody knows who has it."""
    agents = [make_agent(f"Agent {number}") for number in range(20)]

    for _round in range(3):
        ticket = make_ticket(requester=alice, category=kettles)
        seen = [Ticket.objects.get(pk=ticket.pk) for _agent in agents]
        answers = race(
            *(
                partial(actions.assign, copy, to=agent, by=agent)
                for copy, agent in zip(seen, agents, strict=True)
            )
        )

        ticket.refresh_from_db()
        refusals = [answer for answer in answers if isinstance(answer, AlreadyAssigned)]
        assert len(refusals) == 19
        words = f"{ticket} is already assigned to {ticket.assignee}."
        assert {str(refusal) for refusal in refusals} == {words}
        assert assignments(ticket) == [{"from": None, "to": ticket.assignee_id}]
        assert list(ticket.events.values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.plan("SEC-E2")
@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_one_assigns(alice, bob, dave, ada, kettles):
    for _round in range(5):
        ticket = make_ticket(requester=alice, category=kettles)
        seen = [Ticket.objects.get(pk=ticket.pk) for _agent in (bob, dave)]

        answers = race(
            partial(actions.assign, seen[0], to=bob, by=ada),
            partial(actions.assign, seen[1], to=dave, by=ada),
        )

        ticket.refresh_from_db()
        (refusal,) = (answer for answer in answers if isinstance(answer, Exception))
        assert str(refusal) == f"{ticket} is already assigned to {ticket.assignee}."
        assert len(assignments(ticket)) == 1

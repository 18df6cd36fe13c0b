"""An administrator gives tickets to agents, and is told when somebody was quicker."""

from threading import Barrier, Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import make_admin, make_agent, make_user
from tickets import actions
from tickets.models import Expertise, TicketEvent
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import Status

TICKETS = reverse("admin:tickets_ticket_changelist")
ROUNDS = 5


@pytest.fixture
def waiting(alice, kettles):
    return make_ticket(requester=alice, category=kettles)


def assign_page(ticket):
    return reverse("admin:tickets_ticket_assign", args=[ticket.pk])


def words_of(answer):
    return answer.content.decode()


def test_choosing_an_agent_asks_and_a_yes_assigns(login, ada, bob, waiting):
    """D1-T24, D0-10: the question in its words, then assigned, recorded, gone from the list."""
    client = login(ada)

    question = words_of(client.get(assign_page(waiting), {"agent": bob.pk}))
    waiting.refresh_from_db()
    assert "Do you really want to assign the agent for this ticket?" in question
    assert f"{waiting} goes to Bob Baker" in question
    assert "0 open, 0 due today" in question
    assert "Yes, assign to Bob Baker" in question
    assert waiting.assignee is None

    answer = client.post(assign_page(waiting), {"agent": bob.pk, "seen": ""}, follow=True)

    waiting.refresh_from_db()
    assert (waiting.assignee, waiting.status) == (bob, Status.OPEN)
    assert f"{waiting} is assigned to Bob Baker." in words_of(answer)
    assert "There is nothing left to assign" in words_of(answer)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (ada, waiting.reference)
    assert entry.change_message == "Assigned to Bob Baker."


def test_focus_goes_to_what_the_dashboard_has_to_say(login, ada, bob, waiting):
    answer = login(ada).post(assign_page(waiting), {"agent": bob.pk})

    assert answer.url == reverse("admin:index") + "#messages"


@pytest.mark.parametrize("agent", ["", "0", "x", "99999999999999999999"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_agent_is_asked_for_again(login, ada, bob, waiting, agent, method):
    answer = getattr(login(ada), method)(assign_page(waiting), {"agent": agent})

    waiting.refresh_from_db()
    assert answer.status_code == 200
    assert "Choose an agent" in str(answer.context["form"].errors)
    assert "Bob Baker (0 open)" in words_of(answer)
    assert waiting.assignee is None


def test_only_approved_agents_are_offered(login, ada, alice, bob, pete, waiting):
    gone = make_agent("Gone")
    gone.deleted_at = waiting.created_at
    gone.save()

    form = login(ada).get(assign_page(waiting)).context["form"]

    assert [label for key, label in form.fields["agent"].choices if key] == ["Bob Baker (0 open)"]


def test_experts_come_first_then_who_has_least(login, ada, alice, bob, dave, waiting):
    """D4-7: workload and expertise stand beside each name; a parent category counts."""
    child = make_category(parent=waiting.category)
    Expertise.objects.create(agent=bob, category=waiting.category, level=Expertise.Level.EXPERT)
    make_ticket(requester=alice, assignee=bob, by=ada)
    make_ticket(requester=alice, assignee=dave, by=ada)
    make_agent("Zoe")
    ticket = make_ticket(requester=alice, category=child)

    form = login(ada).get(assign_page(ticket)).context["form"]

    assert [label for key, label in form.fields["agent"].choices if key] == [
        "Bob Baker (1 open, expert)",
        "Zoe (0 open)",
        "Dave Dunn (1 open)",
    ]


def test_who_saw_the_ticket_unassigned_does_not_take_it_from_somebody(
    login, ada, bob, dave, waiting
):
    """D1-T24: the slower of two administrators is told who has it; nothing is changed."""
    actions.assign(waiting, to=bob, by=make_admin())
    lines = waiting.events.count()

    answer = login(ada).post(assign_page(waiting), {"agent": dave.pk, "seen": ""}, follow=True)

    waiting.refresh_from_db()
    assert f"{waiting} is already assigned to Bob Baker." in words_of(answer)
    assert waiting.assignee == bob
    assert waiting.events.count() == lines
    assert not LogEntry.objects.exists()


def test_who_saw_the_agent_may_hand_the_ticket_to_another(login, ada, bob, dave, ticket):
    login(ada).post(assign_page(ticket), {"agent": dave.pk, "seen": bob.pk})

    ticket.refresh_from_db()
    assert ticket.assignee == dave


def test_an_ended_ticket_is_refused_in_words(login, ada, alice, bob, waiting):
    actions.change_status(waiting, Status.WITHDRAWN, by=alice)

    answer = login(ada).post(assign_page(waiting), {"agent": bob.pk, "seen": ""}, follow=True)

    waiting.refresh_from_db()
    assert f"{waiting} is withdrawn. Open it again to assign it." in words_of(answer)
    assert waiting.assignee is None


@pytest.mark.plan("SEC-A11")
def test_an_administrator_is_the_owner_of_their_own_complaint_and_nothing_more(
    login, ada, bob, waiting
):
    own = make_ticket(requester=ada)
    client = login(ada)

    assert client.get(assign_page(own), {"agent": bob.pk}).status_code == 403
    assert client.post(assign_page(own), {"agent": bob.pk, "seen": ""}).status_code == 403
    own.refresh_from_db()
    assert own.assignee is None
    assert client.post(assign_page(waiting), {"agent": bob.pk}).status_code == 302


@pytest.mark.parametrize("key", [0, 10**20])
def test_an_unknown_ticket_is_not_found(login, ada, key):
    page = reverse("admin:tickets_ticket_assign", args=[key])

    assert login(ada).get(page).status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(login, ada, waiting, method):
    assert getattr(login(ada), method)(assign_page(waiting)).status_code == 405


def selected(*tickets, **fields):
    return {
        "action": "assign_selected",
        "_selected_action": [ticket.pk for ticket in tickets],
        **fields,
    }


def test_several_are_assigned_at_once_and_refusals_are_told(login, ada, alice, bob, dave):
    first, second, taken, own = (
        make_ticket(requester=alice),
        make_ticket(requester=alice),
        make_ticket(requester=alice),
        make_ticket(requester=ada),
    )
    client = login(ada)
    post = selected(first, second, taken, own)

    question = client.post(TICKETS, post)
    assert "these 4 tickets" in words_of(question)
    assert f'name="seen_{first.pk}"' in words_of(question)

    actions.assign(taken, to=dave, by=make_admin())
    answer = client.post(TICKETS, post | {"answered": "yes", "agent": bob.pk}, follow=True)

    for ticket in (first, second, taken, own):
        ticket.refresh_from_db()
    assert [first.assignee, second.assignee, taken.assignee, own.assignee] == [
        bob, bob, dave, None,
    ]  # fmt: skip
    assert "2 assigned." in words_of(answer)
    assert "2 could not be:" in words_of(answer)
    assert f"{taken} is already assigned to Dave Dunn." in words_of(answer)
    assert f"{own} is not yours to assign." in words_of(answer)
    assert LogEntry.objects.count() == 2


def test_several_without_an_agent_are_asked_about_again(login, ada, bob, waiting):
    answer = login(ada).post(TICKETS, selected(waiting, answered="yes", agent=""))

    waiting.refresh_from_db()
    assert "Choose an agent" in str(answer.context["form"].errors)
    assert waiting.assignee is None


def test_one_question_changes_no_more_than_a_hundred(login, ada, alice, kettles, monkeypatch):
    monkeypatch.setattr("accounts.console.MAX_SELECTED", 2)
    tickets = [make_ticket(requester=alice, category=kettles) for _number in range(3)]
    client = login(ada)

    answer = client.post(TICKETS, selected(*tickets), follow=True)

    assert "Choose at most 2 at once." in words_of(answer)
    assert "these 2 tickets" in words_of(client.post(TICKETS, selected(*tickets[:2])))


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_at_once_one_wins_and_the_other_is_told():
    """The same ticket, at the same moment, to two agents: never both, never neither."""
    requester, agents = make_user(), (make_agent("Bob"), make_agent("Dave"))
    admins = make_admin("Ada"), make_admin("Olga")

    for _round in range(ROUNDS):
        ticket = make_ticket(requester=requester)
        answers = at_once(ticket, admins, agents)

        ticket.refresh_from_db()
        loser = agents[1] if ticket.assignee == agents[0] else agents[0]
        wins = [f"{ticket} is assigned to {ticket.assignee}." in words for words in answers]
        losses = [f"{ticket} is already assigned to {ticket.assignee}." in w for w in answers]
        assert sorted(wins) == [False, True]
        assert sorted(losses) == [False, True]
        assert not any(f"is assigned to {loser}." in words for words in answers)
        assert ticket.events.filter(kind=TicketEvent.Kind.ASSIGNED).count() == 1
        assert LogEntry.objects.filter(object_id=ticket.pk).count() == 1


def at_once(ticket, admins, agents):
    """What each administrator reads after assigning ``ticket`` to their agent, all together."""
    start = Barrier(len(admins))
    answers = [""] * len(admins)

    def assign(place, client, agent):
        start.wait()
        client.post(assign_page(ticket), {"agent": agent.pk, "seen": ""})
        answers[place] = words_of(client.get(reverse("admin:index")))
        connection.close()

    threads = []
    for place, (person, agent) in enumerate(zip(admins, agents, strict=True)):
        client = Client()
        client.force_login(person)
        threads.append(Thread(target=assign, args=(place, client, agent)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers

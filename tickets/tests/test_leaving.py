"""An agent leaves, and their open tickets go to others in the same step."""

import pytest
from django.urls import reverse

from accounts import people
from accounts.models import AgentProfile, Role
from accounts.people import AccountRefusal, Handover
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging.thread import name_people
from notifications.models import Notification
from tickets import actions
from tickets.models import Expertise, Ticket
from tickets.promise.promises import promise_of
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

from .having import is_whole
from .leaving import has, suspend

LEAVINGS = {
    "suspend": {"reason": "Left us."},
    "role": {"role": "customer"},
    "bin": {},
}


def page(person, verb):
    return reverse(f"admin:accounts_user_{verb}", args=[person.pk])


@pytest.fixture
def three(bob, ada, kettles):
    """What Bob has: new work of three customers."""
    return [make_ticket(assignee=bob, category=kettles, by=ada) for _ in range(3)]


# --- The question -----------------------------------------------------------------


@pytest.mark.parametrize("verb", LEAVINGS)
def test_the_question_says_how_many_and_asks_who_gets_them(login, ada, bob, dave, three, verb):
    """Nobody, several, or one colleague; by name, without who leaves."""
    make_agent("Anna")
    form = login(ada).get(page(bob, verb)).context["form"]

    field = form.fields["handover"]
    assert field.label == "Who gets their 3 open tickets?"
    words = [words for _value, words in field.choices]
    assert words[2:] == ["Anna", "Dave Dunn"]
    assert [value for value, _words in field.choices[:2]] == ["pool", "spread"]


@pytest.mark.parametrize("verb", LEAVINGS)
def test_without_open_tickets_nothing_is_asked(login, ada, bob, kettles, verb):
    make_ticket(assignee=bob, category=kettles, by=ada, status=Status.CLOSED)

    assert "handover" not in login(ada).get(page(bob, verb)).context["form"].fields


@pytest.mark.parametrize("verb", LEAVINGS)
@pytest.mark.parametrize("choice", ["", "nobody", "0", "of bob", "of alice"])
def test_a_wrong_answer_is_asked_for_again(login, ada, bob, alice, three, verb, choice):
    choice = {"of bob": bob.pk, "of alice": alice.pk}.get(choice, choice)

    answer = login(ada).post(page(bob, verb), LEAVINGS[verb] | {"handover": choice})

    bob.refresh_from_db()
    assert answer.context["form"].errors.keys() == {"handover"}
    assert bob.is_approved
    assert len(has(bob)) == 3


@pytest.mark.parametrize("verb", LEAVINGS)
@pytest.mark.parametrize("choice", ["pool", "spread", "dave"])
def test_the_answer_is_done_in_the_same_step(login, ada, bob, dave, three, verb, choice):
    """Every ticket has a line that says so, and the chain holds."""
    answer = dave.pk if choice == "dave" else choice

    login(ada).post(page(bob, verb), LEAVINGS[verb] | {"handover": answer})

    bob.refresh_from_db()
    assert not (bob.is_approved and bob.is_agent)
    assert has(None if choice == "pool" else dave) == {str(ticket) for ticket in three}
    for ticket in three:
        line = ticket.events.last()
        assert (line.kind, line.actor) == ("assigned", ada)
        assert line.data == {"from": bob.pk, "to": None if choice == "pool" else dave.pk}
    assert is_whole(*three)


def test_no_ticket_and_no_message_is_lost(ada, bob, three):
    """D0-9, D0-10: deleting an agent never deletes what they worked on."""
    before = Ticket.objects.count(), sum(ticket.events.count() for ticket in three)

    people.bin_user(bob, by=ada)

    lines = sum(ticket.events.count() for ticket in three)
    assert (Ticket.objects.count(), lines) == (before[0], before[1] + 3)
    assert three[0].events.filter(data__to=bob.pk).exists()


# --- Back to the pool ---------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.OPEN, Status.WAITING])
def test_what_nobody_has_keeps_its_promise_and_may_be_taken(ada, bob, dave, kettles, status):
    ticket = make_ticket(assignee=bob, category=kettles, by=ada)
    if status == Status.WAITING:
        actions.change_status(ticket, status, by=bob, text="Which model?")
    due_at = ticket.due_at

    suspend(bob, ada)

    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status, ticket.due_at) == (None, status, due_at)
    actions.assign(Ticket.objects.get(pk=ticket.pk), to=dave, by=dave)
    assert has(dave) == {str(ticket)}


def test_the_customer_reads_that_somebody_else_takes_it(login, ada, bob, alice, ticket):
    suspend(bob, ada)

    text = login(alice).get(ticket.get_absolute_url()).text

    assert "Bob Baker no longer has your ticket. Somebody else takes it." in text
    assert "Bob Baker no longer has it" in text
    assert promise_of(Ticket.objects.get(pk=ticket.pk)).strong.startswith("Your ticket is back")


def test_staff_read_it_too(login, ada, bob, ticket):
    suspend(bob, ada)

    console = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    assert "Taken from Bob Baker" in login(ada).get(console).text
    assert "Bob Baker no longer has this ticket." in login(ada).get(ticket.workspace_url).text


def test_names_of_a_thread_cost_one_query(ada, bob, ticket, django_assert_num_queries):
    suspend(bob, ada)
    ticket = Ticket.objects.with_people().get()
    lines = list(ticket.events.all())

    with django_assert_num_queries(1):
        name_people(lines, ticket)

    assert [line.former for line in lines if line.kind == "assigned"] == [None, bob]


def test_nobody_is_mailed_about_a_ticket_that_waits_for_its_next_agent(ada, bob, ticket):
    Notification.objects.all().delete()

    suspend(bob, ada)

    assert list(Notification.objects.values_list("kind", "recipient__email")) == [
        ("suspended", "bob@example.org")
    ]


# --- To one, to several -------------------------------------------------------------


def test_the_successor_and_the_customer_hear_of_it(ada, bob, dave, alice, ticket):
    Notification.objects.all().delete()

    suspend(bob, ada, dave)

    told = Notification.objects.order_by("recipient__email").values_list("kind", "recipient__email")
    assert list(told) == [
        ("assigned", "alice@example.org"),
        ("suspended", "bob@example.org"),
        ("assigned_to_you", "dave@example.org"),
    ]


def test_nobody_gets_their_own_complaint(ada, bob, dave, kettles):
    own = make_ticket(requester=dave, assignee=bob, category=kettles, by=ada)
    other = make_ticket(assignee=bob, category=kettles, by=ada)

    suspend(bob, ada, dave)

    assert (has(None), has(dave)) == ({str(own)}, {str(other)})


def test_an_administrator_does_not_choose_who_has_their_own_complaint(ada, bob, dave, kettles):
    """Nor can it keep the agent from leaving."""
    own = make_ticket(requester=ada, assignee=bob, category=kettles, by=make_admin())

    suspend(bob, ada, dave)

    assert has(None) == {str(own)}
    assert is_whole(own)


def test_deleted_tickets_are_freed_as_well(ada, bob, dave, ticket):
    """They may be restored when nobody remembers who left."""
    actions.bin_ticket(ticket, by=ada)

    suspend(bob, ada, dave)
    actions.restore_ticket(Ticket.objects.get(pk=ticket.pk), by=ada)

    assert has(None) == {str(ticket)}
    assert is_whole(ticket)


@pytest.mark.parametrize("why_not", ["suspended", "customer", "deleted", "leaves"])
def test_who_is_no_agent_any_more_gets_nothing(ada, bob, dave, ticket, why_not):
    """Between the question and the answer the successor left as well: nothing is done."""
    if why_not == "suspended":
        suspend(dave, ada)
    elif why_not == "customer":
        people.change_role(dave, Role.CUSTOMER, by=ada)
    elif why_not == "deleted":
        people.bin_user(dave, by=ada)

    with pytest.raises(AccountRefusal):
        suspend(bob, ada, bob if why_not == "leaves" else dave)

    bob.refresh_from_db()
    assert bob.is_approved
    assert has(bob) == {str(ticket)}


def test_spreading_gives_to_who_knows_most_and_has_least(ada, bob, kettles):
    """Each ticket counts for the next one."""
    garden = make_category("Garden")
    expert, novice, other = (make_agent(name) for name in ("Eve", "Nick", "Otto"))
    Expertise.objects.create(agent=expert, category=garden, level=Expertise.Level.EXPERT)
    make_ticket(assignee=novice, category=kettles, by=ada)
    roses = make_ticket(assignee=bob, category=garden, by=ada)
    two = {str(make_ticket(assignee=bob, category=kettles, by=ada)) for _ in range(2)}

    suspend(bob, ada, Handover.SPREAD)

    assert has(expert) >= {str(roses)}
    assert has(other) | has(expert) | has(novice) >= two
    assert [len(has(agent)) for agent in (expert, novice, other)].count(0) == 0


def test_spreading_passes_over_who_is_away_or_full(ada, bob, kettles):
    out, full, free = (make_agent(name) for name in ("Olga", "Fay", "Uma"))
    AgentProfile.objects.create(agent=out, availability="out", out_until="2030-01-01")
    AgentProfile.objects.create(agent=full, capacity=1)
    kept = make_ticket(assignee=full, category=kettles, by=ada)
    for _ in range(3):
        make_ticket(assignee=bob, category=kettles, by=ada)

    suspend(bob, ada, Handover.SPREAD)

    assert (has(out), has(full), len(has(free))) == (set(), {str(kept)}, 3)


def test_spreading_over_nobody_frees_them(ada, bob, ticket):
    suspend(bob, ada, Handover.SPREAD)

    assert has(None) == {str(ticket)}


# --- What had ended -----------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED])
def test_what_had_ended_stays_theirs_until_it_is_opened_again(ada, bob, alice, kettles, status):
    ticket = make_ticket(requester=alice, assignee=bob, category=kettles, by=ada, status=status)
    suspend(bob, ada)
    assert has(bob) == {str(ticket)}

    actions.change_status(Ticket.objects.get(pk=ticket.pk), Status.OPEN, by=alice)

    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (None, Status.OPEN)
    assert is_whole(ticket)


def test_what_is_opened_again_stays_with_an_agent_at_work(ada, bob, alice, ticket):
    solved = {"text": "Replaced it.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)

    actions.change_status(ticket, Status.OPEN, by=alice)

    assert has(bob) == {str(ticket)}


def test_the_release_of_an_agent_at_work_changes_nothing(ada, bob, ticket):
    assert actions.release(ticket, by=ada) is None
    assert has(bob) == {str(ticket)}


# --- All or nothing, and many -------------------------------------------------------


def test_what_fails_with_one_ticket_changes_no_other(ada, bob, dave, three, monkeypatch):
    calls = []

    def assign(ticket, **who):
        calls.append(ticket)
        if len(calls) == 2:
            raise RuntimeError

    monkeypatch.setattr("tickets.receivers.actions.assign", assign)

    with pytest.raises(RuntimeError):
        suspend(bob, ada, dave)

    bob.refresh_from_db()
    assert bob.is_approved
    assert len(has(bob)) == 3
    assert all(ticket.events.count() == 3 for ticket in three)


@pytest.mark.parametrize("handover", list(Handover))
def test_each_ticket_costs_the_same(
    ada, bob, dave, kettles, django_assert_max_num_queries, handover
):
    """However many there are: no ticket looks at the others."""
    for _ in range(10):
        make_ticket(requester=make_user(), assignee=bob, category=kettles, by=ada)

    with django_assert_max_num_queries(50 + 10 * 12):
        suspend(bob, ada, handover)

    assert has(bob) == set()


def test_a_customer_has_no_open_work(alice, ticket):
    """What somebody asked for is not what they work on."""
    assert people.open_work_of(alice) == 0

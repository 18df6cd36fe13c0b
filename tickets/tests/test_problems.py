"""D0-27: one cause behind many complaints, written down with its tickets."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from accounts.people import Handover, change_role, suspend
from accounts.tests.factories import make_admin, make_user
from tickets import actions, history
from tickets.improvement import problems
from tickets.models import Problem, Ticket
from tickets.tests.factories import make_problem, make_ticket

from .reading import lines, text, texts, told
from .reading import problems as errors

pytestmark = pytest.mark.django_db
LIST = reverse("tickets:problems")
WORDS = "Kettles sold from today on are fine. Bring yours to any shop."


def url_of(name, about):
    return reverse(f"tickets:{name}", args=[getattr(about, "reference", about.pk)])


# --- Which tickets have it ----------------------------------------------------


@pytest.mark.parametrize("name", ["bob", "ada"])
def test_a_problem_is_opened_from_a_ticket(login, request, ticket, bob, kettles, name):
    person = request.getfixturevalue(name)
    asked = login(person).get(url_of("open_problem", ticket))
    assert ticket.subject not in texts(asked, "form")[-1]

    facts = {"title": "Batch B-17 stays cold", "team_note": "Since March.", "owner": bob.pk}
    answer = login(person).post(
        url_of("open_problem", ticket), facts | {"category": kettles.pk}, follow=True
    )

    problem = Problem.objects.get()
    ticket.refresh_from_db()
    line = ticket.events.last()
    assert ticket.problem == problem
    assert (problem.team_note, problem.category, problem.owner) == ("Since March.", kettles, bob)
    assert (problem.created_by, problem.is_mended) == (person, False)
    assert (line.kind, line.audience, line.actor) == ("problem", "staff", person)
    assert line.data == {"from": None, "to": problem.pk}
    assert told(answer) == [f"Problem {problem.pk} is open: “Batch B-17 stays cold”."]
    assert f"{person} linked this to a problem: problem {problem.pk}" in text(answer, "#log")
    assert "Problem Batch B-17 stays cold" in text(answer, "#ticket-facts")
    assert list(history.problems(Ticket.objects.all())) == []


def test_the_second_click_opens_no_second_problem(login, ticket, bob):
    facts = {"title": "Batch B-17", "team_note": "", "category": "", "owner": bob.pk}
    login(bob).post(url_of("open_problem", ticket), facts)

    answer = login(bob).post(url_of("open_problem", ticket), facts, follow=True)

    assert Problem.objects.count() == 1
    assert told(answer)[-1] == f"{ticket} belongs to a problem already."


def test_what_lacks_is_said_beside_the_field_and_what_was_typed_stays(login, ticket, bob, alice):
    facts = {"title": "\u200b", "team_note": "x" * 10_001, "category": "", "owner": alice.pk}

    answer = login(bob).post(url_of("open_problem", ticket), facts)

    assert answer.status_code == 422
    assert "Say what is wrong" in answer.text
    assert "Use 10,000 characters or less" in answer.text
    assert "x" * 10_001 in answer.text
    assert "Select a valid choice" in answer.text
    assert not Problem.objects.exists()


@pytest.mark.parametrize("by", ["number", "number and title", "words"])
def test_a_ticket_is_linked_to_an_open_problem(login, ticket, bob, cold, by):
    make_problem(bob, "Shop shut")
    typed = {"number": f"{cold.pk}", "number and title": f"#{cold.pk} {cold}", "words": "b-17"}
    asked = login(bob).get(url_of("link_problem", ticket))
    assert f'<option value="{cold.pk} {cold}">' in asked.text

    answer = login(bob).post(url_of("link_problem", ticket), {"problem": typed[by]}, follow=True)

    ticket.refresh_from_db()
    assert ticket.problem == cold
    assert told(answer) == ["Linked to “Batch B-17 stays cold”."]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the number of a problem, or words of it"),
        ("toaster", "No open problem has this number or these words"),
        ("99999999", "No open problem has this number or these words"),
        ("mended", "No open problem has this number or these words"),
        ("batch", "Several problems have these words. Enter a number"),
    ],
)
def test_a_problem_that_can_t_be_found_is_said(login, ticket, bob, cold, typed, why):
    make_problem(bob, "Batch B-18")
    problems.mend(make_problem(bob, "Mended"), by=bob, text=WORDS)

    answer = login(bob).post(url_of("link_problem", ticket), {"problem": typed})

    assert (answer.status_code, errors(answer)[0]) == (422, [why])
    assert f'value="{typed}"' in answer.text
    assert Ticket.objects.get().problem is None


def test_a_ticket_that_was_linked_by_mistake_is_taken_off(login, ticket, bob, cold):
    problems.link(ticket, cold, by=bob)
    other = make_problem(bob, "Shop shut")
    problems.link(ticket, other, by=bob)
    problems.link(ticket, other, by=bob)

    answer = login(bob).post(url_of("unlink_problem", ticket), follow=True)

    ticket.refresh_from_db()
    told_by = ticket.events.filter(kind="problem").values_list("data", flat=True)
    assert ticket.problem is None
    assert [(data["from"], data["to"]) for data in told_by] == [
        (None, cold.pk),
        (cold.pk, other.pk),
        (other.pk, None),
    ]
    assert f"it has nothing to do with problem {other.pk}." in text(answer, "#log")


@pytest.mark.plan("SEC-A3")
def test_only_who_works_on_a_ticket_says_where_it_comes_from(ticket, cold, bob, dave, alice):
    for act in (
        partial(problems.link, ticket, cold),
        partial(problems.unlink, ticket),
        partial(problems.open_problem, ticket, title="x", owner=bob),
    ):
        for person in (dave, alice):
            with pytest.raises(PermissionDenied):
                act(by=person)
    for act in (problems.mend, problems.change):
        with pytest.raises(PermissionDenied):
            act(cold, by=alice, text="x")
    assert ticket.event_count == Ticket.objects.get().event_count

    problems.link(ticket, cold, by=bob)
    assert Ticket.objects.get().problem == cold


@pytest.mark.plan("SEC-A6")
def test_the_customer_reads_nothing_of_it(login, another, alice, cold):
    ticket = another(alice)
    cold.team_note = "canary-3301"
    cold.save()

    page = login(alice).get(ticket.get_absolute_url())

    assert page.status_code == 200
    assert "problem" not in lines(page)
    assert cold.title not in page.text
    assert "canary-3301" not in page.text


# --- The pages ----------------------------------------------------------------


def test_the_list_has_the_open_ones_the_newest_first_and_how_many_tickets(
    login, bob, ada, alice, carol, cold, another
):
    another(alice)
    actions.bin_ticket(another(carol), by=ada)
    newest = make_problem(bob, "Shop shut")
    problems.mend(make_problem(bob, "Letters too small"), by=bob, text=WORDS)

    page = login(bob).get(LIST)
    rows = texts(page, "li")

    shown = [row for row in rows if "found" in row]
    assert [row.split(" · ")[0] for row in shown] == [
        f"{newest.pk} Shop shut 0 tickets",
        f"{cold.pk} {cold} 1 ticket",
    ]
    mended = login(bob).get(LIST, {"tab": "mended"})
    assert "Letters too small" in mended.text
    assert cold.title not in mended.text


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("tab", ["open", "mended"])
def test_the_list_costs_the_same_with_more_rows(
    login, bob, kettles, django_assert_num_queries, tab, number
):
    for _number in range(number):
        problem = make_problem(bob, category=kettles)
        make_ticket(bob, category=kettles)
        if tab == "mended":
            problems.mend(problem, by=bob, text=WORDS)
    client = login(bob)
    client.get(LIST)

    with django_assert_num_queries(4):
        client.get(LIST, {"tab": tab})


@pytest.mark.parametrize("number", [1, 3])
def test_its_page_costs_the_same_with_more_tickets(
    login, bob, alice, cold, another, django_assert_num_queries, number
):
    for _number in range(number):
        another(alice)
    client = login(bob)
    client.get(LIST)

    with django_assert_num_queries(6):
        client.get(url_of("problem", cold))


@pytest.mark.plan("SEC-A2")
def test_on_its_page_everybody_reads_the_tickets_they_work_with(
    login, bob, dave, ada, alice, carol, cold, another
):
    """Of the others an agent learns how many there are, and never which."""
    with_bob, with_dave = another(alice), another(carol, agent=dave)
    own = another(bob, agent=dave)  # whose agent it is not told to

    def shown(person):
        page = login(person).get(url_of("problem", cold))
        tickets = (with_bob, with_dave, own)
        return {t for t in tickets if t.reference in page.text}, texts(page, "section")[-1]

    assert shown(bob)[0] == {with_bob}
    assert shown(bob)[1].endswith("Besides these, others work with: 2")
    assert shown(dave)[0] == {with_dave, own}
    assert shown(ada)[0] == {with_bob, with_dave, own}


def test_it_is_edited(login, bob, dave, kettles, cold):
    facts = {"title": "Batch B-18", "team_note": "The seal.", "category": "", "owner": dave.pk}

    answer = login(bob).post(url_of("edit_problem", cold), facts, follow=True)

    cold.refresh_from_db()
    assert (cold.title, cold.team_note, cold.category) == ("Batch B-18", "The seal.", None)
    assert cold.owner == dave
    assert told(answer) == ["Saved"]
    refused = login(bob).post(url_of("edit_problem", cold), facts | {"title": ""})
    assert (refused.status_code, "Say what is wrong" in refused.text) == (422, True)


def test_who_sees_to_it_may_have_left(login, bob, dave, cold):
    """Then they stay named, until somebody else is chosen; nobody new is who works here no more."""
    erin = make_user("Erin")
    cold.owner = erin
    cold.save()

    offered = login(bob).get(url_of("edit_problem", cold)).text

    assert f'<option value="{erin.pk}" selected' in offered
    assert f'<option value="{dave.pk}"' in offered


@pytest.mark.parametrize("heir", ["dave", None])
def test_who_sees_to_it_leaves_and_somebody_else_does(login, ada, bob, dave, cold, heir):
    """The colleague who gets their tickets, or who let them go; what is mended stays as it was."""
    done = {"mended_at": timezone.now(), "mended_by": ada, "mended_text": "Done."}
    mended = make_problem(bob, title="Mended", **done)
    handover = dave if heir else Handover.SPREAD

    suspend(bob, by=ada, reason="Left us.", handover=handover)

    cold.refresh_from_db()
    mended.refresh_from_db()
    assert (cold.owner, mended.owner) == (dave if heir else ada, bob)
    assert "Handed on when whoever saw to it left, on " in cold.team_note
    assert login(cold.owner).get(url_of("problem", cold)).status_code == 200


def test_who_becomes_an_administrator_goes_on_seeing_to_it(bob, cold):
    change_role(bob, Role.ADMIN, by=make_admin(is_superuser=True))

    cold.refresh_from_db()
    assert cold.owner == bob


def test_a_category_with_a_problem_is_kept_and_the_reason_told(login, ada, cold, kettles):
    page = reverse("admin:tickets_category_delete", args=[kettles.pk])

    answer = login(ada).post(page, {"post": "yes"}, follow=True)

    assert "Faulty product is in use." in answer.text
    kettles.refresh_from_db()


@pytest.mark.parametrize("number", [1, 3])
def test_the_consoles_list_costs_the_same_with_more_rows(
    login, ada, bob, kettles, django_assert_num_queries, number
):
    for _number in range(number):
        make_problem(bob, category=kettles)
    client, console = login(ada), reverse("admin:tickets_problem_changelist")
    client.get(console)

    with django_assert_num_queries(6):
        client.get(console, {"state": "open"})

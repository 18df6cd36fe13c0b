"""What applicants offer to know, and that it counts for agents alone."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import actions, applications
from accounts.applications import ApplicationRefused
from accounts.models import Application, Role, Standing, User
from accounts.tests.factories import make_agent, make_application
from tickets import expertise
from tickets.automation.assignment import Desk
from tickets.models import Expertise, Ticket
from tickets.tests.factories import make_category, make_ticket

pytestmark = pytest.mark.django_db

PAGE = reverse("tickets:offer_expertise")
GOOD, EXPERT = Expertise.Level.GOOD, Expertise.Level.EXPERT
ACCEPTED = Application.Decision.ACCEPTED


@pytest.fixture
def ines():
    return make_application().applicant


def known_by(person):
    return dict(person.expertise.values_list("category__name", "level"))


def levels_for(ticket):
    return [(each.agent, each.level) for each in Desk([ticket]).candidates([ticket])]


def levels(**by_name):
    """The form with these levels."""
    return {f"category_{category.pk}": str(level) for category, level in by_name.values()}


# --- Offering -------------------------------------------------------------------------


def test_an_applicant_offers_what_they_know(login, ines, kettles):
    """D4-9"""
    toasters = make_category("Toasters")
    client = login(ines)

    form = levels(a=(kettles, 3), b=(toasters, ""))
    answer = client.post(PAGE, form)

    assert answer.headers["Location"] == reverse("account_waiting")
    assert known_by(ines) == {"Faulty product": EXPERT}


def test_they_change_their_mind_as_long_as_they_wait(login, ines, kettles):
    toasters = make_category("Toasters")
    client = login(ines)
    client.post(PAGE, levels(a=(kettles, 3), b=(toasters, 1)))

    page = client.get(PAGE)
    assert page.context["form"][f"category_{kettles.pk}"].value() == EXPERT
    client.post(PAGE, levels(a=(kettles, ""), b=(toasters, 2)))

    assert known_by(ines) == {"Toasters": GOOD}


def test_a_retired_category_is_neither_offered_nor_forgotten(login, ines, kettles):
    old = make_category("Gramophones", is_active=False)
    Expertise.objects.create(agent=ines, category=old, level=GOOD)
    client = login(ines)

    assert "Gramophones" not in client.get(PAGE).text
    client.post(PAGE, levels(a=(kettles, 3)) | {f"category_{old.pk}": "3"})

    assert known_by(ines) == {"Faulty product": EXPERT, "Gramophones": GOOD}


@pytest.mark.parametrize("level", ["4", "0", "-1", "expert", "9" * 50, "1\0"])
def test_a_level_that_is_none_is_named_and_nothing_is_written(login, ines, kettles, level):
    toasters = make_category("Toasters")

    answer = login(ines).post(PAGE, levels(a=(kettles, level), b=(toasters, 2)))

    name = f"category_{kettles.pk}"
    assert answer.context["form"].errors == {name: ["Choose one of the levels"]}
    assert f'href="#id_{name}"' in answer.text
    assert answer.context["form"][f"category_{toasters.pk}"].value() == "2"
    assert known_by(ines) == {}


@pytest.mark.parametrize("count", [1, 3])
def test_the_form_costs_the_same_with_more_categories(
    login, ines, django_assert_num_queries, count
):
    for _number in range(count):
        Expertise.objects.create(agent=ines, category=make_category())
    client = login(ines)

    with django_assert_num_queries(5):  # session, person, request, known, categories
        client.get(PAGE)


def test_a_customer_who_asked_to_join_offers_too(login, alice, kettles):
    client = login(alice)
    assert client.get(PAGE).headers["Location"] == reverse("account_apply")
    applications.join(alice, why="I like kettles.")

    answer = client.post(PAGE, levels(a=(kettles, 3)))

    assert answer.headers["Location"] == reverse("account_apply")
    assert known_by(alice) == {"Faulty product": EXPERT}


@pytest.mark.plan("SEC-A4")
def test_a_waiting_administrator_is_asked_nothing(login, kettles):
    paula = make_application("Paula", Role.ADMIN).applicant

    answer = login(paula).post(PAGE, levels(a=(kettles, 3)))

    assert answer.headers["Location"] == reverse("account_waiting")
    assert known_by(paula) == {}


# --- Once they are let in -------------------------------------------------------------


def test_what_was_offered_is_what_the_agent_knows(login, ines, ada, kettles):
    expertise.offer(ines, {kettles: EXPERT})
    ticket = make_ticket(category=kettles)
    actions.decide(ines.applications.get(), ACCEPTED, by=ada)
    ines.refresh_from_db()

    assert "Faulty product" in login(ines).get(PAGE).text
    assert Ticket.objects.pool_of(ines).get() == ticket
    assert levels_for(ticket) == [(ines, EXPERT)]


@pytest.mark.plan("SEC-A8")
def test_agents_read_it_and_administrators_write_it(login, bob, ada, kettles):
    Expertise.objects.create(agent=bob, category=kettles, level=GOOD)
    client = login(bob)

    page = client.get(PAGE)
    assert "An administrator changes the list" in page.text
    assert "<select" not in page.text
    assert client.post(PAGE, levels(a=(kettles, 3))).status_code == 403
    assert login(ada).get(PAGE).status_code == 403
    assert known_by(bob) == {"Faulty product": GOOD}


def test_an_offer_comes_too_late_once_it_is_decided(ines, ada, kettles):
    expertise.offer(ines, {kettles: GOOD})
    actions.decide(ines.applications.get(), ACCEPTED, by=ada)

    with pytest.raises(ApplicationRefused, match="decided in the meantime"):
        expertise.offer(ines, {kettles: EXPERT})

    assert known_by(ines) == {"Faulty product": GOOD}


# --- Whose knowledge counts -----------------------------------------------------------

NOT_AGENTS = {
    "waiting": {"standing": Standing.PENDING},
    "declined": {"standing": Standing.DECLINED},
    "suspended": {"standing": Standing.SUSPENDED},
    "erased": {"standing": Standing.ERASED},
    "deleted": {"deleted_at": timezone.now()},
    "customer": {"role": Role.CUSTOMER},
    "administrator": {"role": Role.ADMIN},
}


@pytest.mark.parametrize("changes", NOT_AGENTS.values(), ids=NOT_AGENTS)
def test_a_category_only_others_know_belongs_to_every_agent(bob, kettles, changes):
    ticket = make_ticket(category=kettles)
    erin = make_agent("Erin")
    Expertise.objects.create(agent=erin, category=kettles)
    assert not Ticket.objects.pool_of(bob).exists()

    User.objects.filter(pk=erin.pk).update(**changes)

    assert Ticket.objects.pool_of(bob).get() == ticket
    assert Ticket.objects.visible_to(bob).get() == ticket
    assert ticket.part_of(bob) == "pool"


def test_knowledge_of_the_category_above_counts(bob, dave):
    household = make_category("Household")
    irons = make_category("Irons", parent=household)
    ticket = make_ticket(category=irons)
    Expertise.objects.create(agent=bob, category=household)

    assert Ticket.objects.pool_of(bob).get() == ticket
    assert not Ticket.objects.pool_of(dave).exists()


@pytest.mark.parametrize("changes", NOT_AGENTS.values(), ids=NOT_AGENTS)
def test_the_desk_counts_agents_alone(bob, kettles, changes):
    ticket = make_ticket(category=kettles)
    erin = make_agent("Erin")
    Expertise.objects.create(agent=erin, category=kettles, level=EXPERT)
    User.objects.filter(pk=erin.pk).update(**changes)

    assert levels_for(ticket) == [(bob, 0)]


# --- In the console -------------------------------------------------------------------


def test_the_queue_shows_what_they_offer(login, ines, ada, kettles):
    """D1-T25"""
    expertise.offer(ines, {kettles: EXPERT})
    client = login(ada)
    queue = client.get(reverse("admin:accounts_application_changelist"))
    pk = ines.applications.get().pk
    pages = [
        client.get(reverse(f"admin:accounts_application_{page}", args=[pk]))
        for page in ("change", "accept", "decline")
    ]

    for page in (queue, *pages):
        assert "Faulty product (expert)" in page.text


def test_the_console_lists_the_knowledge_of_agents(login, ines, bob, ada, kettles):
    """An applicant's offer would be no valid choice there, and could not be saved."""
    expertise.offer(ines, {kettles: EXPERT})
    Expertise.objects.create(agent=bob, category=kettles, level=GOOD)

    page = login(ada).get(reverse("admin:tickets_category_change", args=[kettles.pk]))

    _questions, formset = page.context["inline_admin_formsets"]
    assert [form.instance.agent for form in formset.formset.initial_forms] == [bob]
    agents = formset.formset.forms[0].fields["agent"].queryset
    assert list(agents) == [bob]

"""An administrator gives somebody another role."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import Role, Standing
from accounts.tests.doors import sign_in
from accounts.tests.factories import make_admin, make_agent, make_user
from notifications.models import Notification


def page(person):
    return reverse("admin:accounts_user_role", args=[person.pk])


@pytest.fixture
def root(db):
    return make_admin("Root", email="root@example.org", is_superuser=True)


@pytest.mark.plan("SEC-C6")
@pytest.mark.plan("SEC-H6")
@pytest.mark.parametrize(
    ("make", "to", "home"),
    [(make_user, Role.AGENT, "tickets:workspace"), (make_agent, Role.CUSTOMER, "tickets:list")],
)
def test_customer_and_agent(login, ada, make, to, home):
    """Asked first, recorded, told by mail, signed out; the next sign-in leads to the new home."""
    person = make("Nadia")
    before = person.role
    browser = Client()
    sign_in(browser, person.email)
    console = login(ada)

    assert "Change the role of Nadia?" in console.get(page(person)).text
    console.post(page(person), {"role": to})

    person.refresh_from_db()
    assert person.role == to
    assert browser.get(reverse("tickets:list")).status_code == 302
    assert sign_in(browser, person.email).url == reverse(home)
    (event,) = person.account_events.all()
    assert (event.kind, event.by, event.data) == ("role_changed", ada, {"from": before, "to": to})
    assert LogEntry.objects.get().change_message == f"Role changed to {to.label.lower()}."
    assert Notification.objects.filter(kind="role_changed", recipient=person).count() == 1


@pytest.mark.plan("SEC-A8")
def test_an_administrator_makes_no_administrator(login, ada, bob):
    """Not offered, and not taken when it is sent all the same."""
    console = login(ada)

    offered = console.get(page(bob)).context["form"].fields["role"].choices
    answer = console.post(page(bob), {"role": "admin", "is_superuser": "on"})

    bob.refresh_from_db()
    assert offered == [("customer", "Customer")]
    assert "Select a valid choice." in answer.text
    assert bob.role == Role.AGENT


@pytest.mark.plan("SEC-A8")
def test_a_superuser_makes_an_administrator_but_no_superuser(login, root, bob):
    login(root).post(page(bob), {"role": "admin", "is_superuser": "on"})

    bob.refresh_from_db()
    assert (bob.role, bob.is_superuser) == (Role.ADMIN, False)


def test_a_superuser_who_gets_another_role_is_none_any_more(login, root):
    other = make_admin("Olga", is_superuser=True)

    login(root).post(page(other), {"role": "agent"})

    other.refresh_from_db()
    assert (other.role, other.is_superuser) == (Role.AGENT, False)


@pytest.mark.parametrize("standing", [each for each in Standing if each != Standing.ACTIVE])
def test_only_the_active_get_another_role(login, ada, standing):
    person = make_user(standing=standing)

    login(ada).post(page(person), {"role": "agent"})

    person.refresh_from_db()
    assert (person.role, person.standing) == (Role.CUSTOMER, standing)


@pytest.mark.parametrize("role", ["", "root", "customer"])
def test_a_wrong_role_is_asked_for_again(login, ada, alice, role):
    answer = login(ada).post(page(alice), {"role": role})

    alice.refresh_from_db()
    assert answer.context["form"].errors.keys() == {"role"}
    assert alice.role == Role.CUSTOMER

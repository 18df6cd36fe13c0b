import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.admin.people import UserAdmin
from accounts.models import AgentProfile, Application, Role, Standing, User
from accounts.tests.factories import make_admin, make_agent

PEOPLE = reverse("admin:accounts_user_changelist")
ADD = reverse("admin:accounts_user_add")
NEW_AGENT = {
    "first_name": "Nina",
    "last_name": "Novak",
    "email": "Nina@Example.org",
    "role": "agent",
    "password1": "three small words",
    "password2": "three small words",
}


def change_page(person, verb="change"):
    return reverse(f"admin:accounts_user_{verb}", args=[person.pk])


def row(person):
    return User.objects.filter(pk=person.pk).values().get()


def test_an_administrator_makes_an_agent_who_can_sign_in(login, ada):
    """D0-10, D1-3: the new agent is let in at once, by email address and password, and chooses
    another one first: see test_first_password."""
    answer = login(ada).post(ADD, NEW_AGENT)

    nina = User.objects.get(email="nina@example.org")
    assert answer.status_code == 302
    assert (nina.role, nina.standing, nina.is_superuser) == ("agent", "active", False)
    assert nina.check_password("three small words")
    assert nina.must_change_password
    assert [event.kind for event in nina.account_events.all()] == ["created"]
    assert EmailAddress.objects.filter(
        user=nina, email=nina.email, verified=True, primary=True
    ).exists()
    assert LogEntry.objects.filter(user=ada, object_id=nina.pk, action_flag=1).exists()


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("first_name", "", "Enter a first name"),
        ("email", "", "Enter an email address"),
        ("password1", "", "Enter a password"),
        ("password2", "", "Enter the password again"),
        ("email", "nina", "Invalid email"),
        ("email", "alice@example.org", "Somebody has this address already"),
        ("email", "ALICE@example.org", "Somebody has this address already"),
        ("role", "admin", "Select a valid choice."),
        ("password2", "three other words", "Passwords do not match!"),
        ("first_name", "n" * 151, "at most 150 characters"),
    ],
)
def test_a_wrong_entry_is_named_and_what_was_typed_is_kept(login, ada, alice, field, value, error):
    """D0-24: an error beside the field, nothing half-written."""
    before = User.objects.count(), EmailAddress.objects.count()

    answer = login(ada).post(ADD, NEW_AGENT | {field: value})

    assert answer.status_code == 200
    assert error in str(answer.context["adminform"].form.errors)
    assert 'value="Novak"' in answer.content.decode()
    assert (User.objects.count(), EmailAddress.objects.count()) == before


@pytest.mark.plan("SEC-A8")
def test_only_a_superuser_makes_an_administrator(login, db):
    root = make_admin("Root", is_superuser=True)

    login(root).post(ADD, NEW_AGENT | {"role": "admin"})

    nina = User.objects.get(email="nina@example.org")
    assert (nina.role, nina.is_superuser) == ("admin", False)


@pytest.mark.plan("SEC-A7")
@pytest.mark.plan("SEC-A8")
def test_extra_fields_change_nothing_but_the_name(login, ada, alice):
    before = row(alice)
    extra = dict.fromkeys(before, "1") | {
        "first_name": "Alicia",
        "last_name": "Archer",
        "email": "other@example.org",
        "role": "admin",
        "standing": "suspended",
        "is_superuser": "on",
        "password": "open sesame",
    }

    answer = login(ada).post(change_page(alice), extra)

    assert answer.status_code == 302
    assert row(alice) == before | {"first_name": "Alicia"}


@pytest.mark.plan("SEC-A8")
def test_extra_fields_do_not_promote_who_is_added(login, ada):
    login(ada).post(ADD, NEW_AGENT | {"is_superuser": "on", "standing": "pending"})

    nina = User.objects.get(email="nina@example.org")
    assert (nina.is_superuser, nina.standing) == (False, "active")


@pytest.mark.plan("SEC-A8")
@pytest.mark.parametrize("is_superuser", [True, False])
def test_administrators_do_not_change_each_other(login, ada, is_superuser):
    other = make_admin("Olga", is_superuser=is_superuser)
    before = row(other)
    client = login(ada)

    answers = [
        client.post(change_page(other), {"first_name": "X"}).status_code,
        client.post(change_page(other, "bin")).status_code,
        client.post(change_page(other, "restore")).status_code,
    ]

    assert answers == [403, 403, 403]
    assert row(other) == before


def test_a_superuser_looks_after_administrators(login, ada):
    root = make_admin("Root", is_superuser=True)

    login(root).post(change_page(ada, "bin"))

    ada.refresh_from_db()
    assert ada.deleted_at is not None


def test_deleting_a_person_asks_first_and_can_be_undone(login, ada, alice):
    """D0-9: gone from the list, shut out, recorded, and restored with one click."""
    console = login(ada)

    question = console.get(change_page(alice, "bin")).content.decode()
    alice.refresh_from_db()
    assert "Delete the account of Alice Archer?" in question
    assert alice.deleted_at is None

    console.post(change_page(alice, "bin"))
    alice.refresh_from_db()
    assert not alice.is_active
    assert "alice@example.org" not in console.get(PEOPLE).content.decode()
    assert "alice@example.org" in console.get(PEOPLE, {"bin": "only"}).content.decode()

    console.post(change_page(alice, "restore"))
    alice.refresh_from_db()
    assert alice.is_active
    words = LogEntry.objects.filter(object_id=alice.pk).order_by("pk")
    assert [entry.change_message for entry in words] == ["Deleted.", "Restored."]


def test_nobody_deletes_their_own_account_here(login, ada):
    answer = login(ada).post(change_page(ada, "bin"), follow=True)

    ada.refresh_from_db()
    assert ada.deleted_at is None
    assert "You can’t do this to your own account." in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_the_page_of_a_person_has_their_facts_and_leads_to_their_records(login, ada, bob):
    bob.phone = "+44 20 7946 0018"
    bob.save()
    AgentProfile.objects.create(agent=bob)
    application = Application.objects.create(
        applicant=bob, role="agent", decision="accepted", decided_at=bob.created_at, decided_by=ada
    )
    console = login(ada)

    text = console.get(change_page(bob)).text

    assert "+44 20 7946 0018" in text
    links = [reverse("admin:accounts_application_change", args=[application.pk])]
    links += [
        f"{reverse(f'admin:accounts_{page}_changelist')}?{whose}__id__exact={bob.pk}"
        for page, whose in (
            ("loginrecord", "user"),
            ("accountevent", "user"),
            ("consent", "user"),
            ("address", "user"),
            ("dataexport", "user"),
            ("agentprofile", "agent"),
        )
    ]
    for link in links:
        assert f'href="{link}"' in text
        assert console.get(link).status_code == 200


@pytest.mark.plan("SEC-A11")
@pytest.mark.parametrize("query", ["", "?_popup=1", "?_to_field=id"])
@pytest.mark.parametrize("who", ["alice", "bob", "pete"])
def test_agents_and_customers_see_no_page_about_people(login, request, ada, who, query):
    """By no address: list, form, popup, history or question."""
    browser = login(request.getfixturevalue(who))
    verbs = ("change", "history", "delete", *UserAdmin.verbs)
    pages = [PEOPLE, ADD, *(change_page(ada, verb) for verb in verbs)]

    assert {browser.get(page + query).status_code for page in pages} == {403}


def test_people_are_never_removed_for_good(login, alice):
    root = make_admin("Root", is_superuser=True)

    answer = login(root).post(change_page(alice, "delete"), {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("role__exact=agent&standing__exact=active", ["Bob"]),
        ("role__exact=agent&standing__exact=pending", ["Pete"]),
        ("role__exact=admin", ["Ada"]),
        ("q=ALICE@", ["Alice"]),
        ("q=arch", ["Alice"]),
    ],
)
def test_the_lists_of_people(login, ada, alice, bob, pete, query, names):
    """D1-2, D2-3: confirmed and not confirmed agents, all administrators, all agents."""
    answer = login(ada).get(f"{PEOPLE}?{query}")

    assert [person.first_name for person in answer.context["cl"].result_list] == names


def test_the_list_offers_both_ways_to_let_somebody_in(login, ada):
    """D0-10, D1-3: with a first password, or by a link in the mail."""
    page = login(ada).get(PEOPLE).text

    tools = page.split('class="object-tools"')[1].split("</ul>")[0]
    assert re.findall(r'href="([^"]+)"', tools) == [ADD, reverse("admin:accounts_invitation_add")]


def test_the_list_costs_the_same_with_more_people(login, ada, django_assert_num_queries):
    client = login(ada)
    client.get(PEOPLE)
    with django_assert_num_queries(5):
        client.get(PEOPLE)
    make_agent()
    make_agent()

    with django_assert_num_queries(5):
        client.get(PEOPLE)


def test_roles_and_standings_are_only_read(login, ada, pete):
    answer = login(ada).get(change_page(pete))

    assert set(answer.context["adminform"].form.fields) == {"first_name", "last_name"}
    assert (pete.role, pete.standing) == (Role.AGENT, Standing.PENDING)

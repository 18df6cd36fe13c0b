import re
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts import consents
from accounts.middleware import GateMiddleware
from accounts.models import Role, Standing
from careregistry.tests.matrix import METHODS, page_routes, row_for

from .factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A4")]

PRIVATE = {
    route.name: route.entry.callback
    for route in page_routes()
    if getattr(route.entry.callback, "login_required", True)
}


def open_by_the_table(person):
    """The private pages that permissions.yaml lets this kind of person meet."""
    return {
        name
        for name in PRIVATE
        for row in (row_for(name, method) for method in METHODS)
        if row and row.cell(person) not in ("F", "L")
    }


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_waiting_see_their_page_and_what_to_expect(login, role):
    """D1-2, D2-3"""
    person = make_user(role=role, standing=Standing.PENDING)

    page = login(person).get(reverse("account_waiting"))

    word = {Role.AGENT: "agent", Role.ADMIN: "administrator"}[role]
    assert f"Your {word} account is waiting for approval" in page.text
    assert person.email in page.text
    assert f'action="{reverse("account_logout")}"' in page.text
    assert "/workspace/" not in page.text
    assert "/admin/" not in page.text


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete", "options"])
@pytest.mark.parametrize(
    "path",
    [
        "/tickets/",
        "/tickets/CCR-2026-00001/",
        "/tickets/files/00000000-0000-0000-0000-000000000000/",
        "/workspace/",
        "/workspace/tickets/CCR-2026-00001/",
        "/account/apply/",
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/application/",
        "/admin/accounts/application/1/accept/",
    ],
)
def test_everything_else_is_refused_before_any_lookup(
    client, path, method, django_assert_max_num_queries
):
    for role in (Role.AGENT, Role.ADMIN):
        client.force_login(make_user(role=role, standing=Standing.PENDING))
        with django_assert_max_num_queries(2):  # the session and the person
            assert getattr(client, method)(path).status_code == 403


def is_let_through(person, name, view):
    session = {}
    consents.remember(session)
    route = SimpleNamespace(view_name=name)
    request = SimpleNamespace(user=person, session=session, resolver_match=route)
    try:
        return GateMiddleware(lambda request: None).process_view(request, view, (), {}) is None
    except PermissionDenied:
        return False


def test_no_private_route_is_forgotten(pete, bob):
    """The rule is about every view there is, so every view there is gets asked."""
    open_to_pete = {name for name, view in PRIVATE.items() if is_let_through(pete, name, view)}
    open_to_bob = {name for name, view in PRIVATE.items() if is_let_through(bob, name, view)}

    own = {"account_waiting", "account_change_password", "tickets:offer_expertise"}
    assert open_to_pete == open_by_the_table("pending_agent") >= own
    assert open_to_pete == open_by_the_table("pending_admin")
    assert open_to_bob == PRIVATE.keys() >= {"tickets:list", "tickets:workspace", "admin:index"}


def test_the_waiting_may_read_public_pages_and_change_their_password(login, pete):
    client = login(pete)

    assert client.get(reverse("account_change_password")).status_code == 200
    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get("/health/live").status_code == 200


def test_the_accepted_wait_no_longer(login, pete):
    pete.standing = Standing.ACTIVE
    pete.save()

    assert login(pete).get("/workspace/").status_code == 200


@pytest.mark.parametrize("standing", [Standing.DECLINED, Standing.SUSPENDED])
def test_a_session_ends_with_the_standing(login, bob, standing):
    """Whoever is declined or suspended while signed in is a stranger at the next request."""
    client = login(bob)
    assert client.get("/workspace/").status_code == 200

    bob.standing = standing
    bob.save()

    assert client.get("/workspace/").headers["Location"].startswith(reverse("account_login"))


def test_a_session_nobody_should_have_opens_nothing(login):
    """The unconfirmed are never signed in; should a mistake of ours do it, they are nobody."""
    client = login(make_user(standing=Standing.UNCLAIMED))

    for page in ("/tickets/", reverse("account_waiting")):
        assert client.get(page).headers["Location"].startswith(reverse("account_login"))


WAY_OUT = ("account_waiting", "account_profile", "account_security", "account_privacy")


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_no_page_offers_the_waiting_what_they_may_not_open(login, role):
    """D1-2: from page to page, whatever leads somewhere opens; and where they can go is named."""
    client = login(make_user(role=role, standing=Standing.PENDING))
    answers, found = {}, [reverse("account_waiting")]
    while found:
        page = found.pop()
        if page not in answers:
            answer = client.get(page)
            answers[page] = answer.status_code
            links = re.findall(r'<a[^>]* href="(/[^"#?]*)', getattr(answer, "text", ""))
            found += [link for link in links if not link.startswith("/static/")]

    assert {page: code for page, code in answers.items() if code not in (200, 302)} == {}
    assert {reverse(name) for name in WAY_OUT} <= answers.keys()
    assert reverse("tickets:new") not in answers


def test_everybody_else_is_offered_a_ticket_on_each_page(login, client, alice):
    """The other half: visitors and those who are let in."""
    for page in (reverse("terms"), reverse("account_login")):
        assert f'href="{reverse("tickets:new")}"' in client.get(page).text
    for page in (reverse("terms"), reverse("account_profile")):
        assert f'href="{reverse("tickets:new")}"' in login(alice).get(page).text

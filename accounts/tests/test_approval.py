from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import URLPattern, get_resolver, reverse

from accounts.middleware import GateMiddleware
from accounts.models import Role, Standing

from .factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A4")]

OPEN_TO_THE_WAITING = {"account_waiting", "account_change_password"}


def routes(patterns):
    """Every route of the site."""
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield entry
        else:
            yield from routes(entry.url_patterns)


PRIVATE = {
    route.name: route.callback
    for route in routes(get_resolver().url_patterns)
    if route.name and getattr(route.callback, "login_required", True)
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
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/application/",
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
    request = SimpleNamespace(user=person, resolver_match=SimpleNamespace(view_name=name))
    try:
        return GateMiddleware(lambda request: None).process_view(request, view, (), {}) is None
    except PermissionDenied:
        return False


def test_no_private_route_is_forgotten(pete, bob):
    """The rule is about every view there is, so every view there is gets asked."""
    open_to_pete = {name for name, view in PRIVATE.items() if is_let_through(pete, name, view)}
    open_to_bob = {name for name, view in PRIVATE.items() if is_let_through(bob, name, view)}

    assert open_to_pete == OPEN_TO_THE_WAITING
    assert open_to_bob == PRIVATE.keys() >= {"list", "workspace", "index"}


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


def test_a_session_nobody_should_have_is_shut(login):
    """The unconfirmed are never signed in; should a mistake of ours do it, nothing opens."""
    client = login(make_user(standing=Standing.UNCLAIMED))

    response = client.get("/tickets/")

    assert response.headers["Location"] == reverse("account_login")
    assert "_auth_user_id" not in client.session

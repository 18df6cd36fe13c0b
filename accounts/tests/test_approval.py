import pytest
from django.urls import URLPattern, get_resolver, reverse

from accounts.models import Role, Standing, User

from .factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A4")]

OPEN_TO_THE_WAITING = {"account_waiting", "account_change_password"}


def routes(patterns, prefix=""):
    """Every route of the site as (view, path with something in the place of arguments)."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry, path
        else:
            yield from routes(entry.url_patterns, path)


PRIVATE = {
    entry.name: entry
    for entry, _ in routes(get_resolver().url_patterns)
    if getattr(entry.callback, "login_required", True) and entry.name
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


def test_no_private_route_is_forgotten(rf, pete):
    """The rule is about every view there is, so it is asked about every view there is."""
    from django.core.exceptions import PermissionDenied

    from accounts.middleware import ApprovalMiddleware

    assert PRIVATE.keys() >= OPEN_TO_THE_WAITING | {"list", "workspace", "index", "ticket"}
    middleware = ApprovalMiddleware(lambda request: None)
    for name, entry in PRIVATE.items():
        request = rf.get("/")
        request.user = pete
        request.resolver_match = type("Match", (), {"view_name": name})
        if name in OPEN_TO_THE_WAITING:
            assert middleware.process_view(request, entry.callback, (), {}) is None
        else:
            with pytest.raises(PermissionDenied):
                middleware.process_view(request, entry.callback, (), {})

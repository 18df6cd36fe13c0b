import pytest
from django.urls import reverse

from .doors import signed_in_id

pytestmark = pytest.mark.django_db

MENU = ("account_profile", "account_security", "account_logout")


@pytest.mark.parametrize("name", ["alice", "bob", "ada", "pete"])
def test_signing_out_ends_at_the_sign_in_page(login, request, name):
    """D0-T4, D0-4, D1-T13, D1-T14: for every role, also while waiting."""
    client = login(request.getfixturevalue(name))
    key = client.session.session_key

    response = client.post(reverse("account_logout"))

    assert response.headers["Location"] == reverse("account_login")
    assert signed_in_id(client) is None
    assert not client.session.exists(key)


def test_a_link_does_not_sign_anybody_out(login, alice):
    """A picture in a mail could be such a link."""
    client = login(alice)

    page = client.get(reverse("account_logout"))

    assert page.status_code == 200
    assert signed_in_id(client) == str(alice.pk)


def test_the_avatar_menu_has_the_button(login, alice):
    """D1-T13"""
    page = login(alice).get("/tickets/")

    menu = page.text.split('aria-label="My account"')[1].split("</nav>")[0]
    assert f'<form method="post" action="{reverse("account_logout")}">' in menu


def test_a_visitor_has_nothing_to_sign_out_of(client):
    assert client.get(reverse("account_logout")).headers["Location"] == reverse("account_login")
    assert client.post(reverse("account_logout")).headers["Location"] == reverse("account_login")


@pytest.mark.parametrize(
    ("name", "path", "menu"),
    [
        ("alice", "/tickets/", 'aria-label="My account"'),
        ("bob", "/workspace/", 'class="ccr-side__account"'),
    ],
)
def test_the_menu_leads_to_the_account_as_well(login, request, name, path, menu):
    """D1-T13, D1-T14: both sides have their account, its security and the way out in one place."""
    page = login(request.getfixturevalue(name)).get(path).text

    shown = page.split(menu)[1].split("</details>")[0]
    links = [shown.find(f'"{reverse(url)}"') for url in MENU]
    assert -1 not in links
    assert links == sorted(links)

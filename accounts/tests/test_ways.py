"""What somebody can't find does not exist for them, and nothing that is offered is refused."""

import html
import re

import pytest
from django.urls import resolve, reverse

from accounts.models import Role, Standing

from .factories import make_application, make_user

pytestmark = pytest.mark.django_db

LINK = re.compile(r'href="(/[^"#]*)')
OF_EVERYBODY = {
    "account_profile",
    "account_edit_profile",
    "account_change_email",
    "account_addresses",
    "account_add_address",
    "notifications:preferences",
    "account_security",
    "account_change_password",
    "account_second_factor",
    "account_add_app",
    "account_add_passkey",
    "account_sign_ins",
    "account_privacy",
    "account_delete",
}
OF_ROLE = {
    Role.CUSTOMER: {"account_apply"},
    Role.AGENT: {"account_work", "tickets:offer_expertise"},
    Role.ADMIN: set(),
}
OF_THE_WAITING = {
    Role.AGENT: {"account_waiting", "tickets:offer_expertise"},
    Role.ADMIN: {"account_waiting"},
}
ALL_OWN = OF_EVERYBODY.union(*OF_ROLE.values(), *OF_THE_WAITING.values())


def walk(client):
    """What the links of the account's pages lead to: the status of each page, by the name of its
    address. Pages of other rooms are opened, and not walked through."""
    found, ahead, seen = {}, [reverse("account_profile")], set()
    while ahead:
        path = ahead.pop()
        seen.add(path)
        page = client.get(path, follow=True)
        found[resolve(page.request["PATH_INFO"]).view_name] = page.status_code
        if path.startswith("/account/"):
            links = map(html.unescape, LINK.findall(page.text))
            ahead += {link for link in links if not link.startswith("/static/")} - seen
    return found


@pytest.mark.parametrize("role", Role)
def test_every_page_of_the_account_is_found_by_following_links(login, role):
    """D4-8"""
    found = walk(login(make_user(role=role)))

    assert found.keys() & ALL_OWN == OF_EVERYBODY | OF_ROLE[role]
    assert set(found.values()) == {200}


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_waiting_find_theirs_and_are_offered_nothing_that_is_refused(login, role):
    """D1-2, D2-3"""
    person = make_user(role=role, standing=Standing.PENDING)
    make_application(applicant=person, role=role)

    found = walk(login(person))

    assert found.keys() & ALL_OWN == OF_EVERYBODY | OF_THE_WAITING[role]
    assert set(found.values()) == {200}

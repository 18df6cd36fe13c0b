"""The lists of people that an administrator finds by name."""

import re

import pytest
from django.urls import reverse

from accounts.lists import LISTS
from accounts.models import Role, Standing
from accounts.tests.factories import make_admin, make_agent, make_user

PEOPLE = reverse("admin:accounts_user_changelist")


@pytest.fixture
def everybody(ada, alice, bob, pete):
    make_admin("Paula", standing=Standing.PENDING)
    make_agent("Dora", standing=Standing.DECLINED)
    make_admin("Deb", standing=Standing.DECLINED)
    make_agent("Sam", standing=Standing.SUSPENDED)
    make_admin("Sue", standing=Standing.SUSPENDED)
    make_user("Carl", role=Role.CUSTOMER, standing=Standing.SUSPENDED)


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("All administrators", {"Ada", "Paula", "Deb", "Sue"}),
        ("Waiting administrators", {"Paula"}),
        ("Confirmed agents", {"Bob"}),
        ("Not confirmed agents", {"Pete"}),
        ("Declined people", {"Dora", "Deb"}),
        ("Suspended people", {"Sam", "Sue", "Carl"}),
    ],
)
def test_each_list_is_found_on_the_dashboard_by_its_name(login, ada, everybody, title, names):
    """D1-2, D2-3"""
    client = login(ada)
    dashboard = client.get(reverse("admin:index")).text

    (address,) = re.findall(rf'href="([^"]+)">{title}</a>', dashboard)
    page = client.get(address)

    assert {person.first_name for person in page.context["cl"].result_list} == names
    assert len(re.findall(rf">\s*{title}\s*</a>", page.text)) == 1  # chosen among the filters


def test_a_list_nobody_knows_is_everybody(login, ada, everybody):
    page = login(ada).get(PEOPLE, {"people": "nonsense"})

    assert page.context["cl"].result_count == 10


def test_the_lists_are_for_administrators(login, bob):
    for name in LISTS:
        assert login(bob).get(PEOPLE, {"people": name}).status_code == 403

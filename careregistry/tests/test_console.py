"""What holds for the whole console. Who gets in where stands in ``permissions.yaml``."""

import re
from html import unescape

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from tickets.tests.factories import make_category


@pytest.mark.parametrize("path", ["login", "logout", "password_change"])
def test_django_s_own_doors_are_gone(login, ada, path):
    assert login(ada).post(f"/admin/{path}/").status_code == 404


@pytest.mark.plan("SEC-A11")
def test_the_list_of_people_does_not_spell_out_hashes(login, ada, alice):
    client = login(ada)
    people = reverse("admin:accounts_user_changelist")

    assert client.get(people, {"password__startswith": alice.password[:5]}).status_code == 400
    assert client.get(people, {"role__exact": "customer"}).status_code == 200


APPS = ["accounts", "tickets", "messaging", "notifications", "admin"]


@pytest.mark.parametrize("app", APPS)
def test_apps_have_no_page_that_shows_a_dashboard_without_figures(login, ada, app):
    answer = login(ada).get(reverse("admin:app_list", args=[app]))

    assert (answer.status_code, answer.headers.get("Location")) == (302, reverse("admin:index"))


def breadcrumbs(page) -> str:
    shown = re.search(r'<div class="breadcrumbs">(.*?)</div>', page.text, re.DOTALL)[1]
    return " ".join(unescape(strip_tags(shown)).split())


def test_breadcrumbs_lead_to_what_there_is(login, ada):
    """On each kind of page, and to no page of an app."""
    category = make_category("Kettles")
    names = ["changelist", "add", "change", "history", "delete"]
    args = {name: [category.pk] for name in names[2:]}
    client = login(ada)

    shown = [
        breadcrumbs(client.get(reverse(f"admin:tickets_category_{name}", args=args.get(name))))
        for name in names
    ]
    shown.append(breadcrumbs(client.get(reverse("admin:accounts_invitation_import"))))

    assert shown == [
        "Home › Categories",
        "Home › Categories › Add category",
        "Home › Categories › Kettles",
        "Home › Categories › Kettles › History",
        "Home › Categories › Kettles › Delete",
        "Home › Invitations › Invite from a file",
    ]


def test_the_theme_and_all_scripts_come_from_our_own_files(login, ada):
    answer = login(ada).get(reverse("admin:index"))

    page = answer.content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert page.rindex("css/registry.css") > page.rindex("admin/css/responsive.css")

"""What holds for the whole console. Who gets in where stands in ``permissions.yaml``."""

import pytest
from django.urls import reverse


@pytest.mark.parametrize("path", ["login", "logout", "password_change"])
def test_django_s_own_doors_are_gone(login, ada, path):
    assert login(ada).post(f"/admin/{path}/").status_code == 404


@pytest.mark.plan("SEC-A11")
def test_the_list_of_people_does_not_spell_out_hashes(login, ada, alice):
    client = login(ada)
    people = reverse("admin:accounts_user_changelist")

    assert client.get(people, {"password__startswith": alice.password[:5]}).status_code == 400
    assert client.get(people, {"role__exact": "customer"}).status_code == 200


def test_the_theme_and_all_scripts_come_from_our_own_files(login, ada):
    answer = login(ada).get(reverse("admin:index"))

    page = answer.content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert page.rindex("css/registry.css") > page.rindex("admin/css/responsive.css")

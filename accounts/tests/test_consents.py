"""Terms and privacy: public, agreed to at sign-up, and again when they change."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import consents
from accounts.models import Consent

from .doors import code_in, sign_up, type_code
from .factories import make_user

pytestmark = pytest.mark.django_db

PAGE = "account_consent"


def agreed(person):
    return sorted(person.consents.values_list("document", "version"))


@pytest.mark.parametrize("name", ["terms", "privacy"])
def test_the_documents_are_open_to_everybody(client, login, alice, pete, name, settings):
    """D4-10"""
    settings.TERMS_VERSION = settings.PRIVACY_VERSION = "2030-05"
    for browser in (client, login(alice), login(pete)):
        page = browser.get(reverse(name))

        assert page.status_code == 200
        assert "version 2030-05" in page.text


def test_every_page_leads_to_the_documents(client, login, alice):
    """D4-10"""
    for page in (
        client.get("/"),
        client.get(reverse("account_login")),
        login(alice).get("/tickets/"),
    ):
        assert f'href="{reverse("terms")}"' in page.text
        assert f'href="{reverse("privacy")}"' in page.text


def test_the_operator_says_it_in_their_own_words(client, settings, tmp_path):
    """D4-10: a file in DATA_DIR/templates comes before ours."""
    (tmp_path / "legal").mkdir()
    (tmp_path / "legal" / "terms.html").write_text(
        '{% extends "legal/base_document.html" %}{% block document %}Be kind.{% endblock %}'
    )
    [engine] = settings.TEMPLATES
    assert engine["DIRS"][0] == settings.DATA_DIR / "templates"

    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, *engine["DIRS"][1:]]}]

    assert "Be kind." in client.get(reverse("terms")).text


def test_a_sign_up_needs_consent(client, mails):
    """D1-1: one box that names both documents, with links."""
    page = client.get(reverse("account_signup"))
    assert page.text.count(f'href="{reverse("terms")}" target="_blank"') == 1
    assert page.text.count(f'href="{reverse("privacy")}" target="_blank"') == 1

    refused = sign_up(client, agree="")

    assert refused.context["form"].errors == {
        "agree": ["Agree to the terms and to how your data are used"]
    }
    assert mails == []


def test_consent_is_kept_with_version_and_time(client, mails, settings):
    """The time is when they agreed, not when they typed the code."""
    settings.TERMS_VERSION = "7"
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        sign_up(client)
    with time_machine.travel(now + timedelta(minutes=5), tick=False):
        type_code(client, code_in(mails[0]))

    assert sorted(Consent.objects.values_list("document", "version", "at")) == [
        ("privacy", settings.PRIVACY_VERSION, now),
        ("terms", "7", now),
    ]


def test_a_version_that_changed_before_the_code_was_typed_is_asked_for(client, mails, settings):
    sign_up(client)
    settings.TERMS_VERSION = "8"

    type_code(client, code_in(mails[0]))

    assert client.get("/tickets/").headers["Location"] == reverse(PAGE)


@pytest.mark.parametrize("name", ["TERMS_VERSION", "PRIVACY_VERSION"])
@pytest.mark.parametrize("person", ["alice", "bob", "ada"])
def test_a_new_version_is_asked_for_before_anything_else(client, request, settings, person, name):
    """In the middle of a session as well, and of every role."""
    person = request.getfixturevalue(person)
    client.force_login(person)
    assert client.get(reverse("account_profile")).status_code == 200
    setattr(settings, name, "next")

    for page in ("account_profile", "tickets:list", "admin:index"):
        assert client.get(reverse(page)).headers["Location"] == reverse(PAGE)
    shown = client.get(reverse(PAGE))
    document = name.partition("_")[0].lower()
    assert [each.value for each in shown.context["missing"]] == [document]

    response = client.post(reverse(PAGE))

    assert response.status_code == 302
    assert (document, "next") in agreed(person)
    assert client.get(reverse("account_profile")).status_code == 200


def test_until_then_public_pages_and_the_way_out_are_open(login, alice, settings):
    client = login(alice)
    settings.TERMS_VERSION = "next"

    for page in ("/health/live", reverse("terms"), reverse("privacy"), reverse("account_logout")):
        assert client.get(page).status_code == 200
    assert client.post(reverse("account_logout")).headers["Location"] == reverse("account_login")
    assert agreed(alice) == [("privacy", "1"), ("terms", "1")]


def test_nothing_is_done_before_agreeing(login, alice, settings):
    client = login(alice)
    settings.TERMS_VERSION = "next"

    response = client.post(reverse("account_edit_profile"), {"first_name": "Alicia"})

    assert response.headers["Location"] == reverse(PAGE)
    alice.refresh_from_db()
    assert alice.first_name == "Alice"


def test_agreeing_twice_is_agreeing_once(login, alice, settings):
    client = login(alice)
    settings.TERMS_VERSION = "next"

    client.post(reverse(PAGE))
    again = client.post(reverse(PAGE))

    assert again.status_code == 302
    assert agreed(alice) == [("privacy", "1"), ("terms", "1"), ("terms", "next")]


def test_who_agreed_in_another_browser_is_not_asked_again(client, login, alice, settings):
    login(alice)
    settings.TERMS_VERSION = "next"
    consents.agree(alice, consents.versions())

    assert client.get(reverse("account_profile")).status_code == 200


def times_read(client):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("account_profile")).status_code == 200
    return sum("accounts_consent" in query["sql"] for query in asked)


def test_the_check_reads_rows_once_a_session(login, alice):
    client = login(alice)
    session = client.session
    del session[consents.SESSION_KEY]  # one from before there was a question
    session.save()

    assert [times_read(client) for _ in range(3)] == [1, 0, 0]


def test_the_check_costs_nothing_after_a_sign_in(login, alice):
    assert times_read(login(alice)) == 0


def test_consents_are_shown_to_administrators_and_changed_by_nobody(login, ada):
    """D4-10, SEC-H6"""
    sue = make_user("Sue", role="admin", is_superuser=True)
    for person in (ada, sue):
        client = login(person)
        consent = Consent.objects.first()

        page = client.get(reverse("admin:accounts_consent_changelist"))

        assert "Terms of service" in page.text
        assert ada.email in page.text
        for verb in ("change", "delete"):
            path = reverse(f"admin:accounts_consent_{verb}", args=[consent.pk])
            assert client.post(path, {"version": "9", "post": "yes"}).status_code == 403
        assert client.get(reverse("admin:accounts_consent_add")).status_code == 403
    assert set(Consent.objects.values_list("version", flat=True)) == {"1"}


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_however_long(login, ada, rows, django_assert_num_queries):
    for _ in range(rows):
        make_user()
    client = login(ada)

    with django_assert_num_queries(5):
        client.get(reverse("admin:accounts_consent_changelist"))


def test_whoever_does_not_agree_may_take_their_data_along_and_leave(login, alice, settings):
    client = login(alice)
    settings.TERMS_VERSION = "next"

    assert f'href="{reverse("account_privacy")}"' in client.get(reverse(PAGE)).text
    for page in ("account_privacy", "account_delete"):
        assert client.get(reverse(page)).status_code == 200

"""The console has no door of its own, and only administrators get in."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts import consents, invitations
from accounts.models import (
    AccountEvent,
    Address,
    AgentProfile,
    Application,
    DataExport,
    LoginRecord,
    Role,
    Standing,
)
from accounts.records import note
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.models import Notification, OutgoingMail, Preference
from tickets import actions
from tickets.models import (
    Attachment,
    Calendar,
    CallRequest,
    Concern,
    DaySummary,
    SlaPolicy,
    TicketDraft,
    Tombstone,
)
from tickets.workflow import ResolutionKind, Status

SITE_PAGES = ["index", "autocomplete", "jsi18n"]
REFUSED_BY_DESIGN = ("_add", "_delete", "autocomplete")


@pytest.fixture
def world(ticket, alice, bob, ada, pete):
    """One row of everything the console shows."""
    message = post_message(ticket, by=alice, body="Hello")
    actions.change_status(
        ticket, Status.RESOLVED, by=bob, text="Replaced.", resolution=ResolutionKind.REPLACED
    )
    actions.rate(ticket, by=alice, rating=5, improvement="Write sooner.")
    Attachment.objects.create(
        event=message, uploader=alice, name="a.txt", content_type="text/plain", size=1
    )
    Application.objects.create(applicant=pete, role=Role.AGENT)
    LoginRecord.objects.create(user=alice, kind=LoginRecord.Kind.SIGNED_IN)
    note(alice, AccountEvent.Kind.RESTORED, by=ada)
    consents.agree(alice, consents.versions())
    AgentProfile.objects.create(agent=bob)
    Address.objects.create(user=alice, label="Home", street="1 Low Road", city="Leeds")
    Preference.objects.create(user=alice, kind=Notification.Kind.WELCOME, is_wanted=False)
    DataExport.objects.create(user=alice, asked_by=ada)
    who = {"email": "ida@example.org", "first_name": "Ida", "last_name": ""}
    invitations.invite(**who, role=Role.AGENT, by=ada)
    TicketDraft.objects.create(owner=alice)
    office = Calendar.objects.create(name="Office", time_zone="Europe/London")
    SlaPolicy.objects.create(calendar=office, answer_within=timedelta(hours=4))
    CallRequest.objects.create(ticket=ticket, phone="+441134960000")
    Concern.objects.create(author=alice, text="The letters are small.")
    Tombstone.objects.create(
        ticket_pk=0, reference="CCR-2025-00001", event_count=1, lines=[], removed_by=ada
    )
    DaySummary.objects.create(day="2026-11-20")
    LogEntry.objects.log_actions(ada.pk, [ticket], 2, "Looked.", single_object=True)
    OutgoingMail.objects.create(email=alice.email)
    Notification.objects.create(
        cause=f"test:{uuid4()}", kind=Notification.Kind.WELCOME, recipient=alice
    )


def admin_urls() -> dict[str, str]:
    """Every page of the console, by name, each for an object that exists."""
    urls = {name: reverse(f"admin:{name}") for name in SITE_PAGES}
    urls |= {
        f"app_list {app}": reverse("admin:app_list", args=[app])
        for app in {model._meta.app_label for model in admin.site._registry}
    }
    for model, model_admin in admin.site._registry.items():
        key = model._default_manager.first().pk
        for route in model_admin.get_urls():
            arguments = [key] if "object_id" in route.pattern.regex.groupindex else []
            if route.name:
                urls[route.name] = reverse(f"admin:{route.name}", args=arguments)
    return urls


def test_the_console_shows_every_kind_of_record(world):
    names = set(admin_urls())

    assert {
        "accounts_address_changelist",
        "accounts_user_changelist",
        "accounts_application_accept",
        "accounts_invitation_import",
        "admin_logentry_history",
        "messaging_message_change",
        "notifications_outgoingmail_changelist",
        "notifications_preference_changelist",
        "tickets_attachment_change",
        "tickets_category_add",
        "tickets_daysummary_changelist",
        "tickets_feedback_changelist",
        "tickets_ticket_assign",
        "tickets_ticket_history",
        "tickets_ticketdraft_changelist",
        "tickets_ticketevent_changelist",
    } <= names
    assert not any("emailaddress" in name or "group" in name for name in names)


@pytest.mark.plan("SEC-A11")
@pytest.mark.plan("SEC-A4")
@pytest.mark.parametrize("person", ["alice", "bob", "pete"])
def test_nobody_but_administrators_enters(world, login, person, request):
    client = login(request.getfixturevalue(person))

    answers = {name: client.get(url).status_code for name, url in admin_urls().items()}

    assert set(answers.values()) == {403}


@pytest.mark.plan("SEC-A11")
def test_a_waiting_administrator_does_not_enter(world, login):
    waiting = make_user("Wim", role=Role.ADMIN, standing=Standing.PENDING)

    assert login(waiting).get(reverse("admin:index")).status_code == 403


@pytest.mark.plan("SEC-A11")
def test_strangers_meet_the_one_door(world, client):
    for url in admin_urls().values():
        answer = client.get(url)

        assert answer.status_code == 302
        assert answer.url == f"{reverse('account_login')}?next={url}"


@pytest.mark.plan("SEC-A11")
@pytest.mark.parametrize("is_superuser", [False, True])
def test_administrators_reach_every_page(world, login, ada, is_superuser):
    ada.is_superuser = is_superuser
    ada.save()
    client = login(ada)

    answers = {name: client.get(url).status_code for name, url in admin_urls().items()}

    refused = {name for name, status in answers.items() if status not in (200, 302)}
    assert {name for name in refused if not name.endswith(REFUSED_BY_DESIGN)} == set()
    assert {answers[name] for name in refused} <= {403}


@pytest.mark.parametrize("path", ["login", "logout", "password_change"])
def test_django_s_own_doors_are_gone(login, ada, path):
    assert login(ada).post(f"/admin/{path}/").status_code == 404


@pytest.mark.plan("SEC-A11")
def test_no_page_shows_a_password_or_a_digest_key(world, login, ada, alice):
    client = login(ada)

    pages = [client.get(url).content.decode() for url in admin_urls().values()]

    assert not any(alice.password in page for page in pages)


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

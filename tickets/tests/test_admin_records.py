"""The catalogue can be changed, the records only looked at."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import Standing
from accounts.tests.factories import make_admin, make_agent, make_user
from messaging.actions import post_message, post_note
from messaging.models import Message
from tickets.models import (
    Attachment,
    Category,
    DaySummary,
    Expertise,
    Feedback,
    Follower,
    Participant,
    Problem,
    ReferenceCounter,
    Ticket,
    TicketDraft,
    TicketEvent,
)
from tickets.tests.factories import make_category, make_ticket

READ_ONLY = [
    Attachment, Feedback, Follower, LogEntry, Message, Participant, Problem, Ticket, TicketEvent,
]  # fmt: skip


@pytest.mark.plan("SEC-A16")
@pytest.mark.parametrize("model", READ_ONLY)
def test_records_are_not_added_changed_or_deleted_by_anyone(rf, db, model):
    request = rf.get("/")
    request.user = make_admin("Root", is_superuser=True)
    model_admin = admin.site.get_model_admin(model)

    assert model_admin.get_model_perms(request) == {
        "add": model is Ticket,  # raised for a customer, by the same action
        "change": False,
        "delete": False,
        "view": True,
    }


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "tickets_ticketevent", "messaging_message", "tickets_attachment",
        "tickets_participant", "tickets_follower",
    ],
)  # fmt: skip
def test_record_lists_cost_the_same_with_more_rows(
    login, ada, alice, ticket, django_assert_num_queries, name, number
):
    for _number in range(number):
        line = post_message(ticket, by=alice, body="Hello")
        Attachment.objects.create(event=line, uploader=alice, name="a.txt", size=1)
        Participant.objects.create(ticket=ticket, person=make_user(), added_by=ada)
        Follower.objects.create(ticket=ticket, person=make_agent())
    client = login(ada)
    records = reverse(f"admin:{name}_changelist")
    client.get(records)

    with django_assert_num_queries(5):
        client.get(records)


def test_lines_are_found_by_the_number_of_their_ticket(login, ada, alice, ticket):
    other = make_ticket(requester=alice)
    lines = reverse("admin:tickets_ticketevent_changelist")

    answer = login(ada).get(lines, {"q": other.reference.lower()})

    assert {line.ticket for line in answer.context["cl"].result_list} == {other}


@pytest.mark.plan("SEC-A6")
def test_a_file_on_a_note_of_one_s_own_complaint_is_not_listed(login, ada, bob):
    own = make_ticket(requester=ada, assignee=bob, by=make_admin())
    for line, name in [
        (post_note(own, by=bob, body="Note"), "secret.pdf"),
        (post_message(own, by=bob, body="Hello"), "shown.pdf"),
        (None, "waits.pdf"),
    ]:
        Attachment.objects.create(event=line, uploader=bob, name=name, size=1)

    answer = login(ada).get(reverse("admin:tickets_attachment_changelist"))

    names = {attachment.name for attachment in answer.context["cl"].result_list}
    assert names == {"shown.pdf", "waits.pdf"}


def test_what_is_not_sent_and_what_only_counts_has_no_page():
    """What somebody is still writing is nobody's business, and the rest explains nothing."""
    shown = set(admin.site._registry)

    assert Ticket in shown
    assert shown.isdisjoint({TicketDraft, DaySummary, ReferenceCounter})


def category_form(category, **fields):
    return {
        "name": category.name,
        "team_name": category.team_name,
        "position": "3",
        "is_active": "on",
        "default_priority": "normal",
        "routing": "suggested",
        "experts-TOTAL_FORMS": "1",
        "experts-INITIAL_FORMS": "0",
        "fields-TOTAL_FORMS": "0",
        "fields-INITIAL_FORMS": "0",
        **fields,
    }


def test_a_category_and_its_experts_are_changed_together(login, ada, bob, kettles):
    """C5, D4-7: who knows a category is set in the console."""
    page = reverse("admin:tickets_category_change", args=[kettles.pk])

    answer = login(ada).post(
        page, category_form(kettles, **{"experts-0-agent": bob.pk, "experts-0-level": "3"})
    )

    kettles.refresh_from_db()
    assert answer.status_code == 302
    assert kettles.position == 3
    assert Expertise.objects.get().level == Expertise.Level.EXPERT


def test_a_category_is_part_of_another_top_one_never_of_itself(login, ada, kettles):
    other = make_category("Products")
    make_category("Deep", parent=other)
    page = reverse("admin:tickets_category_change", args=[kettles.pk])
    client = login(ada)

    offered = client.get(page).context["adminform"].form.fields["parent"].queryset
    assert list(offered) == [other]

    answer = client.post(page, category_form(kettles, parent=kettles.pk))
    assert "parent" in answer.context["adminform"].form.errors


def test_an_address_belongs_to_one_category(login, ada, alice, kettles, settings):
    """Whatever letters it is written in. Mail from it counts as our own, so it is nobody's."""
    settings.REPLY_ADDRESS, settings.DEFAULT_FROM_EMAIL = "care@example.org", "Us <us@example.org>"
    make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)
    make_category("Lamps", email="team@example.org")
    page = reverse("admin:tickets_category_change", args=[kettles.pk])
    client = login(ada)

    for wrong, why in (
        ("Team@Example.org", "Lamps has this address"),
        ("care@example.org", "The registry itself has this address"),
        ("Us@example.org", "The registry itself has this address"),
        ("Alice@example.org", f"{alice} has this address"),
        ("a@example.org\r\nBcc: b@example.org", "Enter a valid email address."),
    ):
        answer = client.post(page, category_form(kettles, email=wrong))
        assert answer.context["adminform"].form.errors == {"email": [why]}
    nobody_knows_it = {"experts-TOTAL_FORMS": "0"}
    for same in ("una@example.org", "Kettles@Example.org", "kettles@example.org"):
        client.post(page, category_form(kettles, email=same, **nobody_knows_it))

    kettles.refresh_from_db()
    assert (kettles.email, kettles.position) == ("kettles@example.org", 3)


def test_a_category_in_use_is_kept_and_the_reason_told(login, ada, ticket):
    page = reverse("admin:tickets_category_delete", args=[ticket.category_id])

    answer = login(ada).post(page, {"post": "yes"}, follow=True)

    assert "Faulty product is in use." in answer.content.decode()
    assert Category.objects.filter(pk=ticket.category_id).exists()


def test_a_category_nobody_uses_is_deleted_and_recorded(login, ada, kettles):
    page = reverse("admin:tickets_category_delete", args=[kettles.pk])

    login(ada).post(page, {"post": "yes"})

    assert not Category.objects.exists()
    assert LogEntry.objects.get().is_deletion()

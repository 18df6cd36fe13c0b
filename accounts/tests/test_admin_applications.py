from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts import actions
from accounts.models import Application, Role, Standing
from accounts.tests.factories import make_admin, make_application
from notifications.models import Notification

QUEUE = reverse("admin:accounts_application_changelist")


def page(application, verb):
    return reverse(f"admin:accounts_application_{verb}", args=[application.pk])


def owed():
    return list(
        Notification.objects.filter(cause__startswith="application-decision").values_list(
            "recipient__first_name", "kind"
        )
    )


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_accepting_a_request_asks_first(login, ada, role):
    """D1-T27, D2-3: accepted, stored, gone from the list, mail owed."""
    application = make_application(role=role)
    client = login(ada)

    question = client.get(page(application, "accept")).content.decode()
    assert f"Approve Ines as {application.get_role_display().lower()}?" in question
    assert owed() == []

    answer = client.post(page(application, "accept"), follow=True)

    application.refresh_from_db()
    assert (application.decision, application.decided_by) == ("accepted", ada)
    assert application.applicant.standing == Standing.ACTIVE
    assert owed() == [("Ines", "application_accepted")]
    assert "Ines: accepted." in answer.content.decode()
    assert page(application, "accept") not in answer.content.decode()
    assert LogEntry.objects.get().change_message == "Accepted."


@pytest.mark.plan("SEC-C13")
def test_declining_takes_a_reason(login, ada):
    application = make_application()
    client = login(ada)

    without = client.post(page(application, "decline"), {"reason": "  "})
    application.refresh_from_db()
    assert "Enter a reason" in without.content.decode()
    assert application.decided_at is None

    client.post(page(application, "decline"), {"reason": "We know nobody of this name."})

    application.refresh_from_db()
    assert (application.decision, application.reason) == (
        "declined",
        "We know nobody of this name.",
    )
    assert application.applicant.standing == Standing.DECLINED
    assert not application.applicant.is_active
    assert owed() == [("Ines", "application_declined")]


def test_a_reason_that_is_too_long_is_kept_and_named(login, ada):
    application = make_application()

    answer = login(ada).post(page(application, "decline"), {"reason": "r" * 2001})

    application.refresh_from_db()
    assert "Use 2,000 characters or less" in answer.content.decode()
    assert "r" * 2001 in answer.content.decode()
    assert application.decided_at is None


@pytest.mark.plan("SEC-C13")
@pytest.mark.parametrize("second", ["accept", "decline"])
def test_a_request_is_decided_once(login, ada, second):
    application = make_application()
    client = login(ada)
    client.post(page(application, "accept"))

    answer = client.post(page(application, second), {"reason": "Too late"}, follow=True)

    application.refresh_from_db()
    assert "This request has been decided already." in answer.content.decode()
    assert (application.decision, application.reason) == ("accepted", "")
    assert len(owed()) == 1
    assert LogEntry.objects.count() == 1


@pytest.mark.plan("SEC-C13")
@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_nobody_decides_on_their_own_request(login, ada, verb):
    application = Application.objects.create(applicant=ada, role=Role.ADMIN)

    answer = login(ada).post(page(application, verb), {"reason": "Me"}, follow=True)

    application.refresh_from_db()
    assert "Nobody decides on their own request." in answer.content.decode()
    assert "Your own request" in answer.content.decode()
    assert application.decided_at is None
    assert not LogEntry.objects.exists()


def test_the_queue_and_the_empty_queue(login, ada):
    """D1-T25, D1-T26, D2-3: the list of requests; none."""
    application = make_application()
    client = login(ada)

    assert "ines" in client.get(QUEUE).content.decode()

    client.post(page(application, "accept"))
    assert "There are no pending requests" in client.get(QUEUE).content.decode()
    decided = client.get(QUEUE, {"decided": "accepted"}).context["cl"].result_list
    assert list(decided) == [application]


def test_several_are_accepted_at_once(login, ada):
    waiting = make_application("Ines"), make_application("Wole")
    late = make_application("Late")
    selected = {
        "action": "accept_selected",
        "_selected_action": [application.pk for application in (*waiting, late)],
    }
    client = login(ada)

    question = client.post(QUEUE, selected).content.decode()
    assert "Approve these requests?" in question
    assert owed() == []

    client.post(page(late, "decline"), {"reason": "No"})
    answer = client.post(f"{QUEUE}?decided=", selected | {"answered": "yes"}, follow=True)

    words = answer.content.decode()
    assert "2 accepted." in words
    assert Application.objects.filter(decision="accepted").count() == 2
    assert Application.objects.get(pk=late.pk).decision == "declined"


@pytest.mark.plan("SEC-C13")
def test_several_are_declined_with_one_reason(login, ada):
    waiting = make_application("Ines"), make_application("Wole")
    own = Application.objects.create(applicant=ada, role=Role.ADMIN)
    selected = {
        "action": "decline_selected",
        "_selected_action": [application.pk for application in (*waiting, own)],
    }
    client = login(ada)

    assert "Decline these requests?" in client.post(QUEUE, selected).text
    without = client.post(QUEUE, selected | {"answered": "yes", "reason": " "})
    assert "Enter a reason" in without.text
    assert owed() == []
    yes = {"answered": "yes", "reason": "We are enough."}
    answer = client.post(f"{QUEUE}?decided=", selected | yes, follow=True)

    assert "2 declined." in answer.text
    assert "Nobody decides on their own request." in answer.text
    declined = Application.objects.filter(decision="declined", decided_by=ada)
    assert list(declined.values_list("reason", flat=True)) == ["We are enough."] * 2
    assert sorted(owed()) == [("Ines", "application_declined"), ("Wole", "application_declined")]
    own.refresh_from_db()
    assert own.is_open


def test_the_queue_tells_who_why_and_how_long(login, ada):
    """D1-T25"""
    asked = timezone.now() - timedelta(days=3, hours=1)
    application = make_application(why="I repaired kettles for ten years.", created_at=asked)
    client = login(ada)

    for text in (client.get(QUEUE).text, client.get(page(application, "change")).text):
        assert "I repaired kettles for ten years." in text
        assert application.applicant.email in text
    assert "3\xa0days" in client.get(QUEUE).text
    assert "I repaired kettles" in client.get(reverse("admin:index")).text


def test_the_request_tells_what_became_of_earlier_ones(login, ada):
    first = make_application()
    actions.decide(first, Application.Decision.DECLINED, by=ada, reason="Too soon.")
    client = login(ada)
    assert "None" in client.get(page(first, "change")).text

    second = make_application(applicant=first.applicant)

    today = date_format(timezone.localdate(), "j F Y")
    assert f"<p>Agent: Declined, {today}. Too soon.</p>" in (
        client.get(page(second, "change")).text
    )


def test_a_request_is_never_changed_by_hand(login, db):
    application = make_application()
    root = make_admin("Root", is_superuser=True)

    answer = login(root).post(page(application, "change"), {"decision": "accepted"})

    application.refresh_from_db()
    assert answer.status_code == 403
    assert application.decision == ""


@pytest.mark.parametrize("count", [1, 3])
def test_the_queue_costs_the_same_with_more_requests(login, ada, django_assert_num_queries, count):
    for _number in range(count):
        make_application()
    client = login(ada)
    client.get(QUEUE)

    with django_assert_num_queries(6):  # session, person, count, rows, what they know, bell
        client.get(QUEUE)

"""Asking to work here: the words of it, the end of it, and customers who want to join."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts import actions, applications
from accounts.applications import ApplicationRefused
from accounts.models import AccountEvent, Application, Role, Standing, User
from accounts.tasks import expire_applications
from accounts.tests.factories import make_admin, make_application, make_user
from notifications.models import Notification
from tickets.tests.racing import race, signed_in

pytestmark = pytest.mark.django_db

WAITING = reverse("account_waiting")
APPLY = reverse("account_apply")
WHY = "I repaired kettles for ten years."
ACCEPTED, DECLINED = Application.Decision.ACCEPTED, Application.Decision.DECLINED


def history(person):
    events = AccountEvent.objects.filter(user=person).order_by("pk")
    return [(event.kind, event.by, event.reason) for event in events]


def owed(person):
    return list(Notification.objects.filter(recipient=person).values_list("kind", flat=True))


def in_days(days):
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=False)


# --- The words ------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_confirming_the_address_is_the_request(role):
    """D1-2, D2-3, SEC-H6: written down, and the administrators hear of it."""
    ruth = make_admin()
    ines = make_user("Ines", role=role, standing=Standing.UNCLAIMED)

    actions.confirm(ines)

    application = Application.objects.get(applicant=ines)
    (event,) = AccountEvent.objects.filter(user=ines)
    assert (application.role, application.is_open) == (role, True)
    assert (event.kind, event.by) == ("applied", ines)
    assert event.data == {"application": application.pk, "role": role}
    assert owed(ruth) == ["application_received"]


def test_confirming_as_a_customer_asks_for_nothing():
    alice = make_user("Alice", standing=Standing.UNCLAIMED)

    actions.confirm(alice)

    assert not Application.objects.exists()
    assert history(alice) == []


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_waiting_say_why_and_say_it_better(login, role):
    """D4-9"""
    application = make_application(role=role)
    client = login(application.applicant)

    assert "Why do you want to work here?" in client.get(WAITING).text
    client.post(WAITING, {"why": "I like people."})
    answer = client.post(WAITING, {"why": f"  {WHY}\r\nAnd toasters.  "}, follow=True)

    application.refresh_from_db()
    assert application.why == f"{WHY}\nAnd toasters."
    assert "Saved" in answer.text
    assert WHY in answer.text


@pytest.mark.parametrize(
    ("why", "error"),
    [
        ("  ", "Say why you want to work here"),
        ("w" * 2001, "Use 2,000 characters or less"),
        ("with a \0", "Null characters are not allowed."),
    ],
)
def test_bad_words_are_named_and_kept(login, why, error):
    """D0-24"""
    application = make_application(why="As before")

    answer = login(application.applicant).post(WAITING, {"why": why})

    application.refresh_from_db()
    assert answer.context["form"].errors == {"why": [error]}
    assert 'href="#id_why"' in answer.text
    assert answer.context["form"]["why"].value() == why
    assert application.why == "As before"


def test_hostile_words_are_shown_as_they_are(login, ada):
    application = make_application(why="<script>alert(1)</script> {{ 7|add:7 }} தமிழ்")
    page = reverse("admin:accounts_application_accept", args=[application.pk])

    own = login(application.applicant).get(WAITING).text
    asked = login(ada).get(page).text

    for text in (own, asked):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }} தமிழ்" in text


def test_only_agents_are_asked_what_they_know(login):
    offer = f'href="{reverse("tickets:offer_expertise")}"'
    agent, admin = make_application(), make_application("Wole", Role.ADMIN)

    assert offer in login(agent.applicant).get(WAITING).text
    assert offer not in login(admin.applicant).get(WAITING).text


def test_words_come_too_late_once_it_is_decided(ada):
    application = make_application(why=WHY)
    actions.decide(application, ACCEPTED, by=ada)

    with pytest.raises(ApplicationRefused, match="decided in the meantime"):
        applications.explain(application, why="Something else")

    application.refresh_from_db()
    assert application.why == WHY


# --- The decision ---------------------------------------------------------------------


@pytest.mark.plan("SEC-C13")
@pytest.mark.plan("SEC-H6")
@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
@pytest.mark.parametrize("decision", [ACCEPTED, DECLINED])
def test_a_decision_is_written_down_with_who_and_why(ada, role, decision):
    """D1-T27, D2-3"""
    application = make_application(role=role)

    actions.decide(application, decision, by=ada, reason="After a talk.")

    ines = application.applicant
    (event,) = AccountEvent.objects.filter(user=ines)
    assert (event.kind, event.by, event.reason) == (decision.value, ada, "After a talk.")
    assert event.data == {"application": application.pk, "role": role, "decision": decision}
    assert ines.standing == {ACCEPTED: Standing.ACTIVE, DECLINED: Standing.DECLINED}[decision]
    assert ines.role == role
    assert owed(ines) == [f"application_{decision}"]


@pytest.mark.plan("SEC-C13")
@pytest.mark.parametrize("decision", [ACCEPTED, DECLINED])
def test_only_administrators_decide(alice, bob, pete, ada, decision):
    application = make_application()

    for nobody in (alice, bob, pete):
        with pytest.raises(PermissionDenied):
            actions.decide(application, decision, by=nobody)

    application.refresh_from_db()
    assert application.is_open
    actions.decide(application, decision, by=ada)
    assert not application.is_open


@pytest.mark.plan("SEC-C13")
@pytest.mark.parametrize(
    "changes", [{"standing": Standing.SUSPENDED}, {"deleted_at": timezone.now()}]
)
def test_an_account_that_was_shut_since_can_only_be_declined(ada, changes):
    application = make_application()
    User.objects.filter(pk=application.applicant_id).update(**changes)

    with pytest.raises(actions.DecisionRefused, match="This account has changed since"):
        actions.decide(application, ACCEPTED, by=ada)
    application.refresh_from_db()
    assert application.is_open

    actions.decide(application, DECLINED, by=ada)
    assert application.decision == DECLINED
    assert not application.applicant.is_approved


@pytest.mark.plan("SEC-C13")
@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_one_decides(ada):
    """Both at once, one accepts and one declines: one decision, one mail, one line."""
    ruth = make_admin()

    for _round in range(5):
        application = make_application()
        seen = [Application.objects.get(pk=application.pk) for _admin in (ada, ruth)]
        answers = race(
            partial(actions.decide, seen[0], ACCEPTED, by=ada),
            partial(actions.decide, seen[1], DECLINED, by=ruth),
        )

        application.refresh_from_db()
        (refusal,) = (answer for answer in answers if answer is not None)
        accepted = application.decision == ACCEPTED
        assert str(refusal) == "This request has been decided already."
        assert application.decided_by == (ada if accepted else ruth)
        assert application.applicant.is_approved == accepted
        assert owed(application.applicant) == [f"application_{application.decision}"]
        assert [kind for kind, *_rest in history(application.applicant)] == [application.decision]


# --- Nobody decides -------------------------------------------------------------------


def test_what_nobody_decides_ends_by_itself(settings):
    settings.APPLICATION_DAYS = 30
    application = make_application()
    ines = application.applicant

    with in_days(29.9):
        expire_applications()
    application.refresh_from_db()
    assert application.is_open

    with in_days(30):
        expire_applications()
        expire_applications()

    application.refresh_from_db()
    ines.refresh_from_db()
    assert (application.decision, application.decided_by) == ("expired", None)
    assert ines.standing == Standing.DECLINED
    assert history(ines) == [("declined", None, "")]
    assert owed(ines) == ["application_expired"]


def test_the_page_of_the_waiting_says_until_when(login, settings):
    settings.APPLICATION_DAYS = 10
    with time_machine.travel("2026-11-20 12:00Z", tick=False):
        page = login(make_application().applicant).get(WAITING).text

    assert "Asked on Fri 20 Nov. If nobody has answered by Mon 30 Nov" in page


def test_what_is_decided_does_not_expire(ada):
    application = make_application()
    actions.decide(application, ACCEPTED, by=ada)

    with in_days(40):
        expire_applications()

    application.refresh_from_db()
    assert application.decision == ACCEPTED
    assert application.applicant.is_approved


@pytest.mark.django_db(transaction=True)
def test_the_clock_and_an_administrator_decide_once(ada):
    for _round in range(5):
        application = make_application(created_at=timezone.now() - timedelta(days=40))
        seen = Application.objects.get(pk=application.pk)

        race(partial(actions.decide, seen, ACCEPTED, by=ada), applications.expire)

        application.refresh_from_db()
        accepted = application.decision == ACCEPTED
        assert application.applicant.is_approved == accepted
        assert owed(application.applicant) == [f"application_{application.decision}"]
        assert len(history(application.applicant)) == 1


# --- Customers who want to join -------------------------------------------------------


def join(client, why=WHY):
    return client.post(APPLY, {"why": why}, follow=True)


def test_a_customer_asks_and_stays_a_customer(login, alice, ada):
    """D1-2: only the acceptance changes the role."""
    client = login(alice)
    assert f'href="{APPLY}"' in client.get(reverse("tickets:list")).text

    answer = join(client)

    application = Application.objects.get(applicant=alice)
    alice.refresh_from_db()
    assert (application.role, application.why) == (Role.AGENT, WHY)
    assert (alice.role, alice.standing) == (Role.CUSTOMER, Standing.ACTIVE)
    assert "Your request is with the administrators." in answer.text
    assert client.get(reverse("tickets:list")).status_code == 200
    assert client.get(reverse("tickets:workspace")).status_code == 403
    assert owed(ada) == ["application_received"]


@pytest.mark.plan("SEC-C6")
def test_the_accepted_customer_signs_in_as_an_agent(client, alice, ada):
    """A change of role ends the sessions of before."""
    client.post(reverse("account_login"), {"login": alice.email, "password": "three small words"})
    application = applications.join(alice, why=WHY)

    actions.decide(application, ACCEPTED, by=ada)

    alice.refresh_from_db()
    assert (alice.role, alice.standing) == (Role.AGENT, Standing.ACTIVE)
    assert [kind for kind, *_rest in history(alice)][-2:] == ["applied", "accepted"]
    assert client.get(reverse("tickets:workspace")).headers["Location"].startswith("/account/login")
    client.force_login(alice)
    assert client.get(reverse("tickets:workspace")).status_code == 200


def test_a_declined_customer_stays_one_and_asks_later(login, alice, ada, settings):
    settings.REAPPLY_DAYS = 30
    application = applications.join(alice, why=WHY)

    actions.decide(application, DECLINED, by=ada, reason="Not this year.")

    alice.refresh_from_db()
    assert (alice.role, alice.standing) == (Role.CUSTOMER, Standing.ACTIVE)
    page = join(login(alice)).text
    assert "Not this year." in page
    assert "You can ask again from" in page
    assert Application.objects.count() == 1
    with in_days(30):
        assert "Your request is with the administrators." in join(login(alice)).text
    assert Application.objects.count() == 2


def test_an_expired_request_of_a_customer_may_be_made_again_at_once(login, alice):
    applications.join(alice, why=WHY)

    with in_days(31):
        applications.expire()
        alice.refresh_from_db()
        assert (alice.role, alice.standing) == (Role.CUSTOMER, Standing.ACTIVE)
        answer = login(alice).get(APPLY).text
        assert "Nobody decided on your request in time" in answer
        join(login(alice))

    assert Application.objects.filter(decided_at=None).count() == 1


def test_asking_twice_is_one_request_with_the_newer_words(login, alice, ada):
    client = login(alice)
    join(client)

    join(client, "Better words")

    assert Application.objects.get().why == "Better words"
    assert len(owed(ada)) == 1
    with pytest.raises(ApplicationRefused, match="You have asked already"):
        applications.join(alice, why=WHY)


@pytest.mark.parametrize("why", ["", "w" * 2001])
def test_a_customer_has_to_say_why(login, alice, why):
    answer = join(login(alice), why)

    assert answer.context["form"].errors
    assert not Application.objects.exists()


@pytest.mark.plan("SEC-A8")
def test_nobody_else_asks_to_become_an_agent(login, bob, ada, pete):
    for person in (bob, ada, pete, make_admin("Root", is_superuser=True)):
        assert login(person).post(APPLY, {"why": WHY}).status_code == 403
        with pytest.raises(PermissionDenied):
            applications.join(person, why=WHY)

    assert not Application.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_double_click_asks_once(alice):
    """SEC-E1: on both databases."""
    clients = [signed_in(alice) for _click in range(4)]

    answers = race(*(partial(client.post, APPLY, {"why": WHY}) for client in clients))

    assert {answer.status_code for answer in answers} == {302}
    assert Application.objects.filter(applicant=alice).count() == 1

"""What is owed is checked again when it goes out: whether it is meant for this person, still."""

import pytest
from django.utils import timezone

from accounts import actions as accounts
from accounts.models import Application, Role, Standing, User
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.workflow import Status

pytestmark = pytest.mark.django_db(transaction=True)

State = OutgoingMail.State


@pytest.fixture
def quiet_ticket(ticket):
    """Alice's ticket with Bob; nothing is owed because of what happened so far."""
    Notification.objects.all().delete()
    return ticket


def rows(*fields):
    return list(OutgoingMail.objects.order_by("pk").values_list(*fields))


def test_agent_who_lost_the_ticket_gets_no_mail_of_it(sink, quiet_ticket, alice, bob, dave):
    """SEC-A10: queued mail is checked again when it goes out."""
    post_message(quiet_ticket, by=alice, body="For Bob")
    actions.assign(quiet_ticket, to=dave, by=bob)

    outbox.drain()

    assert sink.to(bob) == []
    assert len(sink.to(dave)) == 1
    (dropped,) = OutgoingMail.objects.filter(state=State.DROPPED)
    assert (dropped.email, dropped.last_answer) == (
        "bob@example.org",
        "The person may no longer see the ticket.",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "sent"),
        ({"standing": Standing.SUSPENDED}, "dropped"),
        ({"standing": Standing.PENDING}, "dropped"),
        ({"deleted_at": timezone.now()}, "dropped"),
    ],
)
def test_only_the_approved_get_ticket_mail(sink, quiet_ticket, alice, bob, change, expected):
    post_message(quiet_ticket, by=bob, body="Hello")
    if change:
        User.objects.filter(pk=alice.pk).update(**change)

    outbox.drain()

    assert rows("state") == [(expected,)]
    assert len(sink.mails) == (expected == "sent")


def test_mail_of_a_ticket_in_the_bin_is_dropped(sink, quiet_ticket, bob, ada):
    post_message(quiet_ticket, by=bob, body="Hello")
    actions.bin_ticket(quiet_ticket, by=ada)

    outbox.drain()

    assert sink.mails == []
    assert rows("state") == [("dropped",)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "sent"), ({"role": Role.CUSTOMER}, "dropped"), ({"standing": "suspended"}, "dropped")],
)
def test_role_requests_go_to_those_who_may_decide(sink, ada, change, expected):
    pete = make_user(role=Role.AGENT, standing=Standing.UNCLAIMED)
    accounts.confirm(pete)
    if change:
        User.objects.filter(pk=ada.pk).update(**change)

    outbox.drain()

    assert OutgoingMail.objects.get(recipient=ada).state == expected


def test_acceptance_taken_back_is_not_mailed(sink, ada, pete):
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    accounts.decide(application, Application.Decision.ACCEPTED, by=ada)
    User.objects.filter(pk=pete.pk).update(standing=Standing.SUSPENDED)

    outbox.drain()

    assert rows("state", "last_answer") == [("dropped", "The person’s account has changed.")]


def test_status_mail_is_about_its_own_move(sink, quiet_ticket, alice, bob):
    """Sent late, it still says what happened then."""
    actions.change_status(quiet_ticket, Status.WAITING, by=bob)
    actions.change_status(quiet_ticket, Status.OPEN, by=bob)

    outbox.drain()

    headlines = [mail.text.splitlines()[3] for mail in sink.to(alice)]
    assert headlines == ["Your ticket is now: Your reply needed", "Your ticket is now: In progress"]

"""The mail by which a rule tells somebody of a ticket."""

import pytest

from messaging import ruling
from messaging.actions import post_message
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.tests.ruled import make_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(ticket, alice, dave, ada):
    """Dave had the ticket, and a rule told him of what Alice wrote."""
    actions.assign(ticket, to=dave, by=ada)
    make_rule("wrote", name="Urgent words", set_priority="urgent", tell_agent=True)
    Notification.objects.all().delete()
    post_message(ticket, by=alice, body="It is on fire!")
    Notification.objects.exclude(kind="ruled").delete()
    ruling.run()
    Notification.objects.exclude(kind="ruled").delete()
    return ticket


def test_it_names_the_rule_and_quotes_what_set_it_off(told, mailoutbox):
    outbox.drain()

    [mail] = mailoutbox
    assert mail.to == ["dave@example.org"]
    assert "\nRule “Urgent words” tells you\n" in mail.body
    assert "The rule “Urgent words” found this ticket" in mail.body
    assert "priority: Urgent" in mail.body
    assert "> It is on fire!" in mail.body


def test_who_may_no_longer_see_the_ticket_is_not_told(told, bob, ada, mailoutbox):
    actions.assign(told, to=bob, by=ada)
    Notification.objects.exclude(kind="ruled").delete()

    outbox.drain()

    assert mailoutbox == []
    assert OutgoingMail.objects.get().last_answer == "The person may no longer see the ticket."

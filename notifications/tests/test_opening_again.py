"""How whoever is told that their ticket has ended learns to open it again."""

from datetime import timedelta
from html import unescape

import pytest
import time_machine

from accounts.models import Standing, User
from messaging.actions import post_message
from notifications.mail import outbox
from tickets import actions
from tickets.automation import clockwork
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)

REOPENS = "Answer this email to open it again."
WRITES = "Answer this email to write to everyone on the ticket."


def says(mail, words) -> bool:
    """In both of its forms."""
    assert (words in mail.text) == (words in unescape(mail.html))
    return words in mail.text


@pytest.fixture
def ended(sink, settings, alice, bob, quiet_ticket):
    """The mail to Alice, of this standing, that her ticket was resolved."""

    def end(standing, reply_address="care@example.org"):
        settings.REPLY_ADDRESS = reply_address
        User.objects.filter(pk=alice.pk).update(standing=standing)
        solved = {"text": "We sent a new one.", "resolution": ResolutionKind.REPLACED}
        actions.change_status(quiet_ticket, Status.RESOLVED, by=bob, **solved)
        outbox.drain()
        (mail,) = sink.to(alice)
        return mail

    return end


@pytest.mark.parametrize("standing", [Standing.UNCLAIMED, Standing.ACTIVE])
def test_an_answer_by_mail_opens_it_again(ended, standing):
    """D0-22: who lives in their mailbox has no page to do it on."""
    mail = ended(standing)

    assert says(mail, "If it isn’t fixed, open it again.")
    assert (says(mail, REOPENS), says(mail, WRITES)) == (True, False)


def test_where_no_mail_is_read_nothing_is_opened_by_it(ended):
    mail = ended(Standing.UNCLAIMED, reply_address="")

    assert (says(mail, REOPENS), says(mail, WRITES)) == (False, False)
    assert says(mail, "Answers to this email are not read.")


def test_the_reminder_says_so_too(sink, ended, alice, quiet_ticket):
    ended(Standing.UNCLAIMED)
    quiet_ticket.refresh_from_db()
    with time_machine.travel(quiet_ticket.due_at - timedelta(days=2), tick=False):
        clockwork.run()
        outbox.drain()

    reminder = sink.to(alice)[-1]
    assert reminder.headline == "Your ticket closes soon"
    assert says(reminder, REOPENS)


def test_what_is_not_ended_is_not_opened(sink, settings, alice, bob, quiet_ticket):
    settings.REPLY_ADDRESS = "care@example.org"
    User.objects.filter(pk=alice.pk).update(standing=Standing.UNCLAIMED)
    post_message(quiet_ticket, by=bob, body="Which number?")

    outbox.drain()

    (mail,) = sink.to(alice)
    assert (says(mail, REOPENS), says(mail, WRITES)) == (False, True)

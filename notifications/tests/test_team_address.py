"""Where answers to our mails go: to the team of the category, if it has an address."""

import pytest

from messaging.actions import post_message
from notifications.mail import outbox
from tickets.models import Category

pytestmark = pytest.mark.django_db(transaction=True)


def mail_about(ticket, sink, by):
    outbox.drain()
    sink.mails.clear()
    post_message(ticket, by=by, body="Have you tried another socket?")
    outbox.drain()
    (mail,) = sink.to(ticket.requester)
    return mail


def test_answers_go_to_the_team(sink, ticket, bob, kettles):
    kettles.email = "returns@example.org"
    kettles.save()

    mail = mail_about(ticket, sink, bob)

    assert mail["Reply-To"] == "returns@example.org"
    assert "Answers to this email reach our team, but not the ticket." in mail.text
    assert "Answers to this email reach our team, but not the ticket." in mail.html


def test_a_team_without_an_address_gets_none(sink, ticket, bob):
    mail = mail_about(ticket, sink, bob)

    assert mail["Reply-To"] is None
    assert "Answers to this email are not read." in mail.text
    assert "Answers to this email are not read." in mail.html


@pytest.mark.plan("SEC-D10")
def test_an_address_can_t_bring_headers_of_its_own(sink, ticket, bob):
    """Whoever wrote it past the form."""
    Category.objects.update(email="returns@example.org\r\nBcc: mallory@example.org")

    mail = mail_about(ticket, sink, bob)

    assert mail["Bcc"] is None
    assert len(sink.mails) == 1


@pytest.mark.parametrize(
    ("reply_address", "return_path"),
    [("care@acme.example", "care@acme.example"), ("", "desk@acme.example")],
)
def test_it_sends_too_and_reports_still_come_to_us(
    sink, settings, ticket, bob, kettles, reply_address, return_path
):
    """On the envelope stands the mailbox we read, whoever the mail is from."""
    settings.REPLY_ADDRESS = reply_address
    settings.DEFAULT_FROM_EMAIL = "Acme <desk@acme.example>"
    kettles.email = "returns@example.org"
    kettles.save()

    mail = mail_about(ticket, sink, bob)

    assert mail["From"] == "Customer Care Registry <returns@example.org>"
    assert mail.return_path == return_path

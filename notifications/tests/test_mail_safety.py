"""What people type into a mail of ours, and whom it may tell of whom."""

import re

import pytest

from accounts.tests.factories import make_user
from messaging.actions import post_message, post_note
from notifications.mail import outbox
from notifications.mail.envelopes import one_line
from notifications.models import OutgoingMail
from tickets import actions
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = [
    "Hi\r\nBcc: spy@example.com",
    "Hi\nBcc: spy@example.com",
    "Hi\rBcc: spy@example.com",
    "Hi\u2028Bcc: spy@example.com",
    "Hi\u2029Bcc: spy@example.com",
    "Hi\x0bBcc: spy@example.com",
    "Hi\x85Bcc: spy@example.com",
    "Hi\r\n\r\n<b>body</b>",
    "Hi%0d%0aBcc: spy@example.com",
    "=?utf-8?q?Hi=0ABcc:_spy@example.com?=",
]


@pytest.mark.plan("SEC-D18")
@pytest.mark.parametrize("words", HOSTILE)
def test_header_injection(sink, bob, ada, words):
    """What people type as subject, name or product never becomes a header or a recipient."""
    mallory = make_user(words, email="mallory@example.org")
    category = make_category(words[:90])
    ticket = make_ticket(requester=mallory, subject=words, against=words, category=category)
    outbox.drain()  # then who has it stands in a mail of its own
    actions.assign(ticket, to=bob, by=ada)
    post_message(ticket, by=mallory, body=words)

    outbox.drain()

    assert not OutgoingMail.objects.exclude(state="sent").exists()
    assert len(sink.mails) == 5
    for mail in sink.mails:
        head = mail.raw.partition(b"\r\n\r\n")[0]
        names = [
            line.split(b":")[0] for line in re.split(rb"[\r\n\x0b]+", head) if line[:1].strip()
        ]
        assert b"Bcc" not in names
        assert len(mail["Subject"].splitlines()) == 1
        assert mail.recipients in (
            ["mallory@example.org"],
            ["bob@example.org"],
            ["ada@example.org"],
        )


@pytest.mark.plan("SEC-D18")
def test_null_and_direction_marks_leave_the_subject():
    assert one_line("a\x00b\u202ec\r\n d") == "a b c d"


@pytest.mark.plan("SEC-D19")
def test_everyone_gets_a_mail_of_their_own(sink, ticket, alice, bob, ada):
    actions.change_status(ticket, Status.WAITING, by=ada)
    make_ticket(alice, category=ticket.category)  # of which Ada hears

    outbox.drain()

    addresses = {person.email for person in (alice, bob, ada)}
    for mail in sink.mails:
        (recipient,) = mail.recipients
        others = addresses - {recipient}
        assert mail["To"] == recipient
        assert not [address for address in others if address.encode() in mail.raw]
        assert mail["Cc"] is None
    assert {mail.recipients[0] for mail in sink.mails} == addresses


@pytest.mark.plan("SEC-D20")
def test_internal_notes_are_in_no_mail_to_customers(sink, ticket, alice, bob, ada, dave):
    """The canary is written before, between and after every kind of ticket mail."""
    canary = "CANARY-7731"
    post_note(ticket, by=bob, body=canary)
    post_message(ticket, by=bob, body="Hello.", then=Status.WAITING)
    post_message(ticket, by=alice, body="Hello back.")
    actions.assign(ticket, to=dave, by=ada)
    post_note(ticket, by=ada, body=canary)
    actions.change_status(
        ticket, Status.RESOLVED, by=dave, text="Sent.", resolution=ResolutionKind.REPLACED
    )
    actions.change_status(ticket, Status.CLOSED, by=alice)

    outbox.drain()

    told = [mail for mail in sink.mails if canary in mail.text + mail.html]
    assert told == [mail for mail in sink.to(dave) if canary in mail.text] != []
    assert [mail.text for mail in sink.to(alice) if "/workspace/" in mail.text] == []
    assert len(sink.to(alice)) == 6


def test_what_people_wrote_is_escaped_in_html_and_literal_in_text(sink, bob, ada, kettles):
    mallory = make_user("<b>Mallory</b>", email="mallory@example.org")
    ticket = make_ticket(
        requester=mallory, assignee=bob, by=ada, category=kettles, subject="<i>Tom & Jerry</i>"
    )

    post_message(ticket, by=mallory, body='<script>alert("x")</script>')
    outbox.drain()

    mail = sink.to(bob)[-1]
    assert '> <script>alert("x")</script>' in mail.text
    assert "<b>Mallory</b> wrote to you" in mail.text
    assert "<script" not in mail.html
    assert "<b>Mallory" not in mail.html
    assert "&lt;b&gt;Mallory&lt;/b&gt; wrote to you" in mail.html
    assert "&lt;i&gt;Tom &amp; Jerry&lt;/i&gt;" in mail.html

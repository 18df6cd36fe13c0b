"""The outside of our mails, word for word as it is sent. What differs each time is put into
capitals: numbers, signatures, dates.

After a change that is meant: ``GOLDEN=write pytest`` this file, and read the difference.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Standing, User
from accounts.signals import account_mail_composed, user_confirmed
from messaging.actions import post_message
from messaging.models import Fate, InboundMail
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.models import Category, Channel
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "golden"
ALWAYS_NEW = [
    (r"CCR-\d{4}-\d{5}", "CCR-2026-00482"),
    (r"ccr-\d{4}-\d{5}", "ccr-2026-00482"),
    (r"t\d+u\d+r[0-9a-f]{16}-[a-z2-7]{26}", "TICKET-PERSON-RANDOM-SIGNATURE"),
    (r"t\d+u\d+-[a-z2-7]{26}", "TICKET-PERSON-SIGNATURE"),
    (r"[0-9a-f]{32}@", "RANDOM@"),
    (r"(/stop-mails/)[^/]+", r"\1PERSON-CHOICE-SIGNATURE"),
    (r"(?m)^Date: .*", "Date: NOW"),
    (r"={15}\d+==", "BOUNDARY"),
]


@pytest.fixture(autouse=True)
def our_addresses(settings):
    settings.REPLY_ADDRESS = "care@acme.example"
    settings.DEFAULT_FROM_EMAIL = "Acme Care <care@acme.example>"


@pytest.fixture
def last(ticket, mailoutbox):
    """The one mail to ``person`` of what ``happens``, after all that happened before."""

    def last(person, happens):
        outbox.drain()
        mailoutbox.clear()
        happens()
        outbox.drain()
        (mail,) = (each for each in mailoutbox if each.to == [person.email])
        return mail

    return last


def outside(mail) -> str:
    """The envelope, and each header on a line of its own."""
    message = mail.message()
    lines = [f"MAIL FROM:<{mail.from_email}>", *(f"RCPT TO:<{to}>" for to in mail.recipients()), ""]
    lines += [f"{name}: {value}" for name, value in message.items()]
    words = "\n".join(lines) + "\n"
    for pattern, instead in ALWAYS_NEW:
        words = re.sub(pattern, instead, words)
    return words


def check(name, mail):
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(outside(mail), encoding="utf-8")
    assert outside(mail) == path.read_text(encoding="utf-8")


def wrote_by_mail(ticket, person, message_id):
    """They wrote the newest line of ``ticket`` from their mailbox."""
    event = post_message(ticket, by=person, body="Hello from my mailbox.")
    InboundMail.objects.create(
        source="lmtp", size=1, sha256="", fate=Fate.APPENDED, message_id=message_id,
        ticket=ticket, event=event, person=person,
    )  # fmt: skip


@pytest.mark.plan("SEC-D10")
def test_receipt(last, alice, kettles):
    check("receipt", last(alice, lambda: make_ticket(alice, category=kettles)))


@pytest.mark.plan("SEC-D8", "SEC-D10")
def test_receipt_of_a_mail(last, kettles):
    """Nothing in it that its sender, whoever that was, has chosen: not even a Message-ID."""
    una = User.objects.create_user(
        "una@example.org", None, first_name="BUYNOW", standing=Standing.UNCLAIMED
    )

    def write():
        ticket = make_ticket(una, category=kettles, subject="BUYNOW", channel=Channel.EMAIL)
        InboundMail.objects.create(
            source="lmtp", size=1, sha256="", fate=Fate.TICKETED, message_id="<BUYNOW@x.example>",
            ticket=ticket, event=ticket.events.get(number=1), person=una,
        )  # fmt: skip

    check("receipt_of_a_mail", last(una, write))


@pytest.mark.plan("SEC-D10")
def test_message(last, ticket, alice, bob):
    check("message", last(alice, lambda: post_message(ticket, by=bob, body="Hello.")))


@pytest.mark.plan("SEC-D10")
def test_message_to_somebody_who_wrote_by_mail(last, ticket, alice, bob):
    """It answers their mail, in their own mail program's thread."""
    wrote_by_mail(ticket, alice, "<4711.first@mailer.example>")
    wrote_by_mail(ticket, alice, "<4711.second@mailer.example>")

    mail = last(alice, lambda: post_message(ticket, by=bob, body="Hello."))

    check("message_to_a_mailbox", mail)


@pytest.mark.plan("SEC-D19")
def test_nobody_elses_mail_is_named(last, ticket, alice, bob):
    """The agent is told of what she wrote, without the name of her mail."""
    mail = last(bob, lambda: wrote_by_mail(ticket, alice, "<4711@alices-computer.example>"))

    assert "alices-computer" not in mail.message().as_string()


@pytest.mark.plan("SEC-D18")
@pytest.mark.parametrize(
    "message_id",
    ["<a\r\nBcc: spy@example.com>", "<a b@x>", "<a<b@x>", "no brackets", "<ü@x>", f"<{'a' * 300}>"],
)
def test_what_no_header_can_hold_is_not_named(last, ticket, alice, bob, message_id):
    wrote_by_mail(ticket, alice, message_id[:255])

    mail = last(alice, lambda: post_message(ticket, by=bob, body="Hello."))

    assert outside(mail) == (GOLDEN / "message.txt").read_text(encoding="utf-8")


@pytest.mark.plan("SEC-D10")
def test_resolved(last, ticket, alice, bob):
    def resolve():
        solved = {"text": "Sent.", "resolution": ResolutionKind.REPLACED}
        actions.change_status(ticket, Status.RESOLVED, by=bob, **solved)

    check("resolved", last(alice, resolve))


@pytest.mark.plan("SEC-D10")
def test_mail_to_the_agent(last, ticket, alice, bob):
    check("to_the_agent", last(bob, lambda: post_message(ticket, by=alice, body="Hello.")))


@pytest.mark.plan("SEC-D10")
def test_mail_from_a_category(last, ticket, alice, bob):
    """From the address its customers know; reports that it did not arrive come to us."""
    Category.objects.filter(pk=ticket.category_id).update(email="kettles@shop.example")

    check("from_a_category", last(alice, lambda: post_message(ticket, by=bob, body="Hello.")))


@pytest.mark.plan("SEC-D10")
def test_many_things_in_one_mail(last, ticket, alice, bob, kettles):
    second = make_ticket(alice, assignee=bob, category=kettles, subject="Toaster")
    outbox.drain()

    def happen():
        post_message(ticket, by=bob, body="Hello.")
        post_message(second, by=bob, body="Hello again.")
        mail = OutgoingMail.objects.create(recipient=alice, email=alice.email)
        Notification.objects.filter(mail=None).update(mail=mail)

    check("digest", last(alice, happen))


@pytest.mark.plan("SEC-D10")
def test_code(last, alice):
    def compose():
        account_mail_composed.send(
            sender=User, user=alice, kind="login_code", email=alice.email,
            subject="31415926 is your sign-in code", text="31415926\n", html="",
            expires_at=timezone.now() + timedelta(minutes=5),
        )  # fmt: skip

    check("code", last(alice, compose))


@pytest.mark.plan("SEC-D10")
def test_mail_about_an_account(last, alice):
    check("account", last(alice, lambda: user_confirmed.send(sender=User, user=alice)))

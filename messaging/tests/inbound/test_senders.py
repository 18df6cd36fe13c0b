"""Who a mail is from: one sender, or nobody."""

import pytest

from accounts.models import User
from messaging.inbound.headers import MAX_WORDS
from messaging.inbound.parsing import parse
from messaging.models import Fate, Reason
from notifications.models import Notification
from tickets.mail_addresses import new_message_id
from tickets.models import Ticket

from .mailboxes import choose
from .mails import make_mail, take_in

pytestmark = pytest.mark.plan("SEC-D4")

SEVERAL = [
    "mallory@example.com, alice@example.org",
    "Mallory <mallory@example.com>, Alice <alice@example.org>",
    "Team: mallory@example.com, alice@example.org;",
    "<mallory@example.com> alice@example.org",
    "mallory@example.com alice@example.org",
    '"Mallory, again" <mallory@example.com>, "Alice" <alice@example.org>',
    '(") mallory@example.com, (") alice@example.org',  # quotes in comments end nothing
    'mallory@example.com, "alice@example.org',
    '"mallory"@example.com, alice@example.org',
    "mallory(x)@example.com, alice@example.org",
    "mallory@example.com," + " " * MAX_WORDS + "alice@example.org",
    "mallory@example.com\nFrom: alice@example.org",
]
ONE = [
    "alice@example.org",
    '"mallory@example.com" <alice@example.org>',
    "mallory@example.com <alice@example.org>",
    "Mallory, mallory, all my name <alice@example.org>",
    '"Mallory, Inc." <alice@example.org>',
    '"\\"Mallory\\" <mallory@example.com>," <alice@example.org>',
    "alice@example.org (mallory@example.com (and mallory@example.net))",
    "<@example.com,@example.net:alice@example.org>",
    "Team: alice@example.org;",
    "Alice <alice@example.org>, ALICE@example.org",
    "alice@example.org\nFrom: alice@example.org",
    "(" * 1000 + " alice@example.org",
]


def mail_from(senders) -> bytes:
    return f"From: {senders}\nSubject: Kettle\n\nIt stays cold.".encode()


@pytest.mark.parametrize("senders", SEVERAL, ids=lambda value: value[:60])
def test_several_senders_are_noticed(senders):
    assert parse(mail_from(senders)).has_several_senders


@pytest.mark.parametrize("senders", ONE, ids=lambda value: value[:60])
def test_one_sender_is_one_whatever_stands_around(senders):
    mail = parse(mail_from(senders))

    assert (mail.sender, mail.has_several_senders) == ("alice@example.org", False)


def test_a_mail_of_several_is_nobodys(ticket, alice, kettles):
    """Servers vouch for one of them: no account, no ticket, nothing is added, nobody is told."""
    before = [Ticket.objects.count(), ticket.events.count(), User.objects.count()]
    owed = Notification.objects.count()

    mail = take_in(
        make_mail(
            "alice@example.org, mallory@example.com", In_Reply_To=new_message_id(ticket, alice)
        )
    )

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.SEVERAL)
    assert [Ticket.objects.count(), ticket.events.count(), User.objects.count()] == before
    assert Notification.objects.count() == owed


def test_the_first_sender_counts_once_an_administrator_looked(login, ada, alice, kettles):
    mail = take_in(make_mail("alice@example.org, mallory@example.com"))

    choose(login(ada), "free", mail)

    mail.refresh_from_db()
    assert (mail.fate, mail.person) == (Fate.TICKETED, alice)


def test_a_name_that_is_an_address_is_nobodys_name(kettles):
    mail = take_in(make_mail("ada@example.org <zoe@example.org>"))

    assert mail.person.first_name == "zoe"

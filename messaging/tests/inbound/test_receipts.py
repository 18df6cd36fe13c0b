"""What senders hear at once, and who sees what became of their mail."""

import pytest
from django.core import mail as django_mail

from accounts.tests.factories import make_user
from messaging.actions import post_note
from messaging.inbound import facts
from messaging.models import Fate
from notifications.mail import outbox
from tickets.models import Ticket
from tickets.parties.participants import follow

from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles, settings):
    settings.REPLY_ADDRESS = "care@example.net"


def receipts():
    outbox.drain()
    return [each for each in django_mail.outbox if "We have" in each.subject]


@pytest.mark.plan("SEC-D8")
def test_the_receipt_carries_no_word_of_the_sender():
    """Who sees the address of somebody else in From must not be able to write to them."""
    mail = take_in(
        make_mail("BUYNOW <victim@example.com>", "CANARY1 x", "CANARY2 http://x.example")
    )

    (receipt,) = receipts()

    whole = receipt.message().as_string()
    assert receipt.to == ["victim@example.com"]
    assert mail.ticket.reference in receipt.subject
    assert [word in whole for word in ("CANARY1", "CANARY2", "BUYNOW")] == [False] * 3


@pytest.mark.plan("SEC-D8")
@pytest.mark.plan("SEC-P13")
@pytest.mark.parametrize("sender", ["victim@example.com", "victim+{}@example.com"])
def test_receipts_are_capped(sender):
    """Whatever stands after a plus, it is one mailbox."""
    for number in range(5):
        take_in(make_mail(sender.format(number), f"Number {number}"))

    assert len(receipts()) == 3
    assert Ticket.objects.count() == 5


@pytest.mark.plan("SEC-D8")
def test_another_mailbox_gets_its_own(kettles):
    for sender in ("a@example.com", "a+1@example.com", "a+2@example.com", "ab+1@example.com",
                   "a+3@example.org"):  # fmt: skip
        take_in(make_mail(sender))

    assert len(receipts()) == 5


@pytest.mark.plan("SEC-D8")
@pytest.mark.plan("SEC-P13")
@pytest.mark.parametrize(
    "by", [{"Received_SPF": "fail (mx)"}, {"Authentication_Results": "mx; dmarc=fail"}]
)
def test_who_is_known_not_to_have_written_gets_none(by):
    """The mail is taken in all the same: forwarding breaks such proofs too, and staff see it."""
    mail = take_in(make_mail("victim@example.com", **by))

    assert (mail.fate, receipts()) == (Fate.TICKETED, [])
    assert mail.event.data["unproved"]


@pytest.mark.plan("SEC-C12")
def test_who_did_not_prove_the_address_sees_nothing(login):
    mail = take_in(make_mail("zoe@example.org"))
    mallory = make_user("Mallory")

    assert login(mallory).get(mail.ticket.get_absolute_url()).status_code == 404
    assert not Ticket.objects.visible_to(mail.person).exists()
    assert not mail.person.has_usable_password()


def test_an_answer_to_the_receipt_finds_its_ticket():
    """D0-22: what we mail carries an address and a Message-ID of ours."""
    mail = take_in(make_mail("zoe@example.org"))
    (receipt,) = receipts()

    by_id = take_in(
        make_mail("zoe@example.org", body="A", In_Reply_To=receipt.message()["Message-ID"])
    )
    by_address = take_in(make_mail("zoe@example.org", body="B", To=receipt.reply_to[0]))

    assert {by_id.ticket, by_address.ticket} == {mail.ticket}


@pytest.mark.plan("SEC-A5")
def test_a_mail_about_a_note_takes_no_answer(ticket, ada, bob):
    follow(ticket, by=ada)
    post_note(ticket, by=bob, body="A VIP.")
    outbox.drain()

    (note,) = [each for each in django_mail.outbox if "A VIP." in each.body]
    assert note.reply_to == []
    assert facts.named_in_message_id(note.extra_headers["Message-ID"]) is None

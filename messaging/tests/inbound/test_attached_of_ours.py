"""Our own mails, attached by programs that attach what they answer."""

from email import message_from_bytes
from email.policy import default

import pytest

from messaging.actions import post_note
from messaging.models import Fate
from tickets.mail_addresses import new_message_id, reply_address
from tickets.models import Attachment

from .mails import answer_to, make_mail, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-A5"), pytest.mark.plan("SEC-D4")]

NOTE = "CANARY do not tell Alice"


@pytest.fixture(autouse=True)
def address_of_ours(settings):
    settings.REPLY_ADDRESS = "care@example.net"


@pytest.fixture
def note(ticket, bob, ada, mailoutbox):
    """The mail in which Bob hears of Ada's note: with nothing in it that names him."""
    post_note(ticket, by=ada, body=NOTE)
    return make_mail("care@example.net", "A note", NOTE, Message_ID="<1@example.net>").as_bytes()


def kept() -> list[str]:
    return list(Attachment.objects.exclude(event=None).values_list("name", flat=True))


def attach(answer, content: bytes, name="ours.eml", kind="message/rfc822"):
    if kind == "message/rfc822":
        answer.add_attachment(message_from_bytes(content, policy=default), filename=name)
    else:
        main, sub = kind.split("/")
        answer.add_attachment(content, main, sub, filename=name)
    return answer


@pytest.mark.parametrize(
    ("name", "kind"),
    [("note.eml", "message/rfc822"), ("Note.MSG", "application/vnd.ms-outlook")],
)
def test_no_mail_that_an_agent_attaches_is_passed_on(ticket, bob, note, name, kind):
    mail = take_in(attach(answer_to(ticket, bob, body="We send a new one."), note, name, kind))

    assert (mail.fate, kept()) == (Fate.APPENDED, [])
    assert mail.event.text.startswith("We send a new one.\n\n1 file of this mail was not kept:\n")
    assert "mails that staff attach are not passed on" in mail.event.text
    assert "CANARY" not in mail.event.text


def test_other_files_of_an_agent_are(ticket, bob):
    answer = attach(answer_to(ticket, bob), b"A;B", "offer.csv", "text/csv")

    assert take_in(answer).fate == Fate.APPENDED
    assert kept() == ["offer.csv"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("named", [reply_address, new_message_id])
def test_nobody_hands_on_an_address_to_write_with_as_themselves(ticket, alice, named, encoding):
    ours = f"Reply-To: {named(ticket, alice)}\r\n\r\nHello".encode(encoding)

    mail = take_in(attach(answer_to(ticket, alice), ours, "theirs.msg", "application/octet-stream"))

    assert (mail.fate, kept()) == (Fate.APPENDED, [])
    assert "it is a mail of ours, made for its recipient alone" in mail.event.text


def test_other_mails_of_a_customer_are_passed_on(ticket, alice):
    shop = make_mail("shop@example.com", "Your order", "We repair nothing.").as_bytes()

    take_in(attach(answer_to(ticket, alice), shop, "shop.eml"))

    assert kept() == ["shop.eml"]


def test_nor_does_who_quotes_to_whom_they_wrote(ticket, alice):
    address = reply_address(ticket, alice)
    body = f"Still cold.\n\nOn Friday I wrote to {address.upper()}:\n> To: {address}\n> Cold.\n"

    line = take_in(answer_to(ticket, alice, body=body)).event

    signature = address.partition("-")[2].partition("@")[0]
    assert signature not in line.text.lower()
    assert (line.new_words, line.text.count("x" * len(signature))) == ("Still cold.", 2)


def test_words_that_are_too_many_are_kept_with_what_they_quote(ticket, alice, settings):
    quoted = f"> From: {reply_address(ticket, alice)}\n"
    body = "cold " * (settings.MAX_TEXT_LENGTH // 5 + 1) + "\n\n" + quoted

    take_in(answer_to(ticket, alice, body=body))

    assert kept() == ["whole-mail.txt"]

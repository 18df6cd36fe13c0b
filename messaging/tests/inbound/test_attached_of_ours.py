"""Our own mails, attached by programs that attach what they answer."""

import re
from email import message_from_bytes
from email.policy import default
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings

from messaging.actions import post_message, post_note
from messaging.models import Fate
from notifications.mail import outbox
from notifications.mail.composing import compose
from notifications.models import OutgoingMail
from tickets.actions import change_status
from tickets.mail_addresses import disarmed, new_message_id, reply_address
from tickets.models import Attachment
from tickets.workflow import ResolutionKind, Status

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


def in_a_link(ticket, alice):
    """As Gmail writes above what it quotes."""
    return f"mailto:{quote(reply_address(ticket, alice), safe='')}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("named", [reply_address, new_message_id, in_a_link])
def test_nobody_hands_on_an_address_to_write_with_as_themselves(ticket, alice, named, encoding):
    ours = f"Reply-To: {named(ticket, alice)}\r\n\r\nHello".encode(encoding)

    mail = take_in(attach(answer_to(ticket, alice), ours, "theirs.msg", "application/octet-stream"))

    assert (mail.fate, kept()) == (Fate.APPENDED, [])
    assert "it is a mail of ours, made for its recipient alone" in mail.event.text


@pytest.mark.parametrize(("count", "is_kept"), [(100, True), (101, False)])
def test_so_much_that_looks_like_an_address_is_not_tried_to_the_end(ticket, alice, count, is_kept):
    """SEC-P11: each try is some work, which the sender would choose."""
    log = "\n".join(f"t{number}u1-{'a' * 26}" for number in range(count)).encode()

    take_in(attach(answer_to(ticket, alice), log * 2, "a.txt", "text/plain"))

    assert kept() == ["a.txt"] * is_kept


def test_other_mails_of_a_customer_are_passed_on(ticket, alice):
    shop = make_mail("shop@example.com", "Your order", "We repair nothing.").as_bytes()

    take_in(attach(answer_to(ticket, alice), shop, "shop.eml"))

    assert kept() == ["shop.eml"]


def test_nor_does_who_quotes_to_whom_they_wrote(ticket, alice):
    address = reply_address(ticket, alice)
    link = in_a_link(ticket, alice)
    body = f"Cold.\n\nOn Friday I wrote to {address.upper()} <{link}>:\n> To: {address}\n> Cold.\n"

    line = take_in(answer_to(ticket, alice, body=body)).event

    signature = address.partition("-")[2].partition("@")[0]
    assert signature not in line.text.lower()
    assert (line.new_words, line.text.count("x" * len(signature))) == ("Cold.", 3)


@pytest.mark.django_db(transaction=True)
def test_links_that_open_without_a_password_stay_theirs(ticket, alice, bob, client):
    """Bob would rate himself by hers, and whoever takes part would stop her mails."""
    post_message(ticket, by=bob, body="It was the fuse.")
    change_status(
        ticket, Status.RESOLVED, by=bob, text="A new fuse.", resolution=ResolutionKind.REPLACED
    )
    outbox.drain()
    mails = "\n".join(compose(mail).body for mail in OutgoingMail.objects.filter(recipient=alice))
    links = set(re.findall(r"http://\S+(?:/rate/|/stop-mails/)\S+", mails))
    assert {urlsplit(link).path.split("/")[1] for link in links} == {"rate", "stop-mails"}
    assert {client.get(link).status_code for link in links} == {200}
    quoted = "".join(f"> {line}\n" for line in mails.split("\n"))

    line = take_in(answer_to(ticket, alice, body=f"Thanks.\n\nOn Sat, Bob wrote:\n{quoted}")).event

    assert f"{settings.SITE_URL}{ticket.get_absolute_url()}" in line.text
    for link in links:
        proof = link.rstrip("/").rpartition(":")[2]
        assert proof not in line.text
        assert link.replace(proof, "x" * len(proof)) in line.text


@pytest.mark.parametrize(
    ("link", "is_ours"),
    [
        ("https://safe.example.com/?url={here}/rate/{proof}/&data=05", True),
        (
            "https://safe.example.com/?url=https%3A%2F%2Fcare.example%2Frate%2FWzE:1:{proof}%2F",
            True,
        ),
        ("{here}/account/invitation/{proof}/", True),
        ("{here}/account/confirm-email/0b2c.{proof}/", True),
        ("{here}/account/confirm-email/0b2c.{proof}0/", False),
        ("https://shop.example.com/returns/{proof}/", False),
    ],
)
def test_only_links_of_ours_are_crossed_out(settings, link, is_ours):
    settings.SITE_URL, proof = "https://care.example", "Ab-_" * 10 + "xyz"
    text = f"See {link.format(here=settings.SITE_URL, proof=proof)}, please: {proof}."

    crossed_out = disarmed(text)

    assert len(crossed_out) == len(text)
    assert crossed_out.count(proof) == (1 if is_ours else 2)
    assert crossed_out.count("x" * 43) == is_ours


def test_words_that_are_too_many_are_kept_with_what_they_quote(ticket, alice, settings):
    quoted = f"> From: {reply_address(ticket, alice)}\n"
    body = "cold " * (settings.MAX_TEXT_LENGTH // 5 + 1) + "\n\n" + quoted

    take_in(answer_to(ticket, alice, body=body))

    assert kept() == ["whole-mail.txt"]

"""Mails for tests, and taking them in."""

import atexit
from email.message import EmailMessage
from email.utils import make_msgid

from messaging.inbound import ledger
from messaging.inbound.sandbox import Reader
from messaging.models import InboundMail
from tickets.mail_addresses import new_message_id, reply_address

READER = Reader()  # kept for all tests of a process, as starting one takes a while
atexit.register(READER.__exit__)


def make_mail(
    sender="Alice <alice@example.org>", subject="My kettle", body="It stays cold.", **more
):
    """``more`` are headers, with _ for -; one that is None is left out."""
    mail = EmailMessage()
    headers = {
        "From": sender,
        "To": "care@example.net",
        "Subject": subject,
        "Message-ID": make_msgid(domain="example.org"),
        "Date": "Sat, 21 Nov 2026 10:00:00 +0000",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    for name, value in headers.items():
        if value is not None:
            mail[name] = value
    if body is not None:
        mail.set_content(body)
    return mail


def answer_to(ticket, person, sender=None, by="In-Reply-To", body="Still cold.", **more):
    """``person`` answers a mail of ours about ``ticket``, from ``sender`` if that is another."""
    if by == "To":
        named = {"To": reply_address(ticket, person)}
    else:
        named = {by: new_message_id(ticket, person)}
    sender = sender or f"{person.first_name} <{person.email}>"
    return make_mail(sender, f"Re: [{ticket.reference}]", body, **named, **more)


def take_in(mail, reader=READER, **how) -> InboundMail:
    """As a server would hand it over."""
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    taken = ledger.store(raw, **{"source": "pipe", **how})
    ledger.process(taken, reader)
    return taken


def make_mail_bytes(mail):
    with mail.raw.open("rb") as file:
        return file.read()

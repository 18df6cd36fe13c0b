"""Mails for tests, and taking them in."""

import atexit
from email.message import EmailMessage
from email.utils import make_msgid

from messaging.inbound import ledger
from messaging.inbound.sandbox import Reader
from messaging.models import InboundMail

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


def take_in(mail, reader=READER, **how) -> InboundMail:
    """As a server would hand it over."""
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    taken = ledger.store(raw, **{"source": "pipe", **how})
    ledger.process(taken, reader)
    return taken

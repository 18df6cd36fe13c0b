from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from messaging.inbound import imap
from messaging.models import Mailbox

from .mailboxes import SECRET
from .servers import PASSWORD, Dovecot


@pytest.fixture
def mailbox(db):
    return Mailbox.objects.create(
        name="Care", host="127.0.0.1", port=9, security="none", username="care", secret=SECRET
    )


@pytest.fixture(scope="module")
def dovecot():
    with TemporaryDirectory() as folder, Dovecot(Path(folder)) as server:
        yield server


@pytest.fixture
def server(dovecot):
    with dovecot.client() as client:
        for folder in ("INBOX", "Done"):
            if int(client.select(folder)[1][0]):
                client.store("1:*", "+FLAGS", "\\Deleted")
                client.expunge()
    return dovecot


@pytest.fixture
def polled(mailbox, server, kettles):
    """A mailbox on a real server."""
    mailbox.port, mailbox.secret = server.port, PASSWORD
    mailbox.save()
    return mailbox


@pytest.fixture
def meanwhile(monkeypatch):
    """``meanwhile(2, verb)``: what happens while the first, second … mail is fetched."""

    def during(number, verb):
        fetch, numbers = imap._part_of, []

        def part_of(box, uid, part):
            numbers.append(uid)
            if len(numbers) == number:
                verb(box, uid)
            return fetch(box, uid, part)

        monkeypatch.setattr(imap, "_part_of", part_of)

    return during

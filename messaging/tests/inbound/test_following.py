"""Mailboxes watched all the time, and what breaks off meanwhile."""

import socket
import threading
import time

import pytest
from django.db import InterfaceError, OperationalError
from imap_tools import MailBoxUnencrypted

from messaging.inbound import following
from messaging.inbound.connecting import TROUBLE
from messaging.models import Mailbox


def answer_until_idle(listener):
    """An IMAP server whose connection is gone as soon as somebody listens, without a word."""
    connection, _address = listener.accept()
    with connection, connection.makefile("rwb", buffering=0) as line:
        line.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] Ready\r\n")
        while words := line.readline().split():
            if words[1] == b"IDLE":
                line.write(b"+ idling\r\n")
                return
            line.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + words[0] + b" OK Done\r\n")


@pytest.fixture
def lost():
    """Signed in on such a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer_until_idle, args=(listener,))
        server.start()
        box = MailBoxUnencrypted(*listener.getsockname(), timeout=10)
        yield box.login("care", "three small words", initial_folder=None)
        box.client.shutdown()
        server.join(10)


def test_a_lost_connection_is_noticed_and_costs_nothing(lost, monkeypatch):
    """The library says of it only that nothing came, as often as it is asked."""
    monkeypatch.setattr(following, "IDLE", 3)
    began_at, used = time.monotonic(), time.process_time()

    with pytest.raises(TROUBLE):
        following._wait(lost, threading.Event())

    assert time.monotonic() - began_at < 2
    assert time.process_time() - used < 1


class ThreeTimes:
    """An event that happens the third time it is waited for, at once."""

    def __init__(self):
        self.left = 3

    def is_set(self):
        return not self.left

    def wait(self, seconds):
        assert seconds == following.PAUSE
        self.left -= 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", [OperationalError, InterfaceError])
def test_a_database_that_is_away_ends_nothing(monkeypatch, caplog, trouble):
    asked = []

    def stumble(**conditions):
        asked.append(conditions)
        raise trouble("the database system is starting up")

    monkeypatch.setattr(Mailbox.objects, "filter", stumble)

    following.follow_all(ThreeTimes())

    assert len(asked) == len(caplog.messages) == 3
    assert "the database system is starting up" in caplog.messages[0]

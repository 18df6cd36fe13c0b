"""Mailboxes watched all the time, and what breaks off meanwhile."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from imap_tools import MailBoxUnencrypted

from messaging.inbound import following, imap
from messaging.inbound.connecting import TROUBLE
from messaging.models import Mailbox

LISTENING = b"+ idling\r\n"
NEW_MAIL = b"* 2 EXISTS\r\n"


def serve(listener, at_idle):
    """An IMAP server that answers IDLE by ``at_idle``; with no more to come its connection is gone
    without a word."""
    connection, _address = listener.accept()
    with connection, connection.makefile("rwb", buffering=0) as line:
        line.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] Ready\r\n")
        while words := line.readline().split():
            if words[1:] == [b"IDLE"]:
                tag = words[0]
                line.write(at_idle)
                if at_idle == LISTENING:
                    return
            elif words == [b"DONE"]:
                line.write(tag + b" OK Done\r\n")
            else:
                line.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + words[0] + b" OK Done\r\n")


@contextmanager
def signed_in(at_idle):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener, at_idle))
        server.start()
        box = MailBoxUnencrypted(*listener.getsockname(), timeout=10)
        yield box.login("care", "three small words", initial_folder=None)
        box.client.shutdown()
        server.join(10)


def test_a_lost_connection_is_noticed_and_costs_nothing(monkeypatch):
    """The library says of it only that nothing came, as often as it is asked."""
    monkeypatch.setattr(following, "IDLE", 3)

    with signed_in(LISTENING) as box:
        began_at, used = time.monotonic(), time.process_time()
        with pytest.raises(TROUBLE):
            following._wait(box, threading.Event())

    assert time.monotonic() - began_at < 2
    assert time.process_time() - used < 1


@pytest.mark.parametrize("at_idle", [LISTENING + NEW_MAIL, NEW_MAIL + LISTENING])
def test_a_mail_that_comes_while_we_begin_to_listen_is_heard_of(at_idle):
    """It is told in one piece with the answer to IDLE, or before it."""
    with signed_in(at_idle) as box:
        began_at = time.monotonic()
        following._wait(box, threading.Event())

    assert time.monotonic() - began_at < following.LOOK_UP


class Told:
    """What a mailbox on its server told of among its answers."""

    def __init__(self, *told):
        self.client = self
        self.told = list(told)

    def response(self, name):
        return name, [self.told.pop(0)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "fetched", "is_all"),
    [(None, 0, True), (None, 2, True), (b"3", 2, False), (None, None, False)],
)
def test_nobody_listens_before_all_is_fetched(monkeypatch, told, fetched, is_all):
    """What was told while we asked is not told again, and somebody else may have missed it."""
    monkeypatch.setattr(imap, "fetch", lambda mailbox, box: fetched)

    assert following._is_all_fetched(None, Told(b"2", told)) is is_all


@pytest.mark.django_db
def test_who_comes_second_is_told_that_somebody_fetches():
    mailbox = Mailbox.objects.create(
        name="Care", host="127.0.0.1", leased_until=timezone.now() + timedelta(minutes=1)
    )

    assert imap.fetch(mailbox, None) is None


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

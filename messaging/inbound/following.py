"""Mailboxes watched all the time: by IDLE where the server offers it, else asked every minute."""

import logging
import threading
import time

from django.db import InterfaceError, OperationalError, close_old_connections, connections
from imap_tools.errors import MailboxTaggedResponseError

from messaging.models import Mailbox

from . import imap, ledger
from .connecting import TIMEOUT, opened

logger = logging.getLogger(__name__)

PAUSE = 60  # seconds
IDLE = 240  # seconds, after which many servers and routers forget a silent connection
LOOK_UP = 2  # seconds, to see whether to stop


def follow_all(stop: threading.Event) -> None:
    """Until ``stop``. Mailboxes that are added meanwhile are followed too."""
    threads = {}
    while not stop.is_set():
        close_old_connections()
        try:
            _follow_each(threads, stop)
        except (OperationalError, InterfaceError) as error:  # the database is away, for a while
            logger.warning("The mailboxes can't be looked up: %s", error)
        stop.wait(PAUSE)
    for thread in threads.values():
        thread.join(TIMEOUT)
    connections.close_all()


def _follow_each(threads, stop):
    """Also anew, where something ended a thread."""
    for pk in Mailbox.objects.filter(is_active=True).values_list("pk", flat=True):
        if pk not in threads or not threads[pk].is_alive():
            threads[pk] = threading.Thread(target=_follow, args=(pk, stop), daemon=True)
            threads[pk].start()


def _follow(pk, stop):
    try:
        while not stop.is_set():
            mailbox = Mailbox.objects.filter(pk=pk, is_active=True).first()
            if mailbox is None:
                return
            with imap.noting_trouble(mailbox), opened(mailbox) as box:
                while not stop.is_set() and Mailbox.objects.filter(pk=pk, is_active=True).exists():
                    if _is_all_fetched(mailbox, box):
                        _wait(box, stop)
                    else:
                        stop.wait(LOOK_UP)
                    close_old_connections()
            stop.wait(PAUSE)
            close_old_connections()
    finally:
        connections.close_all()


def _is_all_fetched(mailbox, box) -> bool:
    """Now. Not while somebody else fetches, whom a mail may have escaped, nor if the server told of
    one among its answers: of that it says no more."""
    box.client.response("EXISTS")  # what it told before
    is_ours = imap.fetch(mailbox, box) is not None
    ledger.process_waiting()
    _name, told = box.client.response("EXISTS")
    return is_ours and told == [None]


def _wait(box, stop):
    if "IDLE" not in box.client.capabilities:
        stop.wait(PAUSE)
        return
    until = time.monotonic() + IDLE
    try:
        box.idle.start()
        while not stop.is_set() and time.monotonic() < until and _is_quiet(box):
            pass
    except MailboxTaggedResponseError:  # it told of a mail before it listened
        pass
    box.idle.stop()


def _is_quiet(box) -> bool:
    """Not if the connection is lost: then nothing comes either, but at once, and what we say next
    will fail."""
    since = time.monotonic()
    return (
        not _is_told_already(box)
        and not box.idle.poll(timeout=LOOK_UP)
        and time.monotonic() - since > LOOK_UP / 2
    )


def _is_told_already(box) -> bool:
    """What came in one piece with the server's answer to IDLE, and waits where the library does not
    look: it asks the socket only."""
    socket = box.client.sock
    patience = socket.gettimeout()
    socket.settimeout(0)
    try:
        return bool(box.client.file.peek(1))
    except OSError:  # nothing; a socket with TLS says so by an error
        return False
    finally:
        socket.settimeout(patience)

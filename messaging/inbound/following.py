"""Mailboxes watched all the time: by IDLE where the server offers it, else asked every minute."""

import logging
import threading
import time

from django.db import InterfaceError, OperationalError, close_old_connections, connections

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
                    imap.fetch(mailbox, box)
                    ledger.process_waiting()
                    _wait(box, stop)
                    close_old_connections()
            stop.wait(PAUSE)
            close_old_connections()
    finally:
        connections.close_all()


def _wait(box, stop):
    if "IDLE" not in box.client.capabilities:
        stop.wait(PAUSE)
        return
    until = time.monotonic() + IDLE
    box.idle.start()
    while not stop.is_set() and time.monotonic() < until and _is_quiet(box):
        pass
    box.idle.stop()


def _is_quiet(box) -> bool:
    """Not if the connection is lost: then nothing comes either, but at once, and what we say next
    will fail."""
    since = time.monotonic()
    return not box.idle.poll(timeout=LOOK_UP) and time.monotonic() - since > LOOK_UP / 2

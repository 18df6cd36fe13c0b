"""Mails are read in a child process, kept for many mails and begun anew when one breaks it."""

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict

from django.conf import settings

from .child import LENGTH
from .parsed import Limits, Parsed, Unreadable

GRACE_SECONDS = 10  # beyond its time on the processor, as it may have to wait for one


class Reader:
    """``with Reader() as reader: reader.read(raw)``. One mail at a time."""

    def __init__(self):
        self.limits = Limits(**settings.MAIL_LIMITS)
        self._child = None

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._end()

    def read(self, raw: bytes) -> Parsed:
        """Raises Unreadable; the next mail is read all the same."""
        child = self._start()
        try:
            child.stdin.write(LENGTH.pack(len(raw)) + raw)
            child.stdin.flush()
            until = time.monotonic() + self.limits.cpu_seconds + GRACE_SECONDS
            length = LENGTH.unpack(self._receive(LENGTH.size, until))[0]
            answer = json.loads(self._receive(length, until))
        except (OSError, EOFError) as error:
            self._end()
            seconds = self.limits.cpu_seconds
            raise Unreadable(f"Reading it takes longer than {seconds} seconds.") from error
        if "refused" in answer:
            self._end()  # who knows in which state it is
            raise Unreadable(answer["refused"])
        return Parsed.from_json(answer["parsed"])

    def _start(self):
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [
                    sys.executable, "-m", "messaging.inbound.child",
                    json.dumps(asdict(self.limits)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=settings.BASE_DIR,
                env={"LANG": "C.UTF-8"},  # none of our secrets
            )  # fmt: skip
        return self._child

    def _receive(self, length, until) -> bytes:
        """So many bytes. Raises EOFError when the child died, TimeoutError in the end."""
        pieces = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while length:
                if not selector.select(max(until - time.monotonic(), 0)):
                    raise TimeoutError
                piece = os.read(self._child.stdout.fileno(), min(length, 1 << 20))
                if not piece:
                    raise EOFError
                pieces.append(piece)
                length -= len(piece)
        return b"".join(pieces)

    def _end(self):
        child, self._child = self._child, None
        if child:
            child.kill()
            child.communicate()

"""Mails are read in a child process, kept for many mails and begun anew when one breaks it."""

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import asdict

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .child import LENGTH
from .parsed import Limits, Parsed, Unreadable

logger = logging.getLogger(__name__)

START_SECONDS = 30
GRACE_SECONDS = 10  # beyond its time on the processor, as it may have to wait for one
# The sender of the mail reads them too.
REFUSALS = {
    "levels": _("Mails or files packed into one another, more than %(levels)s deep."),
    "parts": _("More than %(parts)s parts."),
    "memory_bytes": _("Reading it needs too much memory."),
    "cpu_seconds": _("Reading it takes longer than %(cpu_seconds)s seconds."),
}
ERROR = _("Our program made a mistake when it read this mail.")


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
        """Raises Unreadable; the next mail is read all the same. Raises OSError if the child does
        not even start, which is nothing that ``raw`` could do."""
        if self._child is None:
            self._start()
        try:
            answer = self._ask(raw, self.limits.cpu_seconds + GRACE_SECONDS)
        except TimeoutError as error:
            self._end()
            raise Unreadable(self._in_words("cpu_seconds")) from error
        except (OSError, EOFError) as error:
            code = self._end()
            is_late = code == -signal.SIGXCPU
            refused = "cpu_seconds" if is_late else f"it ended its reader, with {code}"
            raise Unreadable(self._in_words(refused)) from error
        if "refused" in answer:
            self._end()  # who knows in which state it is
            raise Unreadable(self._in_words(answer["refused"]))
        return Parsed.from_json(answer["parsed"])

    def _in_words(self, refused) -> str:
        if refused not in REFUSALS:
            logger.error("A mail can't be read: %s", refused)
        return REFUSALS.get(refused, ERROR) % asdict(self.limits)

    def _start(self):
        """A child that has read an empty mail: what ends it from now on is what it reads."""
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
        try:
            self._ask(b"", START_SECONDS)
        except (OSError, EOFError) as error:
            code = self._end()
            raise ChildProcessError(f"What reads mails does not start: {code}") from error

    def _ask(self, raw, seconds) -> dict:
        """Raises EOFError or OSError when the child died, TimeoutError after so many seconds."""
        until = time.monotonic() + seconds
        self._child.stdin.write(LENGTH.pack(len(raw)) + raw)
        self._child.stdin.flush()
        length = LENGTH.unpack(self._receive(LENGTH.size, until))[0]
        return json.loads(self._receive(length, until))

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

    def _end(self) -> int | None:
        """Says how it ended: as ``Popen.returncode`` does."""
        child, self._child = self._child, None
        if child is None:
            return None
        child.kill()
        child.communicate()
        return child.returncode

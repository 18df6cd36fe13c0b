"""Child processes that live and end together."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from django.conf import settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 8
REVIVALS = 5  # within REVIVED_WITHIN: what dies more often than that is broken
REVIVED_WITHIN = 300  # seconds


class Processes:
    """Runs Python modules until one of them ends or a signal asks to stop; then stops them all.
    One that may be revived is started again first.

    Each is the leader of a process group of its own: Ctrl-C in the terminal reaches only us, so
    we decide the order, and what a child started itself (the worker's clock) goes with it.
    """

    def __init__(self, tell):
        self.tell = tell
        self.children = {}
        self.revivable = {}  # name: its arguments, and when it was started again
        self.asked_to_stop = False
        self.failure = ""

    def __enter__(self):
        # From here on signals only set a flag: an exception between the start of a child and
        # its entry in our list would leave it behind.
        for number in STOP_SIGNALS:
            signal.signal(number, self.ask_to_stop)
        return self

    def ask_to_stop(self, *args):
        self.asked_to_stop = True

    def start(self, name, arguments, *, may_be_revived=False):
        if not self.is_over():
            self._run(name, arguments)
            if may_be_revived:
                self.revivable[name] = (arguments, [])

    def _run(self, name, arguments):
        self.children[name] = subprocess.Popen(  # noqa: S603 -- our own words only
            [sys.executable, "-m", *arguments], cwd=settings.BASE_DIR, start_new_session=True
        )

    def is_over(self) -> bool:
        """A signal came, or a child ended though nobody asked: then ``failure`` says which."""
        for name, child in list(self.children.items()):
            if not self.asked_to_stop and child.poll() is not None:
                words = f"The {name} ended by itself with exit code {child.returncode}."
                if not self._revive(name, child, words):
                    self.failure = words
        return self.asked_to_stop or bool(self.failure)

    def _revive(self, name, child, words) -> bool:
        arguments, deaths = self.revivable.get(name, ((), None))
        now = time.monotonic()
        if deaths is None or sum(now - at < REVIVED_WITHIN for at in deaths) >= REVIVALS:
            return False
        deaths.append(now)
        self.tell(f"{words} It is started again.")
        signal_group(child, signal.SIGKILL)  # what it had started itself
        self._run(name, arguments)
        return True

    def __exit__(self, *args):
        for child in self.children.values():
            signal_group(child, signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0, until - time.monotonic()))
        for child in self.children.values():
            signal_group(child, signal.SIGKILL)  # whatever of its group is left
            child.wait()


def signal_group(leader, number):
    # Gone already; macOS says "not permitted" of a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, number)

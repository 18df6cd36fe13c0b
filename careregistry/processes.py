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


class Processes:
    """Runs Python modules until one of them ends or a signal asks to stop; then stops them all.

    Each is the leader of a process group of its own: Ctrl-C in the terminal reaches only us, so
    we decide the order, and what a child started itself (the worker's clock) goes with it.
    """

    def __init__(self):
        self.children = {}
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

    def start(self, name, arguments):
        if not self.is_over():
            self.children[name] = subprocess.Popen(  # noqa: S603 -- our own words only
                [sys.executable, "-m", *arguments], cwd=settings.BASE_DIR, start_new_session=True
            )

    def is_over(self) -> bool:
        """A signal came, or a child ended though nobody asked: then ``failure`` says which."""
        for name, child in self.children.items():
            if not self.asked_to_stop and child.poll() is not None:
                self.failure = f"The {name} ended by itself with exit code {child.returncode}."
        return self.asked_to_stop or bool(self.failure)

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

"""Output that goes into a pipe, as in ``manage.py outbox list | head``."""

import os
import select
import signal
import sys
from contextlib import contextmanager


@contextmanager
def survives_closed_pipe():
    """Whoever reads may stop: then the program ends quietly, as shells expect it. Where nobody
    reads from the start, as after ``>&-``, it ends as it would otherwise.

    ``manage.py`` does all its commands in this, so none of them has to think of it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 -- until Python ends
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _is_closed(sys.stdout):  # it was another pipe
            raise
        # What is left would be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def _is_closed(pipe) -> bool:
    """Whether nobody reads it any more: that is told of each, whatever is asked."""
    ends = select.poll()
    ends.register(pipe, 0)
    return bool(ends.poll(0))

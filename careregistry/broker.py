"""Bells as files, for installations without Redis.

The engine's own way opens a bell before it has written it: a worker that looks in between reads
nothing, and dies of it. Here a bell is written whole before it has its name, and one that can't
be read is put aside: the rows it speaks of are found by the next sweep.
"""

import logging
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue, payload, **kwargs):
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}"
        unfinished = Path(self.data_folder_out, f"{name}.new")  # nobody looks for these
        try:
            unfinished.write_text(dumps(payload))
        except OSError:  # a full disk: nobody else would ever take it away
            unfinished.unlink(missing_ok=True)
            raise
        unfinished.rename(unfinished.with_suffix(".msg"))

    def _get(self, queue):
        try:
            return super()._get(queue)
        except ValueError as problem:
            log.warning("A bell could not be read: %s", problem)
            raise Empty from problem


class Transport(filesystem.Transport):
    Channel = Channel

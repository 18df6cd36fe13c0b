"""Named places that fail on demand, so that tests can stop a process exactly there.

``FAULT_POINTS="after_smtp_accept:exit"`` in the environment; ``after_smtp_accept@5:exit`` means
the fifth time. Effects: ``exit`` (like kill -9), ``raise``, ``wait=3`` (seconds). Several are
separated by commas. Without ``settings.FAULT_POINTS`` nothing of this exists.
"""

import os
import signal
import time
from collections import Counter

from django.conf import settings

_passed = Counter()


class FaultInjected(Exception):
    """The named place was asked to fail."""


def fault(point: str) -> None:
    if not settings.FAULT_POINTS:
        return
    _passed[point] += 1
    for order in os.environ.get("FAULT_POINTS", "").split(","):
        place, _, effect = order.partition(":")
        name, _, turn = place.partition("@")
        if name == point and int(turn or _passed[point]) == _passed[point]:
            _fail(point, effect)


def _fail(point, effect):
    if effect == "exit":
        os.kill(os.getpid(), signal.SIGKILL)
    if effect == "raise":
        raise FaultInjected(point)
    if effect.startswith("wait="):
        time.sleep(float(effect.removeprefix("wait=")))

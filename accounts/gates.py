"""What somebody has to do before anything else. Until then every other page leads there.

Approval is no gate to go through by oneself: see ``middleware``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Gate:
    """``is_shut`` is asked at each page, so it costs no query: what it needs is on the user or
    in the session. ``page`` and ``open_to`` are names of addresses."""

    is_shut: Callable[[HttpRequest], bool]
    page: str
    open_to: frozenset[str] = frozenset({"account_logout"})


# In the order people meet them.
GATES: list[Gate] = []

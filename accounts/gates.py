"""What somebody has to do before anything else. Until then every other page leads there.

Approval is no gate to go through by oneself: see ``middleware``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from . import consents, factors


@dataclass(frozen=True)
class Gate:
    """``is_shut`` is asked at each page, so it costs no query: what it needs is on the user or
    in the session. ``page`` and ``open_to`` are names of addresses."""

    is_shut: Callable[[HttpRequest], bool]
    page: str
    open_to: frozenset[str] = frozenset({"account_logout"})


# Whoever does not agree to what is new may take their data along, and leave.
LEAVING = frozenset({"account_logout", "account_privacy", "account_export", "account_delete"})

# In the order people meet them.
GATES: list[Gate] = [
    # Given a password by somebody else: they choose their own first.
    Gate(lambda request: request.user.must_change_password, "account_change_password"),
    Gate(consents.is_owed, "account_consent", open_to=LEAVING),
    # Whoever sets one up goes on to their recovery codes: it has opened by then.
    Gate(
        factors.is_owed,
        "account_second_factor",
        frozenset({"account_logout", "account_add_app", "account_add_passkey"}),
    ),
]


def first_shut(request) -> Gate | None:
    """The gate that is shut for the approved person of ``request``, which may be a socket's."""
    return next((gate for gate in GATES if gate.is_shut(request)), None)

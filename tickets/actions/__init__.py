"""Verbs that write tickets: the same for page, admin, commands and tests.

Each is one transaction: the ticket's row, its history line and what others owe because of it
are kept together or not at all.
"""

from .assigning import assign, release
from .binning import bin_ticket, restore_ticket
from .classifying import classify
from .moving import change_status, move
from .promising import move_promise
from .raising import raise_ticket, register
from .rating import rate

__all__ = [
    "assign",
    "bin_ticket",
    "change_status",
    "classify",
    "move",
    "move_promise",
    "raise_ticket",
    "rate",
    "register",
    "release",
    "restore_ticket",
]

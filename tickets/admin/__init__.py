"""Tickets in the administrator console: facts, and verbs that call ``tickets.actions``."""

from . import (  # noqa: F401 -- importing registers them
    applications,
    complaints,
    feedback,
    links,
    people,
    problems,
    records,
    rules,
    service_levels,
    ticket,
)

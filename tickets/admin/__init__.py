"""Tickets in the administrator console: facts, and verbs that call ``tickets.actions``."""

from . import applications, records, ticket  # noqa: F401 -- importing registers them

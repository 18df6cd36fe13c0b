"""Agents who leave, and who has their tickets then."""

from accounts import people
from accounts.people import Handover

from . import having


def suspend(person, by, handover=Handover.POOL):
    people.suspend(person, by=by, reason="Left us.", handover=handover)


def has(agent):
    """References, in whatever order they were given away."""
    return set(having.has(agent))

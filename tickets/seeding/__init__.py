"""Load data: tickets of any number with lawful histories, the same for the same seed."""

from .people import domain
from .run import AGENTS, SeededAlready, load

__all__ = ["AGENTS", "SeededAlready", "domain", "load"]

"""Load data: tickets of any number with lawful histories, the same for the same seed."""

from .people import domain
from .run import SeededAlready, load

__all__ = ["SeededAlready", "domain", "load"]

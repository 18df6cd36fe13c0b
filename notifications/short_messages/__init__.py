"""Pushes to browsers and SMS: what is owed of them, how it reads, and how it is sent."""

from .owing import fan_out

__all__ = ["fan_out"]

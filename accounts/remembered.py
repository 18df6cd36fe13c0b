"""What each process reads once in a while, so that no page and no ticket pays for it."""

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

FRESH = 30  # seconds until another process hears of a change in the console

T = TypeVar("T")


class Remembered(Generic[T]):
    """What ``read`` returned, for as long as it is FRESH. Whoever changes that calls ``forget``."""

    all: list["Remembered"] = []

    def __init__(self, read: Callable[[], T]):
        self._read = read
        self._until = 0.0
        self.all.append(self)

    def __call__(self) -> T:
        if self._until < monotonic():
            self._known = self._read()
            self._until = monotonic() + FRESH
        return self._known

    def forget(self) -> None:
        self._until = 0.0

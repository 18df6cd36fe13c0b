"""Is all of it well? An app that knows an answer registers the question here, in the leftmost app,
so that every app may. The console's page and ``manage.py doctor`` ask them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # nobody is hindered yet
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    level: Level
    found: str
    hint: str = ""  # how it is mended


@dataclass(frozen=True)
class Checkup:
    """``ask`` answers within seconds, whatever is broken, and costs the same however much there is
    in the registry."""

    code: str
    name: str
    ask: Callable[[], Finding]


CHECKUPS: list[Checkup] = []


def checkup(code: str, name: str):
    """Register the decorated function, which answers with a Finding."""

    def register(ask):
        CHECKUPS.append(Checkup(code, name, ask))
        return ask

    return register

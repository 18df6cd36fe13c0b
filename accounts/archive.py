"""The archive of somebody's data: ``data.json`` and the files beside it.

Everything is written as it is read, so memory stays small however much there is.
"""

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One kind of thing that is known about a person: its name in ``data.json``, its rows, and
    the files that belong to it with their names in the archive. Rows are read before files."""

    name: str
    rows: Iterable[dict]
    files: Iterable[tuple[str, File]] = ()


def write(path: Path, parts: list[Part], alive: Callable[[], None]) -> None:
    """Write the archive to ``path``. ``alive`` is called again and again on the way."""
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("data.json", "w", force_zip64=True) as entry:
            for text in _json(parts, alive):
                entry.write(text.encode())
        for part in parts:
            for name, file in part.files:
                alive()
                _add(archive, name, file)


def _json(parts, alive) -> Iterator[str]:
    yield "{"
    for part, separator in _separated(parts):
        alive()
        yield f"{separator}\n{json.dumps(part.name)}: ["
        for row, comma in _separated(part.rows):
            yield f"{comma}\n{json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)}"
        yield "]"
    yield "\n}\n"


def _separated(things):
    for position, thing in enumerate(things):
        yield thing, "," if position else ""


def _add(archive, name, file):
    try:
        source = file.open("rb")
    except FileNotFoundError:
        logger.error("A file of an export is missing in the store: %s", file.name)
        return
    with source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
        shutil.copyfileobj(source, entry, 1024 * 1024)

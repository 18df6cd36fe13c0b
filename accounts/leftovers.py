"""Files that no row knows. A row goes before its file, so a crash in between leaves some."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.core.files.storage import Storage
from django.db.models import QuerySet
from django.utils import timezone

from .models import DataExport, User
from .models.records import ExportStorage

# A file is stored before its row is kept, so a young one may only seem to have none.
SETTLED_AFTER = timedelta(days=1)
BATCH = 500


def remove_left_files() -> int:
    photos = User._meta.get_field("photo").storage
    count = remove_unknown(photos, "photos", User.objects.all(), "photo")
    return count + remove_unknown(ExportStorage(), "", DataExport.objects.all(), "file")


def remove_unknown(storage: Storage, folder: str, rows: QuerySet, column: str) -> int:
    """Remove the files below ``folder`` that are in no ``column`` of ``rows``; how many?"""
    count = 0
    settled = (name for name in _files(storage, folder) if _is_settled(storage, name))
    while names := list(islice(settled, BATCH)):
        known = rows.filter(**{f"{column}__in": names}).values_list(column, flat=True)
        for name in set(names) - set(known):
            storage.delete(name)
            count += 1
    return count


def _files(storage, folder) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}".lstrip("/") for name in files)
    for name in folders:
        yield from _files(storage, f"{folder}/{name}".lstrip("/"))


def _is_settled(storage, name) -> bool:
    return storage.get_modified_time(name) < timezone.now() - SETTLED_AFTER

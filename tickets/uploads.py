"""What a file must be to be kept, and keeping it. Each refusal is a sentence about that file."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath
from uuid import UUID, uuid5

import filetype
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User

from .models import Attachment

# Extension -> the type it is served with. What a file is, its bytes decide.
TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp4": "video/mp4",
}
# What mail brings besides and nobody can be asked about while they send it. To save, never to show.
BY_MAIL = TYPES | dict.fromkeys(
    (
        "eml", "msg", "ics", "vcf", "asc", "sig", "p7m", "p7s", "csv", "rtf", "doc", "docx",
        "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "gif", "webp", "heic", "tif", "tiff",
        "bmp", "mov", "3gp", "mp3", "m4a", "wav", "ogg", "zip", "log",
    ),
    "application/octet-stream",
)  # fmt: skip
ACCEPT = ",".join(f".{extension}" for extension in TYPES)
KINDS = gettext_lazy("JPG, PNG, PDF, TXT or MP4")

# Controls, and the marks that turn the writing direction around.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def offer() -> dict:
    """What a page that takes files tells the browser of them."""
    limit = settings.MAX_UPLOAD_BYTES
    return {"accept": ACCEPT, "max_file": {"bytes": str(limit), "megabytes": limit // 1024**2}}


def clean_name(name: str) -> str:
    """The last part of ``name``, without what could mislead a reader or a file system."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("", name).strip().lstrip(".") or "file"
    path = PurePosixPath(name)
    return path.stem[: 200 - len(path.suffix)] + path.suffix[:50]


def problem_with(file: UploadedFile, name: str, types: dict[str, str] = TYPES) -> str:
    """Why ``file`` can't be kept; empty if it can."""
    kind = _type_of(name, types)
    if kind is None and types is BY_MAIL:
        return _("%(name)s is of a kind that isn’t taken") % {"name": name}
    if kind is None or (file.size and not _is_really(file, kind)):
        return _("%(name)s must be a %(kinds)s") % {"name": name, "kinds": KINDS}
    if file.size == 0:
        return _("%(name)s is empty") % {"name": name}
    if file.size > settings.MAX_UPLOAD_BYTES:
        megabytes = settings.MAX_UPLOAD_BYTES // 1024**2
        return _("%(name)s must be smaller than %(n)s MB") % {"name": name, "n": megabytes}
    return ""


def _type_of(name, types) -> str | None:
    return types.get(PurePosixPath(name).suffix.lower().lstrip("."))


def _is_really(file, kind) -> bool:
    if kind == "application/octet-stream":  # nothing is claimed
        return True
    file.seek(0)
    start = file.read(8192)
    found = filetype.guess_mime(start)
    if kind == "text/plain":
        return found is None and b"\x00" not in start
    return found == kind


def keep(files, *, by: User, draft_key: UUID, types: dict[str, str] = TYPES) -> list[str]:
    """Keep what is fit of ``files`` under ``draft_key`` until it is sent.

    Returns the refusals. One bad file does not cost the others, and the same file again is kept
    once: a form may arrive twice.
    """
    if not files:
        return []
    sizes = list(Attachment.objects.waiting_in(draft_key, by).values_list("size", flat=True))
    problems = []
    for file in files:
        name = clean_name(file.name or "")
        if problem := problem_with(file, name, types):
            problems.append(problem)
            continue
        attachment = _attachment(file, name, by, draft_key, types)
        if Attachment.objects.filter(pk=attachment.pk).exists():
            continue
        if problem := _no_room_for(file, sizes):
            problems.append(problem)
            continue
        _store(attachment)
        sizes.append(file.size)
    return list(dict.fromkeys(problems))


def _no_room_for(file, sizes) -> str:
    if len(sizes) >= settings.MAX_UPLOADS:
        return _("You can add up to %(n)s files") % {"n": settings.MAX_UPLOADS}
    if sum(sizes) + file.size > settings.MAX_UPLOADS_BYTES:
        megabytes = settings.MAX_UPLOADS_BYTES // 1024**2
        return _("Files must be smaller than %(n)s MB together") % {"n": megabytes}
    return ""


def _attachment(file, name, by, draft_key, types) -> Attachment:
    """Not saved yet. The same file of the same person under the same key has the same id."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    sha256 = digest.hexdigest()
    return Attachment(
        pk=uuid5(draft_key, f"{by.pk}/{sha256}/{name}"),
        uploader=by,
        draft_key=draft_key,
        file=file,
        name=name,
        content_type=_type_of(name, types),
        size=file.size,
        sha256=sha256,
    )


def _store(attachment):
    try:
        with transaction.atomic():
            attachment.save(force_insert=True)
    except IntegrityError:  # the same form, at the same moment, was quicker
        attachment.file.delete(save=False)


def remove(attachment_id: UUID, *, by: User, draft_key: UUID) -> None:
    """Take a waiting file back. One that was sent, or is somebody else's, stays."""
    waiting = Attachment.objects.waiting_in(draft_key, by).filter(pk=attachment_id)
    for attachment in waiting:
        gone, _rows = waiting.delete()  # asks again: it may have been sent since it was read
        if gone:
            attachment.file.delete(save=False)

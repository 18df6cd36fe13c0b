"""Photos of people: drawn anew, so that nothing hides in what is kept."""

import io

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from .models import User

FORMATS = ("PNG", "JPEG", "WEBP")
SIDE = 256
# Drawing takes memory by the pixel and time by the scan, and few bytes can ask for many of both.
MAX_PIXELS = 25_000_000
MAX_SCANS = 100
SCAN = b"\xff\xda"  # begins one in a JPEG, and stands nowhere else in its pixels


class PhotoRefused(Exception):
    """The file is no photo to keep; the text says why, to a person."""


def draw(file: UploadedFile) -> bytes:
    """``file`` as a square WebP, the right way up, with nothing else in it. Raises PhotoRefused."""
    if file.size > settings.MAX_PHOTO_BYTES:
        megabytes = settings.MAX_PHOTO_BYTES // 1024**2
        raise PhotoRefused(_("The photo must be smaller than %(n)s MB") % {"n": megabytes})
    came = file.read()
    try:
        with Image.open(io.BytesIO(came), formats=FORMATS) as image:
            _refuse_unless_still_and_small(image, came)
            return _webp(image)
    except PhotoRefused:
        raise
    except Image.UnidentifiedImageError as wrong:
        raise PhotoRefused(_("The photo must be a PNG, JPEG or WebP picture")) from wrong
    except Image.DecompressionBombError as bomb:
        raise PhotoRefused(_too_large()) from bomb
    except Exception as wrong:  # whatever decoders stumble over in a file that is broken
        raise PhotoRefused(_("The photo can’t be read. The file is damaged")) from wrong


def _too_large() -> str:
    return _("The photo must have less than %(n)s million pixels") % {"n": MAX_PIXELS // 10**6}


def _refuse_unless_still_and_small(image, came):
    """Before anything is decoded: only the head of the file has been read."""
    # Telephones put a second, smaller picture behind the first, which is no animation.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise PhotoRefused(_("The photo must not move. Choose a still picture"))
    if image.width * image.height > MAX_PIXELS or came.count(SCAN) > MAX_SCANS:
        raise PhotoRefused(_too_large())


def _webp(image) -> bytes:
    image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded no larger than that
    image.thumbnail((8 * SIDE, 8 * SIDE))
    square = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGBA"), (SIDE, SIDE))
    # A new picture: where it was taken, and by whom, stays with the old one.
    plain = Image.new("RGB", square.size, "white")
    plain.paste(square, mask=square)
    drawn = io.BytesIO()
    plain.save(drawn, "WEBP", quality=85)
    return drawn.getvalue()


@transaction.atomic
def keep(user: User, drawn: bytes | None) -> None:
    """Give ``user`` the photo that ``draw`` made, or none. The file of the former one goes."""
    former = User.objects.select_for_update().only("photo").get(pk=user.pk).photo
    if drawn is None:
        user.photo = ""
    else:
        user.photo.save("", ContentFile(drawn), save=False)
    user.save(update_fields=["photo"])
    if former:
        transaction.on_commit(lambda: former.storage.delete(former.name), robust=True)

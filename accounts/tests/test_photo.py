"""Photos: what is taken, what is kept of it, and who sees it."""

import io
import random
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts import photos

from .factories import make_agent, make_user
from .test_profile import GOOD

pytestmark = pytest.mark.django_db

PROFILE = reverse("account_profile")
EDIT = reverse("account_edit_profile")


def picture(kind="PNG", size=(600, 400), mode="RGB", colour="teal", **more) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind, **more)
    return file.getvalue()


def upload(client, content, name="me.png", **more):
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return client.post(EDIT, GOOD | {"photo": file} | more)


def photo_of(person):
    """The kept photo as a picture, or None."""
    person.refresh_from_db()
    return Image.open(person.photo.path) if person.photo else None


def kept_files(settings):
    return [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"),
        ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("WEBP", "RGBA"),
    ],
)  # fmt: skip
def test_a_photo_is_kept_as_a_small_square(login, alice, kind, mode):
    upload(login(alice), picture(kind, mode=mode, colour=0))

    with photo_of(alice) as kept:
        assert (kept.format, kept.size) == ("WEBP", (256, 256))


def test_a_photo_stands_upright_and_tells_nothing_else(login, alice, settings):
    """A telephone says in the file how it was held, where and when."""
    image = Image.new("RGB", (400, 400), "white")
    image.paste("red", (0, 0, 400, 200))  # red is up, until the file is turned by a quarter
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    exif[0x010E] = "CANARY"
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, comment=b"CANARY")

    upload(login(alice), file.getvalue(), "me.jpg")

    alice.refresh_from_db()
    assert b"CANARY" not in (settings.MEDIA_ROOT / alice.photo.name).read_bytes()
    with photo_of(alice) as kept:
        right, left = kept.getpixel((250, 128)), kept.getpixel((5, 128))
        assert right[0] > 200 > 100 > right[1]
        assert min(left) > 200
        assert not kept.getexif()


def noise(size) -> bytes:
    return random.Random(1).randbytes(size)


def header_of_a_bomb() -> bytes:
    """A PNG of 400 million pixels in 100 bytes."""

    def chunk(kind, content):
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def animation(kind) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def with_many_scans() -> bytes:
    """Scans cost a decoder time, and next to no bytes."""
    whole = picture("JPEG", progressive=True)
    return whole[:-2] + photos.SCAN * 200 + whole[-2:]


NOT_A_PICTURE = "The photo must be a PNG, JPEG or WebP picture"
DAMAGED = "The photo can’t be read. The file is damaged"
TOO_MANY_PIXELS = "The photo must have less than 25 million pixels"
STILL = "The photo must not move. Choose a still picture"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD = {
    "20 MB": (lambda: noise(20 * 1024**2), "The photo must be smaller than 5 MB"),
    "svg": (lambda: SVG, NOT_A_PICTURE),
    "text": (lambda: b"These are words.\n" * 100, NOT_A_PICTURE),
    "noise": (lambda: noise(5000), NOT_A_PICTURE),
    "gif": (lambda: picture("GIF"), NOT_A_PICTURE),
    "tiff": (lambda: picture("TIFF"), NOT_A_PICTURE),
    "empty": (lambda: b"", "The photo is empty. Choose another file"),
    "truncated png": (lambda: picture()[:200], DAMAGED),
    "truncated jpeg": (lambda: picture("JPEG")[:700], DAMAGED),
    "truncated webp": (lambda: picture("WEBP")[:60], DAMAGED),
    "moving webp": (lambda: animation("WEBP"), STILL),
    "moving png": (lambda: animation("PNG"), STILL),
    "bomb": (header_of_a_bomb, TOO_MANY_PIXELS),
    "large": (lambda: picture(mode="1", size=(5001, 5001), colour=0), TOO_MANY_PIXELS),
    "scans": (with_many_scans, TOO_MANY_PIXELS),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_refused_beside_the_field(login, alice, settings, name):
    make, words = BAD[name]

    response = upload(login(alice), make(), first_name="Changed")

    assert response.context["form"].errors == {"photo": [words]}
    assert response.context["form"]["first_name"].value() == "Changed"  # what was typed is kept
    alice.refresh_from_db()
    assert (alice.first_name, alice.photo.name) == ("Alice", "")
    assert kept_files(settings) == []


def test_a_new_photo_takes_the_place_of_the_old_one(
    login, alice, settings, django_capture_on_commit_callbacks
):
    client = login(alice)
    upload(client, picture())
    (old,) = kept_files(settings)

    with django_capture_on_commit_callbacks(execute=True):
        upload(client, picture(colour="red"))

    (new,) = kept_files(settings)
    assert new != old


def test_an_old_photo_stays_if_the_new_one_is_not_kept_after_all(alice, settings):
    """The file goes after the commit, not before."""
    photos.keep(alice, b"old")
    (old,) = kept_files(settings)

    with transaction.atomic():
        photos.keep(alice, b"new")
        transaction.set_rollback(True)

    assert old in kept_files(settings)
    alice.refresh_from_db()
    assert alice.photo.path == str(old)


def test_a_photo_can_be_removed(login, alice, settings, django_capture_on_commit_callbacks):
    client = login(alice)
    upload(client, picture())

    with django_capture_on_commit_callbacks(execute=True):
        client.post(EDIT, GOOD | {"remove_photo": "on"})

    assert photo_of(alice) is None
    assert kept_files(settings) == []


def test_a_profile_saved_without_a_photo_keeps_the_one_there_is(login, alice):
    client = login(alice)
    upload(client, picture())

    client.post(EDIT, GOOD)

    with photo_of(alice) as kept:
        assert kept.size == (256, 256)


# --- Who sees it ----------------------------------------------------------------------


def with_photo(person):
    photos.keep(person, picture("WEBP"))
    return person


def status(client, url):
    return client.get(url).status_code


@pytest.mark.parametrize(
    ("reader", "customers", "agents"),
    [
        ("alice", 200, 200),  # her own
        ("carol", 404, 200),
        ("bob", 200, 200),
        ("ada", 200, 200),
        ("pete", 404, 404),
        (None, 302, 302),
    ],
)
@pytest.mark.plan("SEC-A6")
def test_who_sees_a_photo(client, request, alice, reader, customers, agents):
    """An agent's everybody who is let in, a customer's they and staff."""
    if reader:
        client.force_login(request.getfixturevalue(reader))

    assert status(client, with_photo(alice).photo_url) == customers
    assert status(client, with_photo(make_agent()).photo_url) == agents


def test_the_waiting_see_their_own(login, pete):
    assert status(login(pete), with_photo(pete).photo_url) == 200


def test_a_photo_is_a_picture_and_nothing_else_to_a_browser(login, alice):
    response = login(alice).get(with_photo(alice).photo_url)

    assert response.content == picture("WEBP")
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_an_address_is_not_guessed(login, alice, bob):
    """Without the key, and by that of somebody else or of a former photo, there is nothing."""
    url = with_photo(alice).photo_url
    key = url.split("/")[-2]
    client = login(bob)
    other = with_photo(make_user())

    assert len(key) == 40
    for pk, tried in [(alice.pk, "0" * 40), (other.pk, key), (alice.pk, "x"), (99999, key)]:
        assert status(client, reverse("account_photo", args=[pk, tried])) == 404
    with_photo(alice)
    assert status(client, url) == 404


def test_a_file_that_is_gone_is_not_found(login, alice):
    with_photo(alice)
    alice.photo.storage.delete(alice.photo.name)

    assert status(login(alice), alice.photo_url) == 404


def avatar_of(person):
    return Template("{% load registry %}{% avatar person %}").render(Context({"person": person}))


def test_an_avatar_shows_the_photo_over_the_initials(alice):
    assert "<img" not in avatar_of(alice)

    with_photo(alice)

    assert f'>AA<img src="{alice.photo_url}" alt=""></span>' in avatar_of(alice)


def test_photos_on_tickets_cost_no_query(login, ticket):
    """Everybody's photo comes with their name."""
    client = login(ticket.assignee)
    page = reverse("messaging:workspace_ticket", args=[ticket.reference])
    client.get(page)
    with CaptureQueriesContext(connection) as before:
        assert "<img" not in client.get(page).text
    with_photo(ticket.requester)
    with_photo(ticket.assignee)

    with CaptureQueriesContext(connection) as after:
        shown = client.get(page).text

    assert ticket.requester.photo_url in shown
    assert ticket.assignee.photo_url in shown
    assert len(after) == len(before)

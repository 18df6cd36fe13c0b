"""What a file is: its bytes decide, whatever it is called."""

import pytest

from tickets.models import Attachment

from .files import EXE, GOOD, JPG, PDF, PNG, attach, download, file, stored
from .raising import send
from .reading import problems

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"
ZIP = b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"\x00" * 64
ELF = b"\x7fELF\x02\x01\x01" + b"\x00" * 64
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


def kept():
    return list(Attachment.objects.order_by("created_at").values_list("name", flat=True))


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


@pytest.mark.plan("SEC-B7")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            (f"photo.{ending}", HTML)
            for ending in ("html", "htm", "xhtml", "jpg", "png", "pdf", "mp4")
        ),
        *((f"photo.{ending}", SVG) for ending in ("svg", "jpg", "png")),
        *((f"photo.{ending}", EXE) for ending in ("exe", "jpg", "pdf", "txt", "com")),
        *((f"photo.{ending}", ELF) for ending in ("sh", "jpg", "txt")),
        *((f"photo.{ending}", ZIP) for ending in ("zip", "docx", "jpg", "pdf", "txt", "jar")),
        *((f"photo.{ending}", GIF) for ending in ("gif", "jpg", "txt")),
        *((f"photo.{ending}", b"alert(1)") for ending in ("js", "mjs", "jpg", "png", "mp4")),
        *((f"photo.{ending}", PNG) for ending in ("jpg", "jpeg", "pdf", "txt", "mp4", "tiff", "")),
        *((f"photo.{ending}", PDF) for ending in ("png", "txt")),
        ("photo.png.exe", PNG),
        ("photo.jpg.html", JPG),
        ("photo", PNG),
        ("photo.png.", PNG),
        ("photo.p ng", PNG),
        (".png", PNG),
        ("photo.txt", b"text with \0 in it"),
        ("photo.html.jpg", HTML),
    ],
)
def test_what_a_file_is_its_bytes_decide(client_of_alice, kettles, settings, name, content):
    page = attach(client_of_alice, kettles, file(name, content), file("good.pdf", PDF), subject="")

    shown = name.lstrip(".")
    words = f"{shown} must be a JPG, PNG, PDF, TXT or MP4"
    assert problems(page)[0] == ["Enter a subject", words]
    assert words in problems(page)[1][0]
    assert kept() == ["good.pdf"]
    assert len(stored(settings)) == 1


@pytest.mark.plan("SEC-B7")
@pytest.mark.parametrize(
    ("name", "content"), [("PHOTO.PNG", PNG), ("archive.zip.png", PNG), ("page.html.txt", HTML)]
)
def test_the_last_ending_counts_and_text_is_text(client_of_alice, kettles, name, content):
    attach(client_of_alice, kettles, file(name, content))
    send(client_of_alice)

    answer = download(client_of_alice, Attachment.objects.get())
    assert answer.headers["Content-Type"] == ("image/png" if content == PNG else "text/plain")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.plan("SEC-B9")
@pytest.mark.parametrize("name", GOOD)
def test_an_empty_file_is_named_and_the_others_are_kept(client_of_alice, kettles, settings, name):
    page = attach(client_of_alice, kettles, file(name, b""), file("good.png"), subject="")

    assert problems(page)[0] == ["Enter a subject", f"{name} is empty"]
    assert kept() == ["good.png"]
    assert len(stored(settings)) == 1


@pytest.mark.plan("SEC-B9")
@pytest.mark.parametrize("content", [PNG[:8], PNG[:20], PNG.replace(b"\xb4", b"\xb5"), PNG[:-12]])
def test_a_damaged_picture_is_kept_as_it_came(client_of_alice, kettles, content):
    """Nobody opens it here, and it may still say something to a person."""
    attach(client_of_alice, kettles, file("damaged.png", content))
    send(client_of_alice)

    assert download(client_of_alice, Attachment.objects.get()).body == content

"""Small files of each kind, and the way they go up and come down."""

from django.core.files.uploadedfile import SimpleUploadedFile

from .raising import NEW, form_of

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
TXT = "Grüße, from a text file\n".encode()
GOOD = {"a.png": PNG, "a.jpg": JPG, "a.jpeg": JPG, "a.pdf": PDF, "a.mp4": MP4, "a.txt": TXT}

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 64


def file(name="kettle.png", content=PNG):
    return SimpleUploadedFile(name, content)


def sized(size, name="big.png"):
    """A picture of exactly ``size`` bytes, unlike any other of another size."""
    return file(name, PNG.ljust(size, b"\0"))


def attach(client, category, *files, **changes):
    return client.post(NEW, form_of(category, **changes) | {"attachments": files})


def download(client, attachment):
    """The answer, with its bytes as ``body``."""
    answer = client.get(attachment.get_absolute_url())
    if answer.streaming:
        answer.body = b"".join(answer.streaming_content)
    return answer


def stored(settings):
    """Every file below the media folder, whoever refers to it."""
    return sorted(path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file())

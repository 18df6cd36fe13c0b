"""What a file is called, however hostile."""

from uuid import uuid4

import pytest
from django.urls import reverse

from messaging import actions as messaging
from tickets import uploads
from tickets.models import Attachment

from .files import PNG, download, file, stored
from .raising import raise_ticket
from .reading import texts


def kept():
    return list(Attachment.objects.order_by("created_at").values_list("name", flat=True))


@pytest.fixture
def client_of_alice(login, alice):
    return login(alice)


NAMES = [
    # as sent, as shown, the header of the download
    ("../../etc/passwd.png", "passwd.png", 'attachment; filename="passwd.png"'),
    ("..\\..\\boot.png", "boot.png", 'attachment; filename="boot.png"'),
    ("/etc/cron.png", "cron.png", 'attachment; filename="cron.png"'),
    ("C:\\Users\\Alice\\kettle.png", "kettle.png", 'attachment; filename="kettle.png"'),
    ("...hidden.png", "hidden.png", 'attachment; filename="hidden.png"'),
    ("nul\0byte.png", "nulbyte.png", 'attachment; filename="nulbyte.png"'),
    (
        "a\r\nSet-Cookie: x=1.png",
        "aSet-Cookie: x=1.png",
        'attachment; filename="aSet-Cookie: x=1.png"',
    ),
    ('my "kettle".png', 'my "kettle".png', 'attachment; filename="my \\"kettle\\".png"'),
    ("it's; ok.png", "it's; ok.png", 'attachment; filename="it\'s; ok.png"'),
    ("a%2e%2e.png", "a%2e%2e.png", 'attachment; filename="a%2e%2e.png"'),
    ("<b>bold.png", "<b>bold.png", 'attachment; filename="<b>bold.png"'),
    ("x" * 300 + ".png", "x" * 196 + ".png", f'attachment; filename="{"x" * 196}.png"'),
    ("gnp\u202egpj.png", "gnpgpj.png", 'attachment; filename="gnpgpj.png"'),
    ("\u2067\u200ertl\ufeff.png", "rtl.png", 'attachment; filename="rtl.png"'),
    ("😀.png", "😀.png", "attachment; filename*=utf-8''%F0%9F%98%80.png"),
    ("Käse.png", "Käse.png", "attachment; filename*=utf-8''K%C3%A4se.png"),
    ("Ka\u0308se.png", "Käse.png", "attachment; filename*=utf-8''K%C3%A4se.png"),
    ("{{7*7}}%(x)s.png", "{{7*7}}%(x)s.png", 'attachment; filename="{{7*7}}%(x)s.png"'),
    ("CON.png", "CON.png", 'attachment; filename="CON.png"'),
    ("  spaces  .png", "spaces  .png", 'attachment; filename="spaces  .png"'),
    ("$(id).png", "$(id).png", 'attachment; filename="$(id).png"'),
]


@pytest.mark.plan("SEC-B8")
@pytest.mark.parametrize(("sent", "shown", "header"), NAMES)
def test_hostile_names(alice, ticket, login, settings, sent, shown, header):
    """Stored under another name, shown escaped, and one header line at the download."""
    draft_key = uuid4()
    # As a mail or an API would bring it: Django's own cleaning of form uploads is not relied on.
    upload = file()
    upload._name = sent
    assert uploads.keep([upload], by=alice, draft_key=draft_key) == []
    messaging.post_message(ticket, by=alice, body="", key=draft_key)
    attachment = Attachment.objects.get()

    assert attachment.name == shown
    (path,) = stored(settings)
    assert path.parent.parent == settings.MEDIA_ROOT
    assert len(path.parent.name + path.name) == 40
    assert set(path.parent.name + path.name) <= set("0123456789abcdef")
    client = login(alice)
    assert texts(client.get(ticket.get_absolute_url()), ".ccr-file__name") == [
        " ".join(shown.split())
    ]
    answer = download(client, attachment)
    assert answer.headers["Content-Disposition"] == header
    assert "Set-Cookie" not in answer.headers


@pytest.mark.plan("SEC-B8")
@pytest.mark.parametrize("sent", [sent for sent, _shown, _header in NAMES])
def test_hostile_names_by_the_form(client_of_alice, kettles, sent):
    raise_ticket(client_of_alice, kettles)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="attachments"; filename="'
        + sent.replace("\r\n", "%0D%0A").replace('"', "%22").encode()
        + b'"\r\nContent-Type: image/png\r\n\r\n'
        + PNG
        + b"\r\n--b--\r\n"
    )

    answer = client_of_alice.post(
        reverse("tickets:draft_files"), body, content_type="multipart/form-data; boundary=b"
    )

    (name,) = kept()
    assert texts(answer, ".ccr-file__name") == [" ".join(name.split())]
    assert not set(name) & set("/\\\r\n\0\u202e")


def test_stored_names_tell_nothing(alice, settings):
    for name in ("a.png", "b.png"):
        uploads.keep([file(name)], by=alice, draft_key=uuid4())

    names = {path.name for path in stored(settings)}
    assert len(names) == 2
    assert not any("png" in name or "." in name for name in names)

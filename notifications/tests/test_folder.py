"""Without a mail server every mail is a file that a person can open."""

import email
import email.policy
from pathlib import Path

import pytest
from django.core.mail import EmailMessage

from notifications.mail import outbox
from notifications.mail.backends import FolderBackend
from notifications.models import Notification, OutgoingMail
from notifications.owing import owe


@pytest.fixture
def folder(settings):
    settings.EMAIL_BACKEND = "notifications.mail.backends.FolderBackend"
    return Path(settings.MAIL_DIR)


def write(to="alice@example.org", subject="31415926 is your code", body="Héllo\n\nworld"):
    FolderBackend().send_messages([EmailMessage(subject, body, to=[to])])


def test_mail_becomes_a_readable_file(folder, alice):
    """The address, the subject and the words stand in it as they are."""
    owe(Notification.Kind.WELCOME, alice, cause="user:1")

    outbox.drain()

    (path,) = folder.glob("*.txt")
    assert " alice@example.org Your account is ready " in path.name
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    assert "\nTo: alice@example.org\nSubject: Your account is ready\n" in head
    assert "\nAuto-Submitted: auto-generated" in head
    assert "Welcome, Alice." in body
    mail = OutgoingMail.objects.get()
    assert (mail.outcome, mail.last_answer) == ("Written to a file", f"Written to {folder}")


def test_the_mail_itself_is_beside_it(folder, alice):
    """D0-22: as it would go out, for mail programs to open."""
    owe(Notification.Kind.WELCOME, alice, cause="user:1")

    outbox.drain()

    whole, words = sorted(folder.iterdir())
    assert (whole.stem, whole.suffix) == (words.stem, ".eml")
    mail = email.message_from_bytes(whole.read_bytes(), policy=email.policy.default)
    assert mail["Message-ID"] == OutgoingMail.objects.get().message_id
    assert "Welcome, Alice." in mail.get_body(["plain"]).get_content()
    assert "Your account is ready</h1>" in mail.get_body(["html"]).get_content()


def test_it_says_where_to_answer(folder, settings, ticket):
    """D0-22: whoever tries the registry without a mail server can try that as well."""
    settings.REPLY_ADDRESS = "care@example.org"

    outbox.drain()

    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.txt")]
    hers = [text.partition("\n\n")[0] for text in texts if "\nTo: alice@example.org\n" in text]
    assert hers
    assert all("\nReply-To: care+t" in head for head in hers)


def test_file_is_for_its_owner_and_group(folder):
    write()

    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o640, 0o640]


def test_words_are_kept_as_they_are(folder):
    write()

    (path,) = folder.glob("*.txt")
    assert path.read_text(encoding="utf-8").endswith("\n\nHéllo\n\nworld")


def test_equal_mails_have_names_of_their_own(folder):
    write()
    write()

    assert len({path.stem for path in folder.iterdir()}) == 2


@pytest.mark.parametrize(
    "subject",
    ["../../etc/passwd", "a/b\\c:d*e?f", ".hidden", "x" * 300, "日本語" * 100, "a\x00b", ""],
)
def test_hostile_subject_stays_in_the_folder(folder, subject):
    write(subject=subject)

    paths = list(folder.iterdir())
    assert len(paths) == 2
    assert all(path.name[:4].isdigit() and len(path.name.encode()) < 255 for path in paths)


def test_several_recipients_share_a_file(folder):
    message = EmailMessage("Hi", "x", to=["a@example.org", "b@example.org"])

    FolderBackend().send_messages([message])

    (path,) = folder.glob("*.txt")
    assert "To: a@example.org, b@example.org\n" in path.read_text(encoding="utf-8")

"""SEC-D12: one mail that came by two ways is one, also where its Message-ID says nothing."""

import pytest

from messaging.models import Fate

from .mails import make_mail, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-D12")]

ODD_IDS = (None, "", "<>", "abc.def@x", "<abc def@x>", f"<{'a' * 260}@x>", "<bestätigung@x>")
SENT = "Sat, 21 Nov 2026 10:00:00 +0000"


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles):
    return kettles


def by_way(of, message_id=None, received="Sat, 21 Nov 2026 10:00:05 +0000", body="Cold.", **more):
    """As the server ``of`` a way handed it over, each with its line ends."""
    trace = f"Received: from {of} by mx; {received}\nDelivered-To: {of}@example.net\n"
    headers = {"From": "zoe@example.org", "To": "care@example.net", "Subject": "Kettle"}
    headers |= {"Date": SENT, "Message-ID": message_id} | more
    head = "".join(f"{name}: {value}\n" for name, value in headers.items() if value is not None)
    raw = f"{trace}{head}\n{body}".encode()
    return raw.replace(b"\n", b"\r\n") + b"\r\n" if of == "imap" else raw


def fates(*mails):
    return [take_in(mail).fate for mail in mails]


@pytest.mark.parametrize("message_id", ODD_IDS)
def test_by_whichever_way_it_counts_once(message_id):
    """A mailbox and an alias of it, fetched by IMAP and brought by the server."""
    mails = [by_way("imap", message_id), by_way("pipe", message_id)]

    assert fates(*mails) == [Fate.TICKETED, Fate.REPEATED]


@pytest.mark.parametrize("message_id", [None, "abc.def@x"])
@pytest.mark.parametrize(
    "other",
    [
        {"body": "Colder."},
        {"Date": "Sat, 21 Nov 2026 10:00:01 +0000"},
        {"From": "Zoe <zoe@example.org>"},
        {"To": "sales@example.net"},
        {"Cc": "sales@example.net"},
        {"Subject": "Pot"},
    ],
    ids=str,
)
def test_what_differs_in_what_its_sender_wrote_is_another(message_id, other):
    mails = [by_way("imap", message_id), by_way("pipe", message_id, **other)]

    assert fates(*mails) == [Fate.TICKETED] * 2


def test_two_ids_of_odd_form_are_two_mails():
    assert fates(by_way("imap", "a@x"), by_way("imap", "b@x")) == [Fate.TICKETED] * 2


@pytest.mark.parametrize("message_id", [None, "alarm"])
@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:00:37 +0000", "yesterday", f"1 Jan {'9' * 30} 10:00", "", None]
)
def test_what_a_clock_that_is_wrong_says_makes_none_the_same(message_id, date):
    """A device says it again after each start."""
    days = ("Sat, 21 Nov 2026 10:00:05 +0000", "Sun, 22 Nov 2026 11:00:05 +0000")
    mails = [by_way("pipe", message_id, received=day, Date=date) for day in days]

    assert fates(*mails) == [Fate.TICKETED] * 2


def test_of_what_is_not_read_whole_only_the_same_bytes_are_the_same(settings):
    """Two pictures that a scanner sends at once have the same head."""
    settings.MAX_MAIL_BYTES = 1024
    first, second = (by_way("pipe", body=word * 2000) for word in "ab")

    assert fates(first, second, first) == [Fate.QUARANTINED, Fate.QUARANTINED, Fate.REPEATED]


def test_an_id_of_the_usual_form_is_enough():
    """Where servers change the subject on one of the ways."""
    mails = [make_mail(Message_ID="<a@x>"), make_mail(Message_ID="<a@x>", subject="[SPAM] Kettle")]

    assert fates(*mails) == [Fate.TICKETED, Fate.REPEATED]

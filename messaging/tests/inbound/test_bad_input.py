"""Issue 6, "Bad input": each is taken in, quarantined or held with the reason, and the next mail
goes on. How much time and memory each may cost is in ``test_bounds``."""

import pytest
from django.conf import settings as product

from accounts.tests.factories import make_user
from messaging.inbound import ledger
from messaging.models import Fate, InboundMail, Reason
from notifications.mail import outbox
from notifications.models import OutgoingMail
from tickets.models import Attachment, Ticket
from tickets.uploads import BY_MAIL

from .mails import make_mail
from .odd_mails import HEAD, file, parts, text
from .test_bounds import BEARABLE, HOSTILE

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-P11"), pytest.mark.plan("SEC-D17")]

PDF = b"%PDF-1.4 bill"
NAMES = [
    b'"../../etc/passwd.pdf"', b'"C:\\\\windows\\\\bill.pdf"', b'"/dev/stdin.pdf"',
    b'"a\x00b.pdf"', b'"' + b"x" * 5_000 + b'.pdf"', b"=?utf-8?q?=E2=80=AEfdp=2Eexe?=",
    b'"CON.pdf"', b'"<img src=x>.pdf"',
]  # fmt: skip
UNREADABLE = (Fate.QUARANTINED, Reason.UNREADABLE)
TICKETED = (Fate.TICKETED, "")
BAD = {
    "26 MB": (
        HEAD + parts(text(b"Hi"), file(b'"bill.pdf"', b"a" * 26 * 1024**2)),
        (Fate.QUARANTINED, Reason.TOO_LARGE),
    ),
    "1,000 parts": (HOSTILE["1,000 parts"], UNREADABLE),
    "1,000 nested parts": (HOSTILE["1,000 nested parts"], UNREADABLE),
    "50,000 addresses": (BEARABLE["50,000 addresses"], TICKETED),
    "40,000 encoded words": (BEARABLE["40,000 encoded words"], TICKETED),
    "as subject": (BEARABLE["40,000 encoded words as subject"], TICKETED),
    "1,000 brackets in From": (BEARABLE["1,000 brackets in From"], TICKETED),
    "an unknown charset": (
        HEAD + b"Content-Type: text/plain; charset=x-klingon\n\nIt stays cold.", TICKETED,
    ),
    "no From": (b"Subject: Kettle\n\nIt stays cold.", (Fate.HELD, Reason.NO_SENDER)),
    "50,000 senders": (BEARABLE["50,000 senders"], (Fate.HELD, Reason.SEVERAL)),
    "half a character as subject": (
        HEAD.replace(b"Kettle", b"=?utf-7?q?+2AA-?=") + b"\nHi", TICKETED,
    ),
    "half a character as name": (
        HEAD.replace(b"Zoe", b"=?utf-7?q?+2AA-?=") + b"\nHi", TICKETED,
    ),
    "no text as Message-ID": (HEAD.replace(b"<odd", b"<\xff\x00odd") + b"\nHi", TICKETED),
    "no text as address": (HEAD.replace(b"care@", b"c\xff\x00re@") + b"\nHi", TICKETED),
    "hostile file names": (
        HEAD + parts(text(b"Hi"), *[file(name, PDF) for name in NAMES]), TICKETED,
    ),
    "nothing but zeros": (b"\x00" * 100_000, (Fate.HELD, Reason.NO_SENDER)),
}  # fmt: skip


def test_every_mail_gets_its_fate_and_the_good_ones_get_tickets(kettles, settings):
    """One queue: a good mail after each bad one."""
    settings.TICKETS_PER_HOUR = 100
    stored = {}
    for number, (what, (raw, _expected)) in enumerate(BAD.items()):
        raw = raw.replace(b"Message-ID: <", b"Message-ID: <%d." % number)
        stored[what] = ledger.store(raw, source="imap")
        good = make_mail(make_user().email, f"After {what}")
        ledger.store(good.as_bytes(), source="imap")

    assert ledger.process_waiting() == 2 * len(BAD)

    for mail in stored.values():
        mail.refresh_from_db()
    assert {what: (mail.fate, mail.reason) for what, mail in stored.items()} == {
        what: expected for what, (_raw, expected) in BAD.items()
    }
    after = Ticket.objects.filter(subject__startswith="After ").order_by("pk")
    assert [ticket.subject for ticket in after] == [f"After {what}" for what in BAD]
    # What is not taken in can be looked at, as it came.
    refused = InboundMail.objects.filter(fate=Fate.QUARANTINED)
    assert all(mail.detail and mail.raw.size == mail.size for mail in refused)


def test_hostile_names_become_harmless_ones(kettles):
    ledger.store(BAD["hostile file names"][0], source="imap")
    ledger.process_waiting()

    kept = list(Attachment.objects.values_list("name", flat=True))
    assert kept
    assert not [name for name in kept if set(name) & set("/\\\0\u202e") or len(name) > 255]
    assert all(name.rpartition(".")[2] in {kind.lstrip(".") for kind in BY_MAIL} for name in kept)


@pytest.mark.plan("SEC-D16")
def test_whose_mail_is_too_large_hears_once(kettles):
    """26 MB, at the limit as it is."""
    large = len(BAD["26 MB"][0])
    for _time in range(2):
        ledger.store(BAD["26 MB"][0] + b"\n" * _time, source="imap", envelope_from="z@example.org")
    ledger.process_waiting()
    outbox.drain()

    assert large > product.MAX_MAIL_BYTES == 25 * 1024**2
    assert OutgoingMail.objects.count() == 1

"""What can't be read whole: its head says whose it is, and that person hears of it once."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from messaging.inbound import ledger
from messaging.inbound.parsed import Unreadable
from messaging.models import Fate, InboundMail, Reason, SenderRule
from notifications.models import OutgoingMail
from tickets.models import Ticket

from .mails import READER, make_mail, take_in
from .odd_mails import parts, text

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.plan("SEC-D16"),
    pytest.mark.plan("SEC-D17"),
]
UNREADABLE = (Fate.QUARANTINED, Reason.UNREADABLE)


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles):
    return kettles


def make_broken(sender="zoe@example.org", **more) -> bytes:
    head = make_mail(sender, "CANARY kettle", None, **more).as_bytes().rstrip(b"\n")
    return head + b"\n" + parts(*[text(b"CANARY words")] * 201)


def make_large(sender="zoe@example.org", **more) -> bytes:
    return make_mail(sender, "CANARY kettle", "CANARY words\n" * 200, **more).as_bytes()


def told() -> list[str]:
    return list(OutgoingMail.objects.order_by("pk").values_list("email", flat=True))


def test_the_ledger_says_whose_it_is():
    mail = take_in(make_broken())

    assert (mail.fate, mail.reason) == UNREADABLE
    assert (mail.sender, mail.subject) == ("zoe@example.org", "CANARY kettle")
    assert mail.detail == "More than 200 parts."


@pytest.mark.plan("SEC-D8")
@pytest.mark.parametrize(
    ("make", "why"), [(make_broken, "More than 200 parts."), (make_large, "More than 0 MB.")]
)
def test_its_sender_hears_why_and_no_word_of_it(settings, make, why):
    if make is make_large:
        settings.MAX_MAIL_BYTES = 1024
    take_in(make())

    letter = OutgoingMail.objects.get()
    assert letter.email == "zoe@example.org"
    assert why in letter.content["text"]
    assert "CANARY" not in str(letter.content)


@pytest.mark.parametrize("make", [make_broken, make_large])
@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("zoe@example.org", {"Auto_Submitted": "auto-generated"}),
        ("zoe@example.org", {"X_Spam_Flag": "YES"}),
        ("care@example.net", {}),
        ("zoe@blocked.example", {}),
        ("zoe@example.org, mallory@example.com", {}),
        ("postmaster@example.org", {}),
        (None, {}),
    ],
)
def test_who_gets_no_answer_gets_none_to_this(settings, make, sender, headers):
    settings.MAX_MAIL_BYTES = 1024 if make is make_large else settings.MAX_MAIL_BYTES
    settings.REPLY_ADDRESS = "care@example.net"
    SenderRule.objects.create(pattern="blocked.example", verdict="block")

    mail = take_in(make(sender, **headers))

    assert mail.fate == Fate.QUARANTINED
    assert told() == []


def test_who_is_always_let_in_hears_of_it():
    SenderRule.objects.create(pattern="example.org", verdict="let_in")

    take_in(make_broken(X_Spam_Flag="YES"))

    assert told() == ["zoe@example.org"]


@pytest.mark.plan("SEC-D12")
def test_the_same_mail_again_tells_nobody():
    raw = make_broken()

    fates = [take_in(raw).fate for _time in range(2)]
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=2))
    fates.append(take_in(raw).fate)

    assert fates == [Fate.QUARANTINED, Fate.REPEATED, Fate.REPEATED]
    assert told() == ["zoe@example.org"]


@pytest.mark.plan("SEC-D12")
def test_others_that_begin_alike_are_others(settings):
    """Some devices give each mail the same Message-ID."""
    settings.MAX_MAIL_BYTES = 1024
    same = {"Message_ID": "<same@device.example>", "Date": "Sat, 21 Nov 2026 10:00:00 +0000"}
    bodies = ["CANARY one\n" * 200, "CANARY two\n" * 200]
    mails = [take_in(make_mail(subject="Large", body=body, **same)) for body in bodies]
    settings.MAX_MAIL_BYTES = 1024**2

    ledger.retry(InboundMail.objects.all())

    assert [mail.fate for mail in mails] == [Fate.QUARANTINED] * 2
    assert [mail.fate for mail in InboundMail.objects.all()] == [Fate.TICKETED] * 2


@pytest.mark.plan("SEC-D8")
@pytest.mark.parametrize("make", [make_broken, make_large])
def test_who_may_be_somebody_else_is_told_nothing(settings, make):
    """The server says that its sender is forged: then whoever is named did not write it."""
    settings.MAX_MAIL_BYTES = 1024 if make is make_large else settings.MAX_MAIL_BYTES

    mail = take_in(make(Authentication_Results="mx.example.net; dmarc=fail"))

    assert (mail.fate, told()) == (Fate.QUARANTINED, [])


@pytest.mark.plan("SEC-D8")
def test_an_address_is_told_once_an_hour(settings):
    """Whatever it was that nobody could read."""
    take_in(make_broken())
    settings.MAX_MAIL_BYTES = 1024
    take_in(make_large())

    assert told() == ["zoe@example.org"]


def test_tried_again_it_may_be_read(settings):
    mail = take_in(make_broken())
    settings.MAIL_LIMITS = {"parts": 500}

    call_command("quarantine", "retry", str(mail.pk))

    mail.refresh_from_db()
    assert (mail.fate, mail.ticket.subject) == (Fate.TICKETED, "CANARY kettle")


def test_tried_again_in_vain_it_tells_nobody_twice():
    mail = take_in(make_broken())
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=2))

    call_command("quarantine", "retry", str(mail.pk))

    mail.refresh_from_db()
    assert (mail.fate, mail.reason) == UNREADABLE
    assert told() == ["zoe@example.org"]


def test_once_more_is_taken_what_was_too_large_is_read(settings):
    settings.MAX_MAIL_BYTES = 1024
    mail = take_in(make_large())
    answers = [ledger.retry(InboundMail.objects.all())[0].detail]
    settings.MAX_MAIL_BYTES = 1024**2

    ledger.retry(InboundMail.objects.all())

    mail.refresh_from_db()
    assert (mail.fate, mail.ticket.subject, answers) == (
        Fate.TICKETED, "CANARY kettle", ["More than 0 MB."],
    )  # fmt: skip


def test_of_what_only_the_head_was_kept_is_never_read_more():
    mail = take_in(make_large(), size=10**6)

    ledger.retry(InboundMail.objects.all())

    mail.refresh_from_db()
    assert (mail.fate, mail.reason, mail.detail) == (
        Fate.QUARANTINED, Reason.TOO_LARGE, "Only its beginning was kept.",
    )  # fmt: skip


def test_what_ends_its_reader_is_not_read_for_ever():
    """After three times only its head is read, and after one more nothing."""
    mails = [ledger.store(make_mail().as_bytes(), source="pipe") for _each in range(2)]
    for more, mail in enumerate(mails):
        mail.tries = ledger.MAX_TRIES + more
        mail.save()
        ledger.process(mail, READER)

    assert [(mail.fate, mail.reason) for mail in mails] == [UNREADABLE] * 2
    assert [mail.sender for mail in mails] == ["alice@example.org", ""]
    assert told() == ["alice@example.org"]
    assert not Ticket.objects.exists()


def test_where_not_even_the_head_is_read_nobody_is_told():
    class Broken:
        def read(self, raw):
            raise Unreadable("Reading it needs too much memory.")

    mail = take_in(make_mail(), reader=Broken())

    assert (mail.fate, mail.reason, mail.sender) == (*UNREADABLE, "")
    assert told() == []


def test_what_another_copy_forestalls_is_looked_at_again(monkeypatch):
    real = ledger.decide

    def decide(*args):
        monkeypatch.setattr(ledger, "decide", real)
        raise IntegrityError

    monkeypatch.setattr(ledger, "decide", decide)
    mail = take_in(make_broken())

    assert (mail.fate, mail.reason) == UNREADABLE

"""The command and the LMTP server: what they answer is what is kept."""

import io
import smtplib
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from messaging.inbound import ledger
from messaging.inbound.lmtp import Server
from messaging.models import Fate, InboundMail, Reason
from notifications.tests.smtp import free_port
from tickets.models import Ticket

from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles):
    return kettles


def pipe(monkeypatch, raw, *arguments) -> int:
    """What ``receive_mail`` ends with."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    try:
        call_command("receive_mail", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.plan("SEC-P1")
def test_the_command_ends_well_once_a_mail_is_kept(monkeypatch):
    assert pipe(monkeypatch, make_mail().as_bytes(), "--to", "care@example.net") == 0

    mail = InboundMail.objects.get()
    assert (mail.fate, mail.source, mail.envelope_to) == (
        Fate.TICKETED, "pipe", ["care@example.net"],
    )  # fmt: skip


@pytest.mark.plan("SEC-D12")
def test_the_same_mail_again_ends_well_too(monkeypatch):
    raw = make_mail().as_bytes()

    codes = [pipe(monkeypatch, raw) for _time in range(3)]

    assert (codes, Ticket.objects.count()) == ([0, 0, 0], 1)


@pytest.mark.plan("SEC-D17")
def test_what_can_not_be_processed_ends_well_as_it_is_kept(monkeypatch):
    monkeypatch.setattr(ledger, "act", lambda *args: 1 / 0)

    assert pipe(monkeypatch, make_mail().as_bytes()) == 0
    assert InboundMail.objects.get().fate == Fate.QUARANTINED


@pytest.mark.plan("SEC-F7")
@pytest.mark.parametrize("trouble", [OSError(28, "No space left"), OperationalError("locked")])
def test_what_can_not_be_stored_is_to_be_tried_again(monkeypatch, trouble):
    def store(*args, **kwargs):
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "store", store)
        first = pipe(monkeypatch, make_mail().as_bytes())

    assert (first, InboundMail.objects.count()) == (75, 0)
    assert pipe(monkeypatch, make_mail().as_bytes()) == 0


@pytest.mark.plan("SEC-F7")
def test_a_row_that_can_not_be_written_leaves_no_file(monkeypatch, settings):
    def save(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(InboundMail, "save", save)

    assert pipe(monkeypatch, make_mail().as_bytes()) == 75
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_a_database_that_goes_away_after_storing_loses_nothing(monkeypatch):
    def act(*args):
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "act", act)
        code = pipe(monkeypatch, make_mail().as_bytes())
    waiting = InboundMail.objects.get().fate
    InboundMail.objects.update(leased_until=None)
    ledger.process_waiting()

    assert (code, waiting, InboundMail.objects.get().fate) == (0, Fate.RECEIVED, Fate.TICKETED)


@pytest.mark.parametrize(("raw", "code"), [(b"", 65), (b" \n", 65), (b"x" * 2_000, 69)])
def test_what_is_no_mail_or_far_too_large_is_sent_back(monkeypatch, raw, code):
    monkeypatch.setattr(ledger, "MAX_STORED_BYTES", 1_000)

    assert pipe(monkeypatch, raw) == code
    assert not InboundMail.objects.exists()


def test_the_quarantine_is_listed_shown_and_tried_again(monkeypatch):
    """What the security plan calls ``quarantine list|show|retry``."""
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "act", lambda *args: 1 / 0)
        mail = take_in(make_mail(subject="Broken"))
    out = io.StringIO()

    call_command("quarantine", "list", stdout=out)
    call_command("quarantine", "show", str(mail.pk), stdout=out)
    call_command("quarantine", "retry", stdout=out)

    mail.refresh_from_db()
    assert f"{mail.pk}\t" in out.getvalue()
    assert "ZeroDivisionError" in out.getvalue()
    assert "Subject: Broken" in out.getvalue()
    assert "1 mails were processed again." in out.getvalue()
    assert mail.fate == Fate.TICKETED


def test_what_is_not_there_is_not_shown():
    with pytest.raises(CommandError, match="no such mail"):
        call_command("quarantine", "show", "999")


# --- LMTP ------------------------------------------------------------------------


@pytest.fixture
def lmtp(transactional_db, kettles):
    server = Server("127.0.0.1", free_port())
    server.start()
    yield server
    server.stop()


def deliver(server, raw, sender="zoe@example.org", recipients=("care@example.net",)):
    """The server's answers, one for each recipient."""
    with smtplib.LMTP("127.0.0.1", server.port) as client:
        client.ehlo_or_helo_if_needed()
        client.mail(sender)
        for recipient in recipients:
            client.rcpt(recipient)
        return [client.data(raw)[0], *(client.getreply()[0] for _more in recipients[1:])]


@pytest.mark.plan("SEC-P1")
def test_lmtp_takes_a_mail_for_several(lmtp):
    """One answer for each, and one mail for all."""
    both = ["care@example.net", "returns@example.net"]

    assert deliver(lmtp, make_mail().as_bytes(), recipients=both) == [250, 250]

    mail = InboundMail.objects.get()
    assert (mail.fate, mail.source) == (Fate.RECEIVED, "lmtp")
    assert mail.envelope_to == both
    ledger.process_waiting()
    assert Ticket.objects.count() == 1


def test_lmtp_takes_lines_that_are_longer_than_allowed(lmtp):
    raw = make_mail(body=None).as_bytes() + b"\n\n" + b"cold " * 10_000

    assert deliver(lmtp, raw) == [250]


@pytest.mark.plan("SEC-D9")
def test_lmtp_says_that_a_machine_sent_it(lmtp):
    deliver(lmtp, make_mail().as_bytes(), sender="<>")
    ledger.process_waiting()

    assert InboundMail.objects.get().reason == Reason.AUTOMATIC


@pytest.mark.plan("SEC-F7")
def test_lmtp_asks_to_try_again_what_it_can_not_store(lmtp, monkeypatch):
    def store(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger, "store", store)

    assert deliver(lmtp, make_mail().as_bytes()) == [451]
    assert not InboundMail.objects.exists()


@pytest.mark.plan("SEC-D16")
def test_lmtp_refuses_what_is_far_too_large(monkeypatch, transactional_db):
    monkeypatch.setattr(ledger, "MAX_STORED_BYTES", 1_000)
    server = Server("127.0.0.1", free_port())
    server.start()
    try:
        assert deliver(server, make_mail(body="cold\n" * 1_000).as_bytes()) == [552]
    finally:
        server.stop()
    assert not InboundMail.objects.exists()

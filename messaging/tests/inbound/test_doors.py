"""The command and the LMTP server: what they answer is what is kept."""

import io
import smtplib
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError

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
@pytest.mark.parametrize(
    "trouble", [OSError(28, "No space left"), OperationalError("locked"), InterfaceError("closed")]
)
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


@pytest.mark.parametrize("trouble", [OperationalError, InterfaceError])
def test_a_database_that_goes_away_after_storing_loses_nothing(monkeypatch, trouble):
    def leave(*args):
        raise trouble("gone")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_read_and_settle", leave)
        patch.setattr(ledger, "_give_up", leave)
        code = pipe(monkeypatch, make_mail().as_bytes())
    waiting = InboundMail.objects.get().fate
    InboundMail.objects.update(leased_until=None)
    ledger.process_waiting()

    assert (code, waiting, InboundMail.objects.get().fate) == (0, Fate.RECEIVED, Fate.TICKETED)


@pytest.mark.parametrize(("raw", "code"), [(b"", 65), (b" \n", 65), (b"x" * 2_000, 69)])
def test_what_is_no_mail_or_far_too_large_is_sent_back(monkeypatch, settings, raw, code):
    settings.MAX_MAIL_BYTES = 250

    assert pipe(monkeypatch, raw) == code
    assert not InboundMail.objects.exists()


@pytest.mark.plan("SEC-D13")
@pytest.mark.parametrize(
    ("sender", "fate"),
    [("--from=zoe@example.org", Fate.TICKETED), ("--to=care@example.net", Fate.HELD)],
)
def test_whatever_it_is_somebody_sent_it(monkeypatch, sender, fate):
    """Without any header the server's word for the sender counts; without that it is held."""
    assert pipe(monkeypatch, b"It stays cold.", sender) == 0
    assert InboundMail.objects.get().fate == fate


@pytest.mark.plan("SEC-D13")
def test_an_envelope_that_is_no_text_is_kept_too(monkeypatch):
    """Bytes that are no UTF-8 reach a program as halves of characters."""
    raw = make_mail().as_bytes()

    assert pipe(monkeypatch, raw, "--from", "zo\udceb@x.org", "--to", "\udce9@x.org") == 0

    mail = InboundMail.objects.get()
    assert (mail.fate, mail.envelope_from) == (Fate.TICKETED, "zo\ufffd@x.org")


class Pipe(io.TextIOWrapper):
    """What a command writes into; ``got`` are its bytes."""

    def __init__(self):
        super().__init__(io.BytesIO())

    @property
    def got(self) -> bytes:
        self.flush()
        return self.buffer.getvalue()


def test_the_quarantine_is_listed_shown_and_tried_again(monkeypatch):
    """What the security plan calls ``quarantine list|show|retry``."""
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "act", lambda *args: 1 / 0)
        mail = take_in(make_mail(subject="Broken"))
    listed, shown, retried = io.StringIO(), Pipe(), io.StringIO()

    call_command("quarantine", "list", stdout=listed)
    call_command("quarantine", "show", str(mail.pk), stdout=shown)
    call_command("quarantine", "retry", stdout=retried)

    mail.refresh_from_db()
    assert f"{mail.pk}\t" in listed.getvalue()
    assert "ZeroDivisionError" in listed.getvalue()
    assert b"Subject: Broken" in shown.got
    told = f"{mail.pk}\tticketed\t\t{mail.ticket}\n1 mails were processed again.\n"
    assert retried.getvalue() == told
    assert mail.fate == Fate.TICKETED


def test_what_is_not_there_is_not_shown():
    with pytest.raises(CommandError, match="no such mail"):
        call_command("quarantine", "show", "999")


def test_what_is_not_there_is_not_tried_again():
    """... and said, after what became of the others."""
    held, done = take_in(make_mail(X_Spam_Flag="YES")), take_in(make_mail())
    out = io.StringIO()

    with pytest.raises(CommandError, match=f"nothing to process again: {done.pk}, 99999"):
        call_command("quarantine", "retry", "99999", str(done.pk), str(held.pk), stdout=out)

    assert out.getvalue() == f"{held.pk}\theld\tspam\t\n1 mails were processed again.\n"


def test_a_terminal_obeys_no_mail():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    mail = take_in(b"From: zoe@example.org\r\n\r\n\x1b]0;Mine\x07\xc2\x9b2J\r\n")
    shown, piped = Terminal(), Pipe()

    call_command("quarantine", "show", str(mail.pk), stdout=shown, no_color=True)
    call_command("quarantine", "show", str(mail.pk), stdout=piped)

    assert shown.getvalue() == "From: zoe@example.org\n\n\ufffd]0;Mine\ufffd\ufffd2J\n"
    assert b"\x1b]0;Mine" in piped.got


@pytest.mark.plan("SEC-D17")
@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_a_pipe_gets_a_mail_as_it_came(end):
    """Byte by byte, whatever letters it is written in."""
    raw = b"From: zoe@example.org\r\nContent-Type: text/plain; charset=latin-1\r\n\r\nGr\xfc\xdfe"
    mail, piped = take_in(raw + end), Pipe()

    call_command("quarantine", "show", str(mail.pk), stdout=piped)

    assert piped.got == raw + end


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
        return deliver_by(client, raw, sender, recipients)


def deliver_by(client, raw, sender, recipients):
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


def test_lmtp_offers_nothing_that_is_not_understood(lmtp):
    """A sender with other letters than ASCII: then the server before us tells them so."""
    with smtplib.LMTP("127.0.0.1", lmtp.port) as client:
        client.ehlo()

        assert not client.has_extn("smtputf8")


def test_lmtp_takes_lines_that_are_longer_than_allowed(lmtp):
    raw = make_mail(body=None).as_bytes() + b"\n\n" + b"cold " * 10_000

    assert deliver(lmtp, raw) == [250]


@pytest.mark.plan("SEC-D9")
def test_lmtp_says_that_a_machine_sent_it(lmtp):
    deliver(lmtp, make_mail().as_bytes(), sender="<>")
    ledger.process_waiting()

    assert InboundMail.objects.get().reason == Reason.AUTOMATIC


@pytest.mark.plan("SEC-F7")
@pytest.mark.parametrize(
    "trouble",
    [OSError(28, "No space left on device"), OperationalError(), InterfaceError(), KeyError()],
)
def test_lmtp_asks_to_try_again_what_it_can_not_store(lmtp, monkeypatch, trouble):
    def store(*args, **kwargs):
        raise trouble

    monkeypatch.setattr(ledger, "store", store)

    assert deliver(lmtp, make_mail().as_bytes()) == [451]
    assert not InboundMail.objects.exists()


@pytest.mark.plan("SEC-D16")
@pytest.mark.parametrize(("body", "code"), [("cold\r\n" * 1_000, 552), ("cold " * 1_000, 500)])
def test_lmtp_refuses_what_is_far_too_large(monkeypatch, settings, transactional_db, body, code):
    """... once for each recipient, and the next mail is taken."""
    settings.MAX_MAIL_BYTES = 1_125
    monkeypatch.setattr("messaging.inbound.lmtp._LMTP.line_length_limit", 4_000)
    both = ["care@example.net", "returns@example.net"]
    large = make_mail(body=None).as_bytes() + b"\n\n" + body.encode()
    server = Server("127.0.0.1", free_port())
    server.start()
    try:
        with smtplib.LMTP("127.0.0.1", server.port, timeout=20) as client:
            answers = [
                deliver_by(client, raw, "zoe@example.org", both)
                for raw in (large, make_mail().as_bytes())
            ]
    finally:
        server.stop()
    assert answers == [[code, code], [250, 250]]
    assert InboundMail.objects.count() == 1

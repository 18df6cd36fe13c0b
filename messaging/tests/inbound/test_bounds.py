"""Mails made to break their reader cost a bounded time and memory, and the next one is read."""

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from django.conf import settings as product

from messaging.inbound import ledger
from messaging.inbound.child import LENGTH
from messaging.inbound.parsed import Limits, Unreadable
from messaging.inbound.sandbox import Reader
from messaging.models import Fate, Reason
from tickets.models import Ticket

from .mails import make_mail, take_in
from .odd_mails import HEAD, nested, parts, text

PLAIN = text(b"Hi")
MEGABYTE = 1024 * 1024

HOSTILE = {
    "1,000 parts": HEAD + parts(*[PLAIN] * 1000),
    "1,000 nested parts": nested(1000),
    "21 levels": nested(21),
    "a mail in a mail, 1,000 times": HEAD + b"Content-Type: message/rfc822\n\n" * 1000 + b"Hi",
}
BEARABLE = {
    "50,000 addresses": HEAD
    + b"Cc: " + b", ".join(b"u%d@example.com" % n for n in range(50_000)) + b"\n\nHi",
    "40,000 encoded words": HEAD + b"X-A: " + b"=?utf-8?q?a?= " * 40_000 + b"\n\nHi",
    "40,000 encoded words as subject": HEAD.replace(b"Kettle", b"=?utf-8?q?a?= " * 40_000)
    + b"\nHi",
    "1,000 brackets in From": HEAD.replace(b"Zoe", b"(" * 1000) + b"\nHi",
    "50,000 senders": HEAD.replace(b"Zoe <", b"u@example.com, " * 50_000 + b"Zoe <") + b"\nHi",
    "50,000 From headers": HEAD + b"From: (((\n" * 50_000 + b"\nHi",
    "a million blanks after From:": HEAD + b"\nFrom:" + b" " * 1_000_000 + b"\nHi",
    "100,000 nested tags": HEAD + text(b"<div>" * 100_000 + b"Hi", b"html"),
    "100,000 headers": HEAD + b"X-A: b\n" * 100_000 + b"\nHi",
    "20 MB of text": HEAD + b"\n" + (b"cold " * 14 + b"\n") * 300_000,
    "20 MB of one line": HEAD + b"\n" + b"c" * 20 * MEGABYTE,
    "20 MB of quotes": HEAD + b"\nHi\n" + b"> " * 10 * MEGABYTE,
    "a million lines with colons": HEAD + b"\n" + b"a:\n" * 1_000_000,
    "20 MB of base64 in one line": HEAD
    + b"Content-Transfer-Encoding: base64\n\n" + b"A" * 20 * MEGABYTE,
    "10 MB of entities": HEAD + text(b"&amp;" * 2 * MEGABYTE, b"html"),
    **{
        f"2 MB of {flood!r} in HTML": HEAD + text(flood * (2 * MEGABYTE // len(flood)), b"html")
        for flood in (b"<!--", b"<a ", b"<style>", b"<![", b"</a ", b' ="<x"')
    },
    "a link that is said far above, 50,000 times": HEAD
    + text(b"x" * MEGABYTE + b"http://" + b"<a href=http://></a>" * 50_000, b"html"),
    "10 MB of a picture's kind": HEAD + text(b"data:a/" + b"a" * 10 * MEGABYTE, b"html"),
    "2 MB of one folded paragraph": HEAD
    + b"Content-Type: text/plain; format=flowed\n\n" + b"co \n" * (MEGABYTE // 2),
    "2 MB of one line in a calendar": HEAD
    + b"Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY" + b"x" * 2 * MEGABYTE,
    "200 parts": HEAD + parts(*[PLAIN] * 199),
    "20 levels": nested(19),
}  # fmt: skip


def read_alone(raw):
    """What comes out, the seconds on the processor, and the bytes of memory, of a reader of its
    own."""
    command = [sys.executable, "-m", "messaging.inbound.child", json.dumps(asdict(Limits()))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, input=LENGTH.pack(len(raw)) + raw, capture_output=True, cwd=product.BASE_DIR
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer = json.loads(done.stdout[LENGTH.size :]) if done.stdout else {}
    return answer, seconds, after.ru_maxrss * 1024


@pytest.mark.plan("SEC-P11")
@pytest.mark.parametrize(
    ("kind", "hard"),
    [(resource.RLIMIT_CPU, 100_000), (resource.RLIMIT_CPU, 5), (resource.RLIMIT_AS, 900_000_000)],
)
def test_a_limit_that_whoever_started_us_set_stays(kind, hard):
    """Only root may raise it: who tried would read no mail at all."""
    command = [sys.executable, "-m", "messaging.inbound.child", json.dumps(asdict(Limits()))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=product.BASE_DIR,
        preexec_fn=lambda: resource.setrlimit(kind, (hard, hard)),
    ) as child:  # fmt: skip
        child.stdin.write(LENGTH.pack(0))
        child.stdin.flush()
        answer = child.stdout.read(LENGTH.size)
        soft, left = resource.prlimit(child.pid, kind)
        child.kill()

    assert (len(answer), left) == (LENGTH.size, hard)
    assert 0 < soft <= hard


@pytest.mark.plan("SEC-P11")
@pytest.mark.parametrize("what", HOSTILE)
def test_what_breaks_a_limit_is_refused(what):
    with Reader() as reader:
        with pytest.raises(Unreadable, match=r"^(Mails or files packed|More than 200 parts)"):
            reader.read(HOSTILE[what])

        assert reader.read(HEAD + b"\nHi").text == "Hi"


@pytest.mark.plan("SEC-P11")
@pytest.mark.parametrize("what", BEARABLE)
def test_what_is_only_too_much_is_read(what):
    answer, seconds, memory = read_alone(BEARABLE[what])

    assert answer.get("parsed"), answer
    assert seconds < 10
    assert memory < 800 * MEGABYTE


@pytest.mark.plan("SEC-P11")
@pytest.mark.plan("SEC-D5")
def test_no_more_than_a_hundred_addresses_are_looked_at():
    with Reader() as reader:
        assert len(reader.read(BEARABLE["50,000 addresses"]).recipients) == 100


@pytest.mark.plan("SEC-P11")
@pytest.mark.plan("SEC-D17")
def test_a_mail_that_takes_too_long_waits_in_quarantine(settings, db, kettles, monkeypatch):
    """Its reader is ended; the next mail gets another one."""
    slow = HEAD + text(b"<p>a</p>" * 250_000, b"html") * 3

    with monkeypatch.context() as patch:
        patch.setattr(settings, "MAIL_LIMITS", {"cpu_seconds": 0})
        patch.setattr("messaging.inbound.sandbox.GRACE_SECONDS", 1)
        with Reader() as reader:
            mails = [take_in(slow, reader=reader)]
    mails.append(take_in(make_mail()))

    assert [(mail.fate, mail.reason) for mail in mails] == [
        (Fate.QUARANTINED, Reason.UNREADABLE),
        (Fate.TICKETED, ""),
    ]


@pytest.mark.plan("SEC-D17")
@pytest.mark.parametrize(
    ("number", "detail"),
    [
        (signal.SIGXCPU, "Reading it takes longer than 10 seconds."),
        (signal.SIGTERM, "Our program made a mistake when it read this mail."),
    ],
)
def test_a_mail_that_ends_its_reader_says_how(caplog, number, detail):
    """The next one is read by another. What is our mistake stands in the log."""
    with Reader() as reader:
        reader.read(HEAD + b"\nHi")
        os.kill(reader._child.pid, number)
        with pytest.raises(Unreadable, match=f"^{detail}$"):
            reader.read(HEAD + b"\nHi")

        assert reader.read(HEAD + b"\nHi").text == "Hi"
    ended = f"A mail can't be read: it ended its reader, with -{number.value}"
    assert caplog.messages == ([ended] if number == signal.SIGTERM else [])


@pytest.mark.plan("SEC-P1")
@pytest.mark.plan("SEC-D17")
def test_where_no_reader_starts_mails_stay_as_they_were(db, kettles, monkeypatch):
    """Nobody is told that theirs takes too long."""
    with monkeypatch.context() as patch, Reader() as reader:
        patch.setattr("messaging.inbound.sandbox.sys.executable", "/bin/false")
        with pytest.raises(ChildProcessError, match=r"^What reads mails does not start: 1$"):
            reader.read(HEAD + b"\nHi")
        mail = take_in(make_mail(), reader=reader)

    assert mail.fate == Fate.RECEIVED
    ledger.process_waiting()
    mail.refresh_from_db()
    assert mail.fate == Fate.TICKETED


@pytest.mark.plan("SEC-D17")
@pytest.mark.parametrize("what", ["1,000 parts", "1,000 nested parts"])
def test_what_is_refused_can_be_looked_at(db, kettles, what):
    mail = take_in(HOSTILE[what])

    assert (mail.fate, mail.reason) == (Fate.QUARANTINED, Reason.UNREADABLE)
    assert mail.detail.startswith(("More than 200 parts", "Mails or files packed into one another"))
    with mail.raw.open("rb") as file:
        assert file.read() == HOSTILE[what]
    assert take_in(make_mail()).fate == Fate.TICKETED
    assert Ticket.objects.count() == 1


@pytest.mark.plan("SEC-I5")
def test_the_reader_knows_no_secret(monkeypatch):
    monkeypatch.setenv("SECRET_KEY_CANARY", "canary")
    with Reader() as reader:
        reader.read(HEAD + b"\nHi")
        environment = Path(f"/proc/{reader._child.pid}/environ").read_bytes()

    assert b"canary" not in environment
    assert b"SECRET" not in environment

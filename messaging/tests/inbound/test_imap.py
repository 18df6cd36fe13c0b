"""Mail fetched from a real IMAP server."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db import OperationalError
from django.utils import timezone

from messaging.inbound import following, imap, ledger
from messaging.models import Fate, InboundMail, Mailbox, Reason
from tickets.models import Ticket

from .mails import make_mail
from .servers import PASSWORD, Dovecot

pytestmark = [
    pytest.mark.fault,
    pytest.mark.django_db,
    pytest.mark.skipif(not Dovecot.is_here(), reason="dovecot-imapd is not installed"),
]


@pytest.fixture(scope="module")
def dovecot():
    with TemporaryDirectory() as folder, Dovecot(Path(folder)) as server:
        yield server


@pytest.fixture
def server(dovecot):
    with dovecot.client() as client:
        for folder in ("INBOX", "Done"):
            if int(client.select(folder)[1][0]):
                client.store("1:*", "+FLAGS", "\\Deleted")
                client.expunge()
    return dovecot


@pytest.fixture
def mailbox(server, kettles):
    return Mailbox.objects.create(
        name="Care",
        host="127.0.0.1",
        port=server.port,
        security="none",
        username="care",
        secret=PASSWORD,
    )


def put(server, *subjects):
    for subject in subjects:
        server.put(make_mail(subject=subject).as_bytes())


def test_new_mail_is_fetched_once_and_marked_as_read(server, mailbox):
    """D0-22"""
    put(server, "One", "Two")

    counts = [imap.poll(mailbox), imap.poll(mailbox)]
    put(server, "Three")
    counts.append(imap.poll(mailbox))
    ledger.process_waiting()

    mailbox.refresh_from_db()
    assert counts == [2, 0, 1]
    assert (server.unseen(), server.in_folder()) == (0, 3)
    assert list(Ticket.objects.order_by("pk").values_list("subject", flat=True)) == [
        "One", "Two", "Three",
    ]  # fmt: skip
    assert (mailbox.last_problem, mailbox.on_server, mailbox.missing) == ("", 3, 0)
    assert mailbox.polled_at


def test_mail_is_moved_if_that_is_wished(server, mailbox):
    Mailbox.objects.update(move_to="Done")
    put(server, "One", "Two")

    imap.poll(mailbox)

    assert (server.in_folder(), server.in_folder("Done")) == (0, 2)


@pytest.mark.plan("SEC-P3")
@pytest.mark.plan("SEC-F7")
@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), OperationalError()])
def test_what_can_not_be_stored_stays_on_the_server(server, mailbox, monkeypatch, trouble):
    put(server, "One", "Two")
    store, stored = ledger.store, []

    def store_one(raw, **how):
        if stored:
            raise trouble
        stored.append(store(raw, **how))
        return stored[0]

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "store", store_one)
        if isinstance(trouble, OSError):
            imap.poll(mailbox)
        else:
            with pytest.raises(OperationalError):
                imap.poll(mailbox)
    told = Mailbox.objects.get().last_problem
    Mailbox.objects.update(leased_until=None)
    imap.poll(mailbox)

    assert ("No space" in told) is isinstance(trouble, OSError)
    assert (InboundMail.objects.count(), server.unseen()) == (2, 0)


@pytest.mark.plan("SEC-P3")
def test_a_crash_after_storing_is_tidied_up_by_the_next_poll(server, mailbox, monkeypatch):
    put(server, "One")

    def crash(*args):
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(imap, "_tidy", crash)
        imap.poll(mailbox)
    unseen = server.unseen()
    imap.poll(mailbox)

    assert (unseen, server.unseen(), InboundMail.objects.count()) == (1, 0, 1)


def test_the_ledger_finds_what_it_missed(server, mailbox):
    """Reconciled once an hour: what lies on the server and not here is fetched after all."""
    put(server, "One", "Two")
    imap.poll(mailbox)
    InboundMail.objects.first().delete()
    hour = timezone.now() - timedelta(hours=2)

    before = imap.poll(mailbox)
    Mailbox.objects.update(reconciled_at=hour)
    after = imap.poll(mailbox)

    assert (before, after, InboundMail.objects.count()) == (0, 1, 2)


def test_a_server_that_numbers_anew_brings_nothing_twice(server, mailbox):
    put(server, "One", "Two")
    imap.poll(mailbox)
    ledger.process_waiting()
    Mailbox.objects.update(uid_validity=1)

    imap.poll(mailbox)
    InboundMail.objects.filter(fate=Fate.RECEIVED).update(uid_validity=7)
    ledger.process_waiting()

    fates = list(InboundMail.objects.order_by("pk").values_list("fate", flat=True))
    assert fates == ["ticketed", "ticketed"]


@pytest.mark.plan("SEC-D16")
def test_what_is_far_too_large_stays_on_the_server(server, mailbox, settings, monkeypatch):
    monkeypatch.setattr(ledger, "MAX_STORED_BYTES", 5_000)
    settings.MAX_MAIL_BYTES = 4_000
    server.put(make_mail(subject="Large", body="cold " * 2_000).as_bytes())
    put(server, "Small")

    imap.poll(mailbox)
    ledger.process_waiting()

    large, small = InboundMail.objects.order_by("pk")
    assert (large.fate, large.reason, large.subject) == (
        Fate.QUARANTINED, Reason.TOO_LARGE, "Large",
    )  # fmt: skip
    assert large.size > 10_000
    assert (small.fate, server.unseen(), server.in_folder()) == (Fate.TICKETED, 1, 2)


@pytest.mark.plan("SEC-D22")
def test_a_wrong_password_is_said_without_it(server, mailbox, caplog):
    mailbox.secret = "not these words"
    mailbox.save()

    imap.poll(mailbox)

    mailbox.refresh_from_db()
    assert "AUTHENTICATIONFAILED" in mailbox.last_problem.upper()
    assert "not these words" not in mailbox.last_problem + caplog.text
    assert mailbox.polled_at is None


def test_one_poll_at_a_time(server, mailbox):
    put(server, "One")
    Mailbox.objects.update(leased_until=timezone.now() + timedelta(minutes=1))

    assert imap.poll(mailbox) == 0
    assert not InboundMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_mail_arrives_at_once_where_the_server_announces_it(server, mailbox):
    """IDLE"""
    stop = threading.Event()
    follower = threading.Thread(target=following.follow_all, args=(stop,))
    follower.start()
    try:
        wait_until(lambda: Mailbox.objects.get().polled_at)
        time.sleep(0.5)  # now it listens
        put(server, "One")
        wait_until(lambda: Ticket.objects.filter(subject="One").exists())
    finally:
        stop.set()
        follower.join(60)
    assert not follower.is_alive()


def wait_until(is_true, seconds=60):
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.1)

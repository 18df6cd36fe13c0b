"""Mail fetched from a real IMAP server."""

import socket
import threading
import time
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.contrib.messages import get_messages
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from messaging.inbound import following, imap, ledger, tidying
from messaging.models import Fate, InboundMail, Mailbox, Reason
from tickets.models import Ticket

from .mailboxes import save
from .mails import make_mail
from .servers import IN_UNICODE, Dovecot, put

pytestmark = [
    pytest.mark.fault,
    pytest.mark.django_db,
    pytest.mark.skipif(not Dovecot.is_here(), reason="dovecot-imapd is not installed"),
]


@pytest.fixture
def mailbox(polled):
    return polled


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


def test_drafts_and_deleted_mails_are_not_fetched(server, mailbox):
    put(server, "Draft", "Deleted", "Sent")
    with server.client() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Draft")
        client.store("2", "+FLAGS", "\\Deleted")

    counts = [imap.poll(mailbox), imap.poll(mailbox)]

    mailbox.refresh_from_db()
    assert (counts, mailbox.missing) == ([1, 0], 0)
    assert server.in_folder() == 3


@pytest.mark.parametrize(
    ("able", "left"), [(None, 1), (["UIDPLUS"], 1), ([], 3)], ids=["MOVE", "UIDPLUS", "neither"]
)
def test_mail_is_moved_if_that_is_wished(server, mailbox, monkeypatch, able, left):
    """And nothing is removed that somebody else marked as deleted."""
    if able is not None:
        monkeypatch.setattr(tidying, "_abilities", lambda *args: able)
    Mailbox.objects.update(move_to="Done")
    put(server, "Deleted", "One", "Two")
    with server.client() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")

    counts = [imap.poll(mailbox), imap.poll(mailbox)]

    assert counts == [2, 0]
    assert (server.in_folder(), server.in_folder("Done")) == (left, 2)


@pytest.mark.plan("SEC-P3")
def test_what_can_not_be_removed_is_copied_once(server, mailbox, monkeypatch):
    monkeypatch.setattr(tidying, "_abilities", lambda *args: [])
    monkeypatch.setattr(
        tidying, "_remove", Mock(side_effect=tidying.MailboxFlagError(("NO", [b""]), "OK"))
    )
    Mailbox.objects.update(move_to="Done")
    put(server, "One")

    for _poll in range(2):
        imap.poll(mailbox)

    assert server.in_folder("Done") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"move_to": "Nowhere"}, "A folder can’t be found on the server: "),
        ({"folder": "Nowhere"}, "The folder can’t be opened: "),
        ({"secret": "wrong"}, "The server does not let us sign in: "),
        ({"host": "nowhere.invalid"}, "The server’s name is not known: "),
        ({"port": 9}, "No connection to the server: Connection refused"),
    ],
)
def test_a_try_finds_what_would_hinder_a_poll(login, ada, server, mailbox, change, words):
    for name, value in change.items():
        setattr(mailbox, name, value)
    mailbox.save()
    url = reverse("admin:messaging_mailbox_test", args=[mailbox.pk])

    told = str(next(iter(get_messages(login(ada).post(url).wsgi_request))))

    assert told.startswith(f"It does not work: {words}")
    assert "Response status" not in told
    assert "b'" not in told


def test_a_try_of_what_is_well_says_so(login, ada, server, mailbox):
    Mailbox.objects.update(move_to="Done")
    put(server, "One")
    url = reverse("admin:messaging_mailbox_test", args=[mailbox.pk])

    told = get_messages(login(ada).post(url).wsgi_request)

    assert [str(message) for message in told] == ["It works: 1 mail there."]


@pytest.mark.parametrize("able", [["MOVE"], []])
def test_a_poll_that_can_not_move_says_so(server, mailbox, monkeypatch, able):
    monkeypatch.setattr(tidying, "_abilities", lambda *args: able)
    Mailbox.objects.update(move_to="Nowhere")
    put(server, "One")

    imap.poll(Mailbox.objects.get())

    problem = Mailbox.objects.get().last_problem
    assert problem.startswith("Mails can’t be moved to “Nowhere”: ")
    assert "Response status" not in problem


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
        patch.setattr(imap, "tidy", crash)
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
    """... and what is new there has a number that another mail had."""
    old, new = [make_mail(subject=subject).as_bytes() for subject in ("Old", "New")]
    Mailbox.objects.update(folder="Work")
    with server.client() as client:
        client.create("Work")
    server.put(old, "Work")
    imap.poll(Mailbox.objects.get())
    with server.client() as client:
        client.delete("Work")
        client.create("Work")
    server.put(new, "Work")
    server.put(old, "Work")

    imap.poll(Mailbox.objects.get())
    ledger.process_waiting()

    told = InboundMail.objects.order_by("pk").values_list("subject", "fate")
    assert list(told) == [("Old", "ticketed"), ("New", "ticketed"), ("Old", "repeated")]


@pytest.mark.plan("SEC-P3")
def test_elsewhere_the_same_number_names_another_mail(login, ada, server, mailbox):
    put(server, "One")
    imap.poll(mailbox)
    put(server, "Two", folder="Done")
    with imap.opened(mailbox) as box:  # as if both folders were numbered alike
        there = box.folder.status("Done", ["UIDVALIDITY", "UIDNEXT"])
    uid_validity, uid = there["UIDVALIDITY"], there["UIDNEXT"] - 1
    Mailbox.objects.update(uid_validity=uid_validity, last_uid=uid)
    InboundMail.objects.update(uid_validity=uid_validity, uid=uid)

    save(login(ada), mailbox, port=server.port, folder="Done")
    imap.poll(Mailbox.objects.get())
    ledger.process_waiting()

    assert list(Ticket.objects.order_by("pk").values_list("subject", flat=True)) == ["One", "Two"]


@pytest.mark.plan("SEC-P3")
def test_a_mailbox_that_leads_elsewhere_meanwhile_begins_anew(
    login, ada, server, mailbox, meanwhile
):
    """Whoever is at it writes down nothing about the place of before."""
    put(server, "One", "Two")
    client = login(ada)
    meanwhile(2, lambda *_args: save(client, mailbox, port=server.port, folder="Done"))

    imap.poll(mailbox)

    mailbox.refresh_from_db()
    assert (mailbox.uid_validity, mailbox.last_uid, mailbox.reconciled_at) == (None, 0, None)
    assert (mailbox.leased_until, mailbox.last_problem) == (None, "")
    assert list(InboundMail.objects.values_list("uid", "is_tidied")) == [(None, True)]


def test_a_connection_leads_where_it_was_opened(login, ada, server, mailbox):
    put(server, "One")

    with imap.opened(mailbox) as box:
        save(login(ada), mailbox, port=server.port, folder="Done")
        with pytest.raises(imap.Overtaken):
            imap.fetch(mailbox, box)

    assert not InboundMail.objects.exists()
    assert Mailbox.objects.get().leased_until is None


@pytest.mark.plan("SEC-D16")
def test_what_is_far_too_large_stays_on_the_server(server, mailbox, settings):
    settings.MAX_MAIL_BYTES = 1_250
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


def test_who_fetches_keeps_the_mailbox_as_long_as_it_takes(server, mailbox, meanwhile):
    put(server, "One", "Two")
    leases = []

    def look(*_args):
        leases.append(Mailbox.objects.get().leased_until)

    meanwhile(1, look)
    meanwhile(2, look)
    imap.poll(mailbox)

    first, second = leases
    assert first < second
    assert Mailbox.objects.get().leased_until is None


def test_who_took_too_long_leaves_it_to_whoever_took_over(server, mailbox, meanwhile):
    put(server, "One", "Two")
    theirs = timezone.now() + timedelta(hours=1)
    meanwhile(2, lambda *_args: Mailbox.objects.update(leased_until=theirs))

    imap.poll(mailbox)

    mailbox.refresh_from_db()
    assert (mailbox.leased_until, mailbox.last_problem) == (theirs, "")
    assert InboundMail.objects.count() == 1


def test_what_somebody_else_stored_meanwhile_stops_nobody(server, mailbox, meanwhile):
    put(server, "One", "Two")

    def store(box, uid):
        uid_validity = box.folder.status("INBOX", ["UIDVALIDITY"])["UIDVALIDITY"]
        ledger.store(b"x", source="imap", mailbox=mailbox, uid_validity=uid_validity, uid=uid)

    meanwhile(1, store)

    assert imap.poll(mailbox) == 1
    assert (InboundMail.objects.count(), Mailbox.objects.get().last_problem) == (2, "")


def test_what_a_turn_leaves_the_next_one_fetches(server, mailbox):
    """A slow server keeps the worker from nothing else."""
    put(server, "One", "Two")

    turns = []
    for _turn in range(3):
        count = imap.poll_all(turn=0)
        turns.append((count, server.unseen(), bool(Mailbox.objects.get().reconciled_at)))

    assert turns == [(1, 1, False), (1, 0, True), (0, 0, True)]


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        ([], "The connection broke off: socket error: "),
        ([ConnectionResetError(104, "Reset by peer")], "No connection to the server: Reset by"),
    ],
)
def test_a_connection_that_breaks_off_is_said(server, mailbox, meanwhile, causes, words):
    """... with its cause, as signing off does not go well then either."""
    put(server, "One")

    def break_off(box, _uid):
        box.client.sock.shutdown(socket.SHUT_RDWR)
        for cause in causes:
            raise cause

    meanwhile(1, break_off)
    imap.poll(mailbox)

    assert Mailbox.objects.get().last_problem.startswith(words)


def test_a_password_may_have_other_letters_than_ascii(server, mailbox):
    Mailbox.objects.update(secret=IN_UNICODE)
    put(server, "One")

    assert imap.poll(Mailbox.objects.get()) == 1


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

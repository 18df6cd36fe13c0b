"""Mails that their server can't give out, and those that come after them."""

import imaplib
import socket
from pathlib import Path

import pytest
from imap_tools.errors import MailboxFetchError

from messaging.inbound import imap
from messaging.models import InboundMail, Mailbox

from .mailboxes import page
from .servers import Dovecot, put

pytestmark = [
    pytest.mark.fault,
    pytest.mark.django_db,
    pytest.mark.plan("SEC-P3"),
    pytest.mark.plan("SEC-D17"),
    pytest.mark.skipif(not Dovecot.is_here(), reason="dovecot-imapd is not installed"),
]


def hang_up(box):
    box.client.sock.shutdown(socket.SHUT_RDWR)
    raise imaplib.IMAP4.abort("socket error: EOF")


def answer_bad(box):
    raise imaplib.IMAP4.error("UID command error: BAD [b'Internal error']")


def say_nothing(box):
    raise TimeoutError("timed out")


def refuse(box):
    raise MailboxFetchError(("NO", [b"[UNAVAILABLE] Try later"]), "OK")


@pytest.fixture
def breaks(polled, monkeypatch):
    """``breaks(hang_up, "One", "Two")``: what happens if mails of these subjects are fetched. Says
    of each fetching which mail it was for."""
    fetch, tried = imap._part_of, []

    def breaks(how, *subjects):
        def part_of(box, uid, part):
            raw = fetch(box, uid, part)
            tried.append(subject_in(raw))
            if tried[-1] in subjects:
                how(box)
            return raw

        monkeypatch.setattr(imap, "_part_of", part_of)
        return tried

    return breaks


def poll(mailbox, times=1) -> list[int]:
    return [imap.poll(Mailbox.objects.get(pk=mailbox.pk)) for _time in range(times)]


def subject_in(raw: bytes) -> str:
    return raw.partition(b"Subject: ")[2].split()[0].decode()


def fetched() -> list[str]:
    mails = InboundMail.objects.order_by("pk")
    return [subject_in(Path(mail.raw.path).read_bytes()) for mail in mails]


@pytest.mark.parametrize("how", [hang_up, answer_bad, say_nothing])
def test_what_comes_after_a_broken_mail_is_fetched(server, polled, breaks, how):
    put(server, "One", "Broken", "Two", "Three")
    tried = breaks(how, "Broken")

    counts = poll(polled, times=4)
    put(server, "Four")
    counts += poll(polled)

    polled.refresh_from_db()
    assert (counts, fetched()) == ([0, 2, 0, 0, 1], ["One", "Two", "Three", "Four"])
    assert tried.count("Broken") == 2, "After the others, and then not before an hour"
    assert (polled.missing, polled.last_problem, server.unseen()) == (1, "", 1)


def test_a_mail_that_is_refused_keeps_nobody_waiting(server, polled, breaks):
    """Of those behind it."""
    put(server, "One", "Broken", "Two")
    tried = breaks(refuse, "Broken")

    counts = poll(polled, times=4)
    put(server, "Three")
    counts += poll(polled)

    polled.refresh_from_db()
    assert (counts, fetched()) == ([2, 0, 0, 0, 1], ["One", "Two", "Three"])
    assert tried.count("Broken") == 2, "Once more, and then not before an hour"
    assert (polled.missing, polled.last_problem, len(polled.broken_uids)) == (1, "", 1)


def test_mails_that_are_refused_for_a_moment_are_fetched_by_the_next_poll(server, polled, breaks):
    put(server, "One")
    poll(polled)
    put(server, "Two", "Broken", "Worse", "Three")
    breaks(refuse, "Broken", "Worse")
    counts = poll(polled)
    breaks(refuse)

    counts += poll(polled)

    polled.refresh_from_db()
    assert (counts, fetched()) == ([2, 2], ["One", "Two", "Three", "Broken", "Worse"])
    assert (polled.missing, polled.broken_uids) == (0, [])


def test_a_server_that_refuses_all_mails_is_in_trouble(server, polled, breaks, monkeypatch):
    """They are not to blame; and it is asked for no more than there is time for."""
    put(server, "One", "Two", "Three")
    tried = breaks(refuse, "One", "Two", "Three")

    counts = poll(polled)
    problem = Mailbox.objects.get().last_problem
    monkeypatch.setattr(imap, "TURN", 0)
    counts += poll(polled)
    polled.refresh_from_db()

    assert counts == [0, 0]
    assert problem == "The server does not give out the mails: [UNAVAILABLE] Try later"
    assert tried == ["One", "Two", "Three", "One"]
    assert (polled.polled_at, polled.broken_uids) == (None, [])
    breaks(refuse)
    assert poll(polled) == [3]


@pytest.mark.parametrize("answer", [lambda *args: None, refuse])
def test_who_gets_nothing_keeps_to_the_turn_and_keeps_the_mailbox(
    server, polled, monkeypatch, answer
):
    put(server, "One", "Two", "Three")
    leases = []

    def part_of(box, uid, part):
        leases.append(Mailbox.objects.get().leased_until)
        return answer(box)

    monkeypatch.setattr(imap, "_part_of", part_of)
    poll(polled)
    imap.poll_all(turn=0)

    first, second, third, fourth = leases
    assert first < second < third < fourth


def test_several_broken_ones_are_tried_in_turn(login, ada, server, polled, breaks):
    put(server, "Bad", "Worse", "One")
    tried = breaks(hang_up, "Bad", "Worse")

    poll(polled, times=3)
    for _hour in range(4):
        Mailbox.objects.update(reconciled_at=None)
        put(server, "More")
        poll(polled, times=2)

    polled.refresh_from_db()
    broken = [subject for subject in tried if subject in ("Bad", "Worse")]
    assert fetched() == ["One"] + ["More"] * 4
    assert broken == ["Bad", "Worse", "Bad"] + ["Worse", "Bad"] * 2
    assert polled.missing == 2
    shown = login(ada).get(page("mailbox_change", polled.pk)).text
    assert "UID {}, {}".format(*polled.broken_uids) in shown


def test_a_mail_that_was_broken_is_fetched_once_it_is_not(server, polled, breaks):
    put(server, "Broken", "One")
    breaks(hang_up, "Broken")
    poll(polled, times=3)
    breaks(hang_up)

    Mailbox.objects.update(reconciled_at=None)
    poll(polled)

    polled.refresh_from_db()
    assert fetched() == ["One", "Broken"]
    assert (polled.missing, polled.broken_uids) == (0, [])


def test_a_broken_mail_that_is_gone_is_forgotten(server, polled, breaks):
    put(server, "Broken", "One")
    breaks(hang_up, "Broken")
    poll(polled, times=3)
    with server.client() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()

    Mailbox.objects.update(reconciled_at=None)
    poll(polled)

    polled.refresh_from_db()
    assert (polled.missing, polled.broken_uids) == (0, [])


def test_a_network_that_breaks_off_once_costs_nothing(server, polled, meanwhile):
    put(server, "One", "Two")
    meanwhile(1, lambda box, uid: hang_up(box))

    counts = poll(polled, times=2)

    polled.refresh_from_db()
    assert counts == [0, 2]
    assert (polled.missing, polled.broken_uids) == (0, [])

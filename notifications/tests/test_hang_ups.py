"""Servers end connections as they like: that stops no mail, but at most the one it met."""

from collections import Counter

import pytest
from django.utils import timezone

from accounts.tests.factories import make_user
from notifications.mail import backends, outbox

from .outgoing import owe_welcome, rows
from .smtp import HANG_UP, SLOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plan("SEC-F4")]

CLOSED = "Connection unexpectedly closed"


@pytest.fixture
def people(db):
    return [make_user() for _ in range(12)]


class Script:
    """``ends(command, when)``: the server ends the connection at ``command`` when ``when`` says so
    of how many mails it took over it and of the recipient; with a ``word``, or without."""

    def __init__(self, sink):
        self.handler = sink.handler
        self.taken = Counter()  # by connection
        self.met = Counter()  # by connection
        self.handle_RCPT, self.handle_DATA = sink.handler.handle_RCPT, sink.handler.handle_DATA
        for command in ("MAIL", "RCPT", "DATA"):
            setattr(sink.handler, f"handle_{command}", getattr(self, command))

    def ends(self, command, when, word=""):
        self.command, self.when, self.word = command, when, word

    def _end(self, command, server, session, address=""):
        if command != self.command or not self.when(self.taken[session.peer], address):
            return None
        self.met[session.peer] += 1
        if not self.word:
            server.transport.abort()
        return self.word or "250 Nobody hears this"

    async def MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self._end("MAIL", server, session) or "250 Ok"

    async def RCPT(self, server, session, envelope, address, options):
        end = self._end("RCPT", server, session, address)
        return end or await self.handle_RCPT(server, session, envelope, address, options)

    async def DATA(self, server, session, envelope):
        if end := self._end("DATA", server, session, envelope.rcpt_tos[0]):
            return end
        self.taken[session.peer] += 1
        return await self.handle_DATA(server, session, envelope)


@pytest.fixture
def server(sink):
    return Script(sink)


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("MAIL", "421 4.7.0 Too many in one connection"),
        ("MAIL", ""),
        ("RCPT", "421 4.7.0 Too many in one connection"),
        ("RCPT", ""),
        ("DATA", "421 4.7.0 Too many in one connection"),
    ],
)
def test_a_server_that_takes_so_many_in_a_connection_gets_all_at_once(
    sink, server, people, command, word
):
    """None of them has to wait or loses a try, and none goes twice."""
    server.ends(command, lambda taken, address: taken == 5, word)
    owe_welcome(*people)

    outbox.drain()

    assert set(rows("state", "tries")) == {("sent", 0)}
    assert list(server.taken.values()) == [5, 5, 2]
    assert set(sink.message_ids().values()) == {1}


def test_even_if_it_takes_one_in_each_connection(sink, server, people):
    server.ends("MAIL", lambda taken, address: taken == 1)
    owe_welcome(*people)

    outbox.drain()

    assert list(server.taken.values()) == [1] * 12
    assert set(rows("state", "tries")) == {("sent", 0)}


@pytest.mark.parametrize("place", [0, 5])
def test_a_mail_at_which_the_server_hangs_up_holds_up_no_other(sink, server, people, place):
    bad = people[place].email
    server.ends("RCPT", lambda taken, address: address == bad)
    owe_welcome(*people)

    outbox.drain()

    owed = rows("email", "state", "tries", "lease", "last_answer")
    assert owed.pop(place) == (bad, "owed", 1, None, CLOSED)
    assert {mail[1:4] for mail in owed} == {("sent", 0, None)}
    assert len(sink.mails) == 11


def test_what_it_hangs_up_at_in_passing_goes_at_once(sink, server, people):
    """Over the next connection."""
    server.ends("RCPT", lambda taken, address: taken and address == people[5].email)
    owe_welcome(*people)

    outbox.drain()

    assert set(rows("state", "tries")) == {("sent", 0)}


@pytest.mark.plan("SEC-F3")
@pytest.mark.parametrize("word", ["", "421 Closing"])
def test_a_server_that_hangs_up_at_two_fresh_mails_is_away(sink, server, people, clock, word):
    """Whoever waits then loses no try."""
    server.ends("MAIL", lambda taken, address: True, word)
    owe_welcome(*people)

    outbox.drain()

    words = f"The server can’t be talked to: {word or CLOSED}"
    assert list(server.met.values()) == [1, 1]
    assert rows("state", "tries", "lease") == [("owed", 1, None)] * 2 + [("owed", 0, None)] * 10
    assert [answer for (answer,) in rows("last_answer")[2:]] == [words] * 10
    assert min(rows("next_try_at"))[0] > timezone.now()


def test_they_must_be_on_end(sink, server, people):
    bad = [people[place].email for place in (0, 2, 4, 6)]
    server.ends("RCPT", lambda taken, address: address in bad)
    owe_welcome(*people)

    outbox.drain()

    assert [email for email, state in rows("email", "state") if state == "owed"] == bad
    assert len(sink.mails) == 8


def test_a_refusal_is_an_answer_too(sink, server, people):
    """Some end a connection after so many errors."""
    for person in people:
        sink.handler.answers[person.email] = ["450 Later"]
    seen = Counter()
    server.ends("MAIL", lambda taken, address: (seen.update("x") or seen["x"]) % 4 == 0)
    owe_welcome(*people)

    outbox.drain()

    assert set(rows("state", "tries", "last_answer")) == {("owed", 1, "450 Later")}


def test_who_takes_a_mail_and_hangs_up_gets_the_others(sink, people):
    """And that one not again soon: it may have it."""
    for place in (0, 5):
        sink.handler.ends[people[place].email] = [HANG_UP] * 9
    owe_welcome(*people)

    outbox.drain()

    answers = rows("state", "tries", "last_answer")
    lost = ("owed", 1, "The server hung up, and may have taken it")
    assert [answers.pop(5), answers.pop(0)] == [lost] * 2
    assert {answer[:2] for answer in answers} == {("sent", 0)}
    assert set(sink.message_ids().values()) == {1}


def test_who_takes_two_on_end_and_hangs_up_gets_no_more(sink, people):
    """It would get all of them, and all of them again."""
    for person in people:
        sink.handler.ends[person.email] = [HANG_UP]
    owe_welcome(*people)

    outbox.drain()

    assert len(sink.mails) == 2
    assert rows("state", "tries") == [("owed", 1)] * 2 + [("owed", 0)] * 10


def test_a_slow_server_leaves_time_for_other_work(sink, people, settings, monkeypatch):
    """What is left stays due; nobody is told to wait."""
    settings.EMAIL_TIMEOUT = 0.5
    monkeypatch.setattr(backends, "MOST_SECONDS_LOST", 0.4)
    for place in (0, 1):
        sink.handler.answers[people[place].email] = [SLOW]
    owe_welcome(*people)

    drained = []
    for _turn in range(3):
        outbox.drain()
        drained.append(rows("state", "tries", "lease"))

    slow, sent, due = ("owed", 1, None), ("sent", 0, None), ("owed", 0, None)
    assert drained == [
        [slow, *[due] * 11],
        [slow, slow, *[due] * 10],
        [slow, slow, *[sent] * 10],
    ]

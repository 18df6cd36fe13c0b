"""Three hundred mails at once; ``SOAK=1`` makes them two thousand."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from email.policy import SMTP
from statistics import median
from threading import Barrier

import pytest
from django.db import connections

from accounts.tests.factories import make_user
from messaging.inbound import ledger
from messaging.inbound.lmtp import Server
from messaging.inbound.sandbox import Reader
from messaging.models import Fate, InboundMail
from notifications.models import Notification
from notifications.tests.smtp import free_port
from tickets.mail_addresses import new_message_id
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .mails import make_mail, take_in
from .test_doors import deliver

MAILS = 2_000 if os.environ.get("SOAK") else 300
PEOPLE = 100
MINUTES = 4
PATIENCE = 2  # seconds for a page, beside it on the same machine


@pytest.mark.load
@pytest.mark.plan("SEC-G6")
@pytest.mark.django_db(transaction=True)
def test_a_burst_is_settled_in_time_and_in_order(kettles, login):
    """... while pages are answered as ever."""
    people = [make_user(f"P{n}") for n in range(PEOPLE)]
    tickets = [make_ticket(person, category=kettles) for person in people]
    named = [new_message_id(t, p) for t, p in zip(tickets, people, strict=True)]
    started = time.monotonic()

    for number in range(MAILS):
        who = number % PEOPLE
        mail = make_mail(people[who].email, body=f"{number}", In_Reply_To=named[who])
        ledger.store(mail.as_bytes(), source="imap")
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        answers = list(read_pages(login(people[0]), tickets[0], worker))

    assert time.monotonic() - started < MINUTES * 60
    assert worker.result() == MAILS
    assert {status for status, _seconds in answers} == {200}
    assert median(seconds for _status, seconds in answers) < PATIENCE
    assert InboundMail.objects.filter(fate=Fate.APPENDED).count() == MAILS
    for number, ticket in enumerate(tickets):
        said = ticket.events.filter(kind="message").order_by("number")
        assert [int(line.text) for line in said] == list(range(number, MAILS, PEOPLE))


def work():
    try:
        return ledger.process_waiting()
    finally:
        connections.close_all()


def read_pages(client, ticket, worker):
    """The status of each, and the seconds it took, as long as ``worker`` works."""
    while not worker.done():
        started = time.monotonic()
        status = client.get(ticket.get_absolute_url()).status_code
        yield status, time.monotonic() - started


@pytest.mark.plan("SEC-D12")
@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_the_same_mail_by_two_doors_at_once_is_counted_once(kettles):
    """LMTP, whose mails the worker reads, and the pipe, which reads its own."""
    raw = make_mail("zoe@example.org").as_bytes(policy=SMTP)
    server = Server("127.0.0.1", free_port())
    server.start()
    barrier = Barrier(2)

    def by_lmtp():
        barrier.wait()
        answers = deliver(server, raw)
        work()
        return answers

    def by_pipe():
        barrier.wait()
        try:
            with Reader() as reader:
                return take_in(raw, reader=reader).source
        finally:
            connections.close_all()

    try:
        with ThreadPoolExecutor(2) as pool:
            ways = [pool.submit(by_lmtp), pool.submit(by_pipe)]
            assert [way.result() for way in ways] == [[250], "pipe"]
    finally:
        server.stop()
    ledger.process_waiting()

    fates = sorted(InboundMail.objects.values_list("fate", flat=True))
    assert (fates, Ticket.objects.count()) == (["repeated", "ticketed"], 1)
    assert Notification.objects.filter(kind="ticket_raised").count() == 1


@pytest.mark.plan("SEC-D12")
@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_the_same_mail_by_two_ways_at_once_is_counted_once(kettles):
    """Each way has a process of its own."""
    raws = [make_mail(subject=f"{n}").as_bytes() for n in range(5)]
    barrier = Barrier(3, timeout=120)  # one that fails ends the others

    def receive(number):
        try:
            with Reader() as reader:
                for raw in raws:
                    barrier.wait()
                    take_in(raw, reader=reader)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(receive, range(3)))

    fates = list(InboundMail.objects.values_list("fate", flat=True))
    assert (fates.count("ticketed"), fates.count("repeated")) == (5, 10)
    assert Ticket.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_workers_settle_each_mail_once(kettles):
    for number in range(10):
        ledger.store(make_mail(subject=f"{number}").as_bytes(), source="imap")
    barrier = Barrier(2)

    def work_at_once(_number):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(work_at_once, range(2)))
    ledger.process_waiting()

    subjects = list(Ticket.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == [str(number) for number in range(10)]
    assert sum(counts) <= 10

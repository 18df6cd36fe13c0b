"""Two thousand mails at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts.tests.factories import make_user
from messaging.inbound import ledger
from messaging.inbound.sandbox import Reader
from messaging.models import Fate, InboundMail
from tickets.mail_addresses import new_message_id
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

from .mails import make_mail, take_in

MAILS = 2_000
PEOPLE = 100
MINUTES = 4


@pytest.mark.load
@pytest.mark.plan("SEC-G6")
@pytest.mark.django_db(transaction=True)
def test_a_burst_is_settled_in_time_and_in_order(kettles):
    people = [make_user(f"P{n}") for n in range(PEOPLE)]
    tickets = [make_ticket(person, category=kettles) for person in people]
    named = [new_message_id(t, p) for t, p in zip(tickets, people, strict=True)]
    started = time.monotonic()

    for number in range(MAILS):
        who = number % PEOPLE
        mail = make_mail(people[who].email, body=f"{number}", In_Reply_To=named[who])
        ledger.store(mail.as_bytes(), source="imap")
    ledger.process_waiting()

    assert time.monotonic() - started < MINUTES * 60
    assert InboundMail.objects.filter(fate=Fate.APPENDED).count() == MAILS
    for number, ticket in enumerate(tickets):
        said = ticket.events.filter(kind="message").order_by("number")
        assert [int(line.text) for line in said] == list(range(number, MAILS, PEOPLE))


@pytest.mark.plan("SEC-D12")
@pytest.mark.plan("SEC-E1")
@pytest.mark.django_db(transaction=True)
def test_the_same_mail_by_two_ways_at_once_is_counted_once(kettles):
    """Each way has a process of its own."""
    raws = [make_mail(subject=f"{n}").as_bytes() for n in range(5)]
    barrier = Barrier(3)

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

    def work(_number):
        barrier.wait()
        try:
            return ledger.process_waiting()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(work, range(2)))
    ledger.process_waiting()

    subjects = list(Ticket.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == [str(number) for number in range(10)]
    assert sum(counts) <= 10

"""The server refuses everything: it is left alone, nothing is given up, and administrators hear."""

import threading
from datetime import timedelta

import pytest
from django.core.mail import get_connection
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from careregistry.doctor import ask_mail_out
from notifications.mail import outbox
from notifications.mail.circuit import Breaker, circuit_open
from notifications.models import AddressTrouble, Circuit, Notification, OutgoingMail
from notifications.owing import owe

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind
State = OutgoingMail.State
NO = "550 5.1.1 Go away"


def owe_welcome(*people):
    for person in people:
        owe(Kind.WELCOME, person, cause=f"user:{person.pk}")


@pytest.fixture
def people(db):
    return [make_user() for _ in range(9)]


@pytest.fixture
def stopped(sink, clock, people):
    """Nobody was accepted, so the circuit is open. ``refuse`` says what the server answers."""
    refuse(sink, *people)
    owe_welcome(*people)
    outbox.drain()
    return sink


def refuse(sink, *people):
    for person in people:
        sink.handler.answers[person.email] = [NO] * 20


def states():
    return set(OutgoingMail.objects.values_list("state", flat=True))


def asked(sink):
    """How many recipients the server was asked about and refused."""
    return sum(20 - len(answers) for answers in sink.handler.answers.values() if answers)


def test_many_refusals_on_end_stop_all_mail_and_give_up_none(stopped, people):
    assert circuit_open().last_answer == NO
    assert states() == {State.OWED}
    assert asked(stopped) == len(people)  # what was claimed already; from now on one at a time
    assert not AddressTrouble.objects.exists()


def test_who_got_mail_before_tries_first(sink, clock, people, alice):
    """P13: the others may all be dead addresses, and the server well."""
    owe_welcome(alice)
    outbox.drain()
    clock.shift(1)
    refuse(sink, *people)
    owe_welcome(*people[:-1])
    outbox.drain()
    owe_welcome(people[-1])  # dead as well, and never tried
    owe(Kind.WELCOME, alice, cause="user:again")
    assert circuit_open()

    clock.shift(301)
    outbox.drain()

    assert circuit_open() is None
    assert [mail.recipients for mail in sink.mails] == [[alice.email]] * 2


def test_one_mail_at_a_time_tries_ever_more_seldom(stopped, clock):
    started, tries = timezone.now(), []
    for _minute in range(60):
        before = asked(stopped)
        outbox.drain()
        outbox.drain()
        tries += [(timezone.now() - started).total_seconds() // 60] * (asked(stopped) - before)
        clock.shift(60)

    assert tries == [5, 10, 20, 35, 50]


def test_the_first_that_is_accepted_lets_all_go(stopped, clock, people):
    stopped.handler.answers.clear()
    clock.shift(299)
    outbox.drain()
    too_early = len(stopped.mails)

    clock.shift(1)
    outbox.drain()

    assert (too_early, len(stopped.mails)) == (0, len(people))
    assert stopped.message_ids() == dict.fromkeys(
        OutgoingMail.objects.values_list("message_id", flat=True), 1
    )
    assert states() == {State.SENT}
    assert circuit_open() is None


def test_somebody_new_tries_first(stopped, clock, alice):
    """Of who was refused, the address itself may be dead."""
    owe_welcome(alice)

    clock.shift(300)
    outbox.drain()

    assert len(stopped.to(alice)) == 1
    assert circuit_open() is None


def test_dead_addresses_stop_others_no_second_time(stopped, clock, alice, people):
    """They were given another chance, and that one was the last."""
    owe_welcome(alice)
    clock.shift(300)
    outbox.drain()

    failed = OutgoingMail.objects.filter(state=State.FAILED).count()
    owe(Kind.WELCOME, alice, cause="user:again")
    outbox.drain()

    assert (failed, circuit_open()) == (len(people), None)
    assert len(stopped.to(alice)) == 2


def test_one_accepted_among_them_is_enough(sink, people, alice):
    refuse(sink, *people)
    owe_welcome(*people[:4], alice, *people[4:8])

    outbox.drain()

    assert circuit_open() is None
    assert OutgoingMail.objects.filter(state=State.FAILED).count() == 8


def test_one_accepted_by_another_worker_is_enough(sink, people, alice, clock):
    """This worker has not heard of it when it counts its own."""
    refuse(sink, *people)
    owe_welcome(*people[:4])
    outbox.drain()
    clock.shift(1)
    owe_welcome(alice)
    (hers,) = outbox.claim(breaker := Breaker())
    breaker.is_troubled = False  # as if it had begun before the refusals
    outbox.deliver(hers, get_connection(), breaker)
    owe_welcome(*people[4:8])
    outbox.drain()

    assert circuit_open() is None


def test_one_address_alone_stops_nothing(sink, alice):
    sink.handler.answers[alice.email] = ["554 No"] * 9
    for number in range(9):
        owe(Kind.WELCOME, alice, cause=f"user:{number}")

    outbox.drain()

    assert (circuit_open(), states()) == (None, {State.FAILED})


def test_a_refused_sender_stops_all_as_well(sink, people):
    async def no(server, session, envelope, address, options):
        return "550 5.7.1 Not you"

    sink.handler.handle_MAIL = no
    owe_welcome(*people)

    outbox.drain()

    assert circuit_open().last_answer == "550 5.7.1 Not you"
    assert states() == {State.OWED}


@pytest.mark.parametrize("round_", range(3))
def test_two_workers_try_with_one_mail(stopped, clock, people, round_):
    """P5"""
    clock.shift(300)
    barrier = threading.Barrier(2)
    before = asked(stopped)

    def work():
        try:
            barrier.wait()
            outbox.drain()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert asked(stopped) - before == 1


# --- Who hears of it ---------------------------------------------------------------------


def test_administrators_hear_once_and_by_mail_when_it_works(sink, clock, people, ada):
    refuse(sink, *people)
    owe_welcome(*people)
    outbox.drain()
    told = list(Notification.objects.filter(recipient=ada).values_list("kind", flat=True))
    sink.handler.answers.clear()
    clock.shift(300)

    outbox.drain()

    assert told == [Kind.MAIL_STOPPED]
    (mail,) = sink.to(ada)
    assert mail["Subject"] == "The mail server refused everything for a while"
    assert reverse("admin:notifications_outgoingmail_changelist") in mail.text


def test_the_doctor_and_the_dashboard_say_why_no_mail_goes_out(stopped, login, ada, settings):
    page = login(ada).get(reverse("admin:index")).content.decode()

    assert ask_mail_out().found == f"The server refuses everything: {NO}"
    assert f"no mail goes out: {NO}" in page


def test_an_administrator_need_not_wait(stopped, clock, login, ada):
    stopped.handler.answers.clear()
    circuit = Circuit.objects.get()
    page = reverse("admin:notifications_circuit_changelist")
    outbox.drain()
    waited = len(stopped.mails)

    clock.shift(60)

    login(ada).post(page, {"action": "try_now", "_selected_action": [circuit.pk]})
    outbox.drain()

    assert waited == 0
    assert states() == {State.SENT}


def test_administrators_hear_of_mails_given_up_once_an_hour(sink, clock, ada, alice, people):
    """Refused at once is no case for them: staff see it on the ticket."""
    for person in (alice, *people[:3]):
        sink.handler.answers[person.email] = ["451 Later"] * 9
    sink.handler.answers[people[4].email] = ["550 Spam"]
    owe_welcome(alice, *people[:5])
    outbox.drain()
    told = Notification.objects.filter(kind=Kind.MAIL_GIVEN_UP)
    before = told.count()

    clock.shift(timedelta(hours=49))
    outbox.drain()

    assert before == 0
    assert told.values_list("recipient__email", "mail__state").get() == (ada.email, "sent")
    assert sink.to(ada)[-1]["Subject"] == "Mails were given up"


def test_that_such_a_mail_was_given_up_alarms_nobody(sink, clock, ada):
    sink.handler.answers[ada.email] = ["451 Later"] * 9
    owe(Kind.MAIL_GIVEN_UP, ada, cause="mails-given-up:1")
    outbox.drain()

    clock.shift(timedelta(hours=49))
    outbox.drain()

    assert (states(), Notification.objects.count()) == ({State.FAILED}, 1)

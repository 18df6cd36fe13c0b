"""The server refuses everything: it is left alone, and administrators hear."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.signals import account_mail_composed
from accounts.tests.factories import make_user
from careregistry.doctor import ask_mail_out
from notifications.mail import outbox
from notifications.mail.backends import KeptConnection
from notifications.mail.circuit import Breaker, circuit_open
from notifications.models import AddressTrouble, Circuit, Notification, OutgoingMail
from notifications.owing import owe

from .outgoing import owe_welcome
from .workers import two_workers

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Notification.Kind
State = OutgoingMail.State
NO = "550 5.7.1 Go away"
OUTBOX = reverse("admin:notifications_outgoingmail_changelist")


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


def owe_code(person):
    account_mail_composed.send(
        sender=None, user=person, kind="login_code", email=person.email,
        subject="Code", text="31415926", html="",
        expires_at=timezone.now() + timedelta(minutes=10),
    )  # fmt: skip


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
    assert asked(stopped) == len(people)  # what was claimed already; from now on a few at a time


@pytest.mark.parametrize("answer", ["550 5.1.1 No such user", "550 Unrouteable address"])
def test_addresses_that_do_not_exist_stop_nothing(sink, people, answer):
    """P13: anybody can forge five senders that nobody reads."""
    for person in people:
        sink.handler.answers[person.email] = [answer]
    owe_welcome(*people)

    outbox.drain()

    assert (circuit_open(), states()) == (None, {State.FAILED})
    assert AddressTrouble.objects.count() == len(people)


def test_codes_are_tried_all_the_same(stopped, clock, alice, people):
    """They expire before the next that try. The first that is accepted lets all go."""
    stopped.handler.answers.clear()
    owe_code(alice)

    outbox.drain()

    assert [mail.recipients for mail in stopped.mails][:1] == [[alice.email]]
    assert circuit_open() is None


def test_a_refused_code_is_tried_ever_more_seldom(stopped, clock, alice):
    refuse(stopped, alice)
    owe_code(alice)
    started, tries = timezone.now(), []
    for _second in range(0, 600, 5):
        before = len(stopped.handler.answers[alice.email])
        outbox.drain()
        if len(stopped.handler.answers[alice.email]) < before:
            tries.append((timezone.now() - started).total_seconds())
        clock.shift(5)

    assert tries == [0, 15, 30, 60, 120, 240, 480]
    assert circuit_open() is not None


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


def test_of_several_that_try_one_accepted_is_enough(sink, clock, people, alice):
    """P13: none of them ever got mail, and dead addresses come first."""
    refuse(sink, *people)
    owe_welcome(*people[:5])
    outbox.drain()
    assert circuit_open()
    owe_welcome(*people[5:], alice)

    clock.shift(300)
    outbox.drain()

    assert len(sink.to(alice)) == 1
    assert circuit_open() is None


def test_those_that_try_go_to_different_people(stopped, clock, alice, people):
    """Whose address is dead may have ten mails waiting."""
    stopped.handler.answers[alice.email] = [NO] * 20
    for number in range(10):
        owe(Kind.WELCOME, alice, cause=f"user:{number}")

    clock.shift(300)
    outbox.drain()

    assert len(stopped.handler.answers[alice.email]) == 19
    assert asked(stopped) == len(people) + 5


def test_a_few_mails_try_ever_more_seldom(stopped, clock):
    started, tries = timezone.now(), []
    for _minute in range(60):
        before = asked(stopped)
        outbox.drain()
        outbox.drain()
        if count := asked(stopped) - before:
            tries.append(((timezone.now() - started).total_seconds() // 60, count))
        clock.shift(60)

    assert tries == [(5, 5), (10, 5), (20, 5), (35, 5), (50, 5)]


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
    outbox.deliver(hers, KeptConnection(), breaker)
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
def test_of_two_workers_one_tries(stopped, clock, people, round_):
    """P5"""
    clock.shift(300)
    before = asked(stopped)

    two_workers(outbox.drain)

    assert asked(stopped) - before == 5


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
    assert mail["Subject"] == "The mail server refused everything"
    assert f"{OUTBOX}?state=failed\n" in mail.text


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
    assert f"{OUTBOX}?state=failed\n" in sink.to(ada)[-1].text


def test_that_such_a_mail_was_given_up_alarms_nobody(sink, clock, ada):
    sink.handler.answers[ada.email] = ["451 Later"] * 9
    owe(Kind.MAIL_GIVEN_UP, ada, cause="mails-given-up:1")
    outbox.drain()

    clock.shift(timedelta(hours=49))
    outbox.drain()

    assert (states(), Notification.objects.count()) == ({State.FAILED}, 1)

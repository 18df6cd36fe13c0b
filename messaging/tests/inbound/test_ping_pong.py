"""Two machines that answer each other come to an end, and staff see that they did."""

from datetime import UTC, datetime
from email.utils import parseaddr

import pytest
import time_machine
from django.core import mail as django_mail

from messaging import ruling
from messaging.actions import post_message
from messaging.inbound import ledger
from messaging.models import InboundMail
from notifications.mail import outbox
from notifications.models import Notification
from tickets.actions import assign
from tickets.automation import rules
from tickets.models import RuleRun, Ticket, TicketEvent
from tickets.promise import away
from tickets.tests.factories import make_policy, make_ticket
from tickets.tests.reading import texts
from tickets.tests.ruled import make_rule
from tickets.workflow import Status

from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)
MANY = 40  # mails of the machine, after which we believe that it goes on for ever


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(SATURDAY) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def office(settings, kettles):
    settings.REPLY_ADDRESS = "care@example.net"
    make_policy()
    kettles.away_words = "Nobody is here right now."
    kettles.save()
    away.forget()
    yield kettles
    rules.forget()


def play(machine, first, *, to_plain_address=False) -> int:
    """``machine`` answers each mail of ours, and hides that it is one. How many mails it wrote."""
    waiting, written = [first], 0
    while waiting and written < MANY:
        take_in(waiting.pop(0))
        written += 1
        ruling.run()
        outbox.drain()
        for ours in django_mail.outbox:
            if ours.to == [machine]:
                to = parseaddr(ours.from_email)[1] if to_plain_address else ours.reply_to[0]
                waiting.append(make_mail(machine, "Out of office", f"Away. {written}", To=to))
        django_mail.outbox.clear()
    return written


def stopped():
    """Of which tickets it is said that automatic answers stopped."""
    lines = TicketEvent.objects.filter(kind="silenced", audience="staff", actor=None)
    return list(lines.order_by("pk").values_list("ticket", flat=True))


@pytest.mark.plan("SEC-P13")
@pytest.mark.plan("SEC-D8")
@pytest.mark.plan("SEC-D9")
def test_a_machine_that_answers_each_mail_in_its_thread(settings, ada):
    """Five answers within the hour, whatever rules say; then nothing, and one word to staff."""
    make_rule("wrote", message="We look into it.")

    written = play("robot@example.com", make_mail("robot@example.com"))

    ticket = Ticket.objects.get()
    answers = ticket.events.filter(actor=None, kind="message", data__with_receipt__isnull=True)
    # Its first mail got the receipt.
    assert answers.count() + 1 == settings.AUTOMATIC_ANSWERS_PER_HOUR == 5
    assert written < 10
    assert stopped() == [ticket.pk]
    assert Notification.objects.filter(kind="silenced").get().recipient == ada
    refused = RuleRun.objects.order_by("-pk").first()
    assert "was answered often enough" in refused.answer


@pytest.mark.plan("SEC-P13")
@pytest.mark.plan("SEC-D8")
@pytest.mark.parametrize("message", ["", "Thank you."])
def test_a_machine_that_opens_a_ticket_with_each_mail(ada, message):
    if message:
        make_rule("raised", message=message)

    written = play("robot@example.com", make_mail("robot@example.com"), to_plain_address=True)

    assert written < 10
    assert InboundMail.objects.filter(fate="ticketed").count() == written
    assert stopped() != []
    assert Notification.objects.filter(kind="silenced", recipient=ada).count() == 1


@pytest.mark.plan("SEC-P13")
def test_a_rule_that_resolves_what_a_machine_opens_again(alice, bob, ada, office):
    make_rule("moved", message="Done.", move_to=Status.RESOLVED)
    ticket = make_ticket(alice, bob, Status.OPEN, by=ada, category=office)
    ruling.run()
    outbox.drain()
    ours = [each for each in django_mail.outbox if each.to == [alice.email]][-1]
    django_mail.outbox.clear()

    written = play(alice.email, make_mail(alice.email, To=ours.reply_to[0]))

    assert written < 10
    assert stopped() == [ticket.pk]
    assert Notification.objects.filter(kind="silenced").get().recipient == bob


def test_an_hour_later_answers_go_on(alice, bob, ada, office, clock):
    make_rule("wrote", message="We look into it.")
    ticket = make_ticket(alice, bob, category=office, by=ada)
    for _time in range(7):
        post_message(ticket, by=alice, body="Hello?")
        ruling.run()
    by_rule = ticket.events.filter(data__rule="rule", kind="message")
    before = by_rule.count()
    clock.shift(3601)
    post_message(ticket, by=alice, body="Hello?")
    ruling.run()

    # What stood beside the receipt at the beginning is no answer more.
    assert (before, by_rule.count()) == (5, 6)
    assert stopped() == [ticket.pk]


def test_one_customer_does_not_use_up_what_another_gets(alice, carol, office):
    """On pages each conversation has its own."""
    make_rule("wrote", message="We look into it.")
    tickets = [make_ticket(person, category=office) for person in (alice, carol)]
    for _time in range(6):
        post_message(tickets[0], by=alice, body="Hello?")
    post_message(tickets[1], by=carol, body="Hello?")
    ruling.run()

    told = [each.events.filter(data__rule="rule").count() for each in tickets]
    assert told == [5, 1]


def test_what_colleagues_set_off_is_no_answer(alice, bob, ada, office):
    """A rule writes as often as staff give it cause."""
    make_rule("answered", message="How did we do?")
    ticket = make_ticket(alice, bob, category=office, by=ada)
    for _time in range(6):
        post_message(ticket, by=bob, body="Try this.")
    ruling.run()

    assert ticket.events.filter(data__rule="rule").count() == 6
    assert stopped() == []


@pytest.mark.parametrize(("reader", "reads_it"), [("bob", True), ("alice", False)])
def test_the_workspace_says_that_answers_stopped(
    login, request, alice, bob, ada, office, reader, reads_it
):
    make_rule("wrote", message="We look into it.")
    ticket = make_ticket(alice, bob, category=office, by=ada)
    for _time in range(6):
        post_message(ticket, by=alice, body="Hello?")
    ruling.run()

    person = request.getfixturevalue(reader)
    page = login(person).get(ticket.url_for(person))
    events = " ".join(texts(page, ".ccr-log__event"))
    assert ("Automatic answers to Alice Archer stopped: 5 within an hour." in events) is reads_it


@pytest.mark.plan("SEC-D9")
def test_a_machine_that_an_administrator_lets_through_is_not_answered(ada):
    """... while the mail of a person is."""
    of_machine = take_in(make_mail("robot@example.com", Auto_Submitted="auto-generated"))
    ledger.retry(InboundMail.objects.filter(pk=of_machine.pk), by=ada)
    forged = take_in(make_mail("yan@example.com", Received_SPF="fail (mx)"))
    of_person = take_in(make_mail("zoe@example.com"))

    of_machine.refresh_from_db()
    mails = (of_machine, forged, of_person)
    assert [mail.ticket.events.filter(actor=None).count() for mail in mails] == [0, 0, 1]


def mail_to(address):
    outbox.drain()
    (mail,) = [each for each in django_mail.outbox if each.to == [address]]
    django_mail.outbox.clear()
    return mail


def test_one_mail_says_that_it_arrived_and_that_nobody_is_there(office):
    """D1-14: the receipt of a ticket raised out of hours."""
    office.acknowledgement = "We repair within two weeks."
    office.save()
    take_in(make_mail("zoe@example.com"))
    receipt = mail_to("zoe@example.com")

    assert "We repair within two weeks.\n\nNobody is here right now." in receipt.body
    assert "We are back Monday 23 November at 09:00." in receipt.body


def test_the_mail_says_that_it_is_an_automatic_answer(alice, bob, ada, office, clock):
    """RFC 3834; what people write is none."""
    clock.move_to(FRIDAY_NOON)
    ticket = make_ticket(alice, bob, category=office, by=ada)
    outbox.drain()
    django_mail.outbox.clear()
    clock.move_to(SATURDAY)
    post_message(ticket, by=alice, body="Still cold.")
    answer = mail_to(alice.email)
    post_message(ticket, by=bob, body="I come on Monday.")
    of_bob = mail_to(alice.email)

    assert "Nobody is here right now." in answer.body
    assert answer.message()["Auto-Submitted"] == "auto-replied"
    assert of_bob.message()["Auto-Submitted"] != "auto-replied"


@pytest.mark.plan("SEC-D8")
def test_what_nobody_wrote_carries_no_words_of_a_strangers_mail(bob, ada):
    """Anybody may write "From: the victim": rules and routing must not send it on to them. What a
    person answers quotes as ever."""
    make_rule("raised", message="Thank you.")
    victim, words = "victim@example.com", "Buy pills at evil.example"
    mail = take_in(make_mail(victim, words, f"{words}!"))
    ruling.run()
    assign(mail.ticket, to=bob, by=None, rule="dealt")
    outbox.drain()
    automatic = [each for each in django_mail.outbox if each.to == [victim]]
    django_mail.outbox.clear()
    post_message(mail.ticket, by=bob, body="Which pills?")

    assert len(automatic) > 1
    for each in automatic:
        assert "evil.example" not in each.message().as_string()
    assert "Thank you." in "".join(each.body for each in automatic)
    assert "evil.example" in mail_to(victim).body

"""What staff answer by mail: who is believed, and what becomes of what is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.inbound import ledger
from messaging.models import Fate, InboundMail, Reason, SenderRule
from notifications.mail.composing import compose
from notifications.models import OutgoingMail
from tickets.actions import assign, change_status
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .mails import answer_to, make_mail, take_in


@pytest.fixture(autouse=True)
def mailbox_of_ours(settings, kettles):
    settings.REPLY_ADDRESS = "care@example.net"


@pytest.mark.plan("SEC-D4")
def test_an_agent_answers_what_only_they_got(ticket, bob):
    mail = take_in(
        answer_to(ticket, bob, body="We send a new one.\n\nOn Fri 20 Nov Alice wrote:\n> Note: VIP")
    )

    line = mail.event
    assert (mail.fate, line.actor) == (Fate.APPENDED, bob)
    assert line.text == "We send a new one."  # what staff quote may be internal


@pytest.mark.plan("SEC-D4")
@pytest.mark.parametrize(
    "said",
    [
        {"Authentication_Results": "mx.example.net; dmarc=fail"},
        {"Authentication_Results": "mx.example.net; spf=softfail smtp.mailfrom=x; dkim=none"},
        {"ARC_Authentication_Results": "i=1; mx.example.net; dmarc=fail"},
        {"Received_SPF": "Fail (mx.example.net: domain of bob@example.org does not designate it)"},
    ],
)
def test_an_agent_whose_server_does_not_vouch_is_not_believed(ticket, bob, said):
    before = ticket.event_count

    mail = take_in(answer_to(ticket, bob, **said))

    ticket.refresh_from_db()
    assert (mail.fate, mail.reason, ticket.event_count) == (Fate.HELD, Reason.STAFF, before)


@pytest.mark.plan("SEC-D1")
def test_who_asks_answers_like_anybody_who_asks(bob, dave, ada, kettles):
    """An agent, on a complaint of their own: whatever they quote is what a customer gets."""
    own = make_ticket(bob, dave, by=ada, category=kettles)
    change_status(own, Status.CLOSED, by=bob)

    mail = take_in(answer_to(own, bob, body="It is cold again.\n\n> We sent a new one."))

    own.refresh_from_db()
    assert (mail.fate, mail.event.actor, mail.event.text) == (
        Fate.APPENDED, bob, "It is cold again.\n\n> We sent a new one.",
    )  # fmt: skip
    assert own.status == Status.OPEN


@pytest.mark.plan("SEC-D4")
def test_who_asks_and_works_here_is_not_believed_without_proof(bob, dave, ada, kettles):
    own = make_ticket(bob, dave, by=ada, category=kettles)

    mail = take_in(answer_to(own, bob, Received_SPF="fail (mx)"))

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.STAFF)


@pytest.fixture
def held(ticket, bob):
    """Makes another answer of Bob's that is held."""
    return lambda: take_in(answer_to(ticket, bob, body="CANARY", Received_SPF="fail (mx)"))


@pytest.mark.plan("SEC-D8")
def test_who_seems_to_have_written_hears_that_it_is_held(ticket, bob, held):
    """Once an hour, whoever wrote it: with the ticket, and no word of the mail."""
    mails = [held(), held()]
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=2))
    mails.append(held())

    letters = OutgoingMail.objects.filter(subject="Mail held").order_by("pk")
    words = letters[0].content["text"]
    assert [mail.reason for mail in mails] == [Reason.STAFF] * 3
    assert [letter.recipient for letter in letters] == [bob, bob]
    assert "Claims to come from staff, without proof." in words
    assert ticket.workspace_url in words
    assert "CANARY" not in str(letters[0].content)
    assert compose(letters[0]).extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.plan("SEC-D8")
def test_who_quotes_what_only_staff_may_read_hears_of_it_too(ticket, bob, settings):
    mail = take_in(answer_to(ticket, bob, body=f"Sent. {settings.SITE_URL}/workspace/"))

    assert mail.reason == Reason.UNCLEAR
    assert OutgoingMail.objects.get(subject="Mail held").recipient == bob


@pytest.mark.plan("SEC-D8")
def test_tried_again_in_vain_it_tells_nobody_twice(held):
    mail = held()
    OutgoingMail.objects.filter(subject="Mail held").delete()

    ledger.retry(InboundMail.objects.filter(pk=mail.pk))

    mail.refresh_from_db()
    assert mail.fate == Fate.HELD
    assert not OutgoingMail.objects.filter(subject="Mail held").exists()


@pytest.mark.plan("SEC-D8")
def test_who_may_not_see_the_ticket_is_not_led_there(ticket, alice, bob, dave, ada):
    """Nor is who names a ticket by what was made for somebody else."""
    mail = answer_to(ticket, bob)
    assign(ticket, to=dave, by=ada)

    take_in(mail)
    take_in(answer_to(ticket, alice, sender=ada.email))

    letters = OutgoingMail.objects.filter(subject="Mail held").order_by("pk")
    assert [letter.recipient for letter in letters] == [bob, ada]
    assert [ticket.reference in str(letter.content) for letter in letters] == [False, False]


@pytest.mark.plan("SEC-D4")
def test_who_has_the_ticket_no_more_cannot_answer_on_it(ticket, bob, dave, ada, kettles):
    """Whoever lets it through: it never becomes a complaint of the agent's own."""
    mail = answer_to(ticket, bob)
    assign(ticket, to=dave, by=ada)

    held = take_in(mail)
    (freed,) = ledger.retry(InboundMail.objects.filter(pk=held.pk), by=ada)
    assign(ticket, to=bob, by=ada)
    (again,) = ledger.retry(InboundMail.objects.filter(pk=held.pk))

    fates = [(each.fate, each.reason) for each in (held, freed, again)]
    assert fates == [(Fate.HELD, Reason.NOT_THEIRS)] * 2 + [(Fate.APPENDED, "")]
    assert Ticket.objects.count() == 1


@pytest.mark.plan("SEC-D4")
def test_staff_who_are_blocked_are_held_and_hear_of_it(ticket, alice, bob):
    """A rule for a domain may be older than they."""
    SenderRule.objects.create(pattern="example.org", verdict=SenderRule.Verdict.BLOCK)

    of_staff, of_customer = take_in(answer_to(ticket, bob)), take_in(answer_to(ticket, alice))

    assert (of_staff.fate, of_staff.reason) == (Fate.HELD, Reason.BLOCKED)
    assert (of_customer.fate, of_customer.reason) == (Fate.IGNORED, Reason.BLOCKED)
    assert OutgoingMail.objects.get(subject="Mail held").recipient == bob


@pytest.mark.plan("P8")
def test_the_ticket_says_what_is_held(ticket, alice, bob, dave, ada, login, held):
    """To whoever works on it; each hears what they can do about it."""
    mail = held()

    pages = [login(each).get(ticket.workspace_url).text for each in (bob, ada)]
    ledger.drop(InboundMail.objects.filter(pk=mail.pk), by=ada)

    assert "from the address of Bob Baker is held" in pages[0]
    assert "If you wrote it, write it here instead." in pages[0]
    assert f"/admin/messaging/inboundmail/{mail.pk}/change/" in pages[1]
    assert "is held, and nobody got it" not in login(bob).get(ticket.workspace_url).text
    assert "CANARY" not in pages[0]


@pytest.mark.plan("SEC-D8")
def test_each_ticket_has_its_own_word_of_what_is_held(ticket, alice, bob, ada, kettles, held):
    other = make_ticket(alice, bob, by=ada, category=kettles)
    held()

    take_in(answer_to(other, bob, body="CANARY", Received_SPF="fail (mx)"))

    letters = OutgoingMail.objects.filter(subject="Mail held").order_by("pk")
    assert [letter.ticket for letter in letters] == [ticket, other]


@pytest.mark.plan("P8")
def test_staff_see_that_a_customers_server_does_not_vouch(ticket, alice, bob, login):
    """The signed address may have been forwarded, so it is no proof alone."""
    believed = take_in(answer_to(ticket, alice, body="It stays cold."))
    assert "not proved" not in login(bob).get(ticket.workspace_url).text

    mail = take_in(answer_to(ticket, alice, body="Send it to me.", Received_SPF="fail (mx)"))

    assert (believed.fate, mail.fate) == (Fate.APPENDED, Fate.APPENDED)
    assert "the sender is not proved" in login(bob).get(ticket.workspace_url).text
    assert "not proved" not in login(alice).get(ticket.get_absolute_url()).text


@pytest.mark.plan("SEC-D4")
@pytest.mark.parametrize("person", ["bob", "ada", "dave"])
def test_the_address_of_staff_alone_proves_nothing(ticket, request, person, alice):
    staff = request.getfixturevalue(person)
    before = ticket.event_count
    mails = [
        make_mail(f"Staff <{staff.email}>", f"Re: {ticket.reference}"),
        answer_to(ticket, alice, sender=staff.email),
    ]

    found = [take_in(mail) for mail in mails]

    ticket.refresh_from_db()
    assert {(mail.fate, mail.reason) for mail in found} == {(Fate.HELD, Reason.STAFF)}
    assert (ticket.event_count, Ticket.objects.count()) == (before, 1)

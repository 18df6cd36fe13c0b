"""Whoever lets a mail through reads before what comes of it, and that comes."""

import pytest

from messaging.inbound import ledger
from messaging.inbound.foreseeing import foresee
from messaging.models import Fate, InboundMail, Reason
from tickets.actions import bin_ticket, change_status
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .mailboxes import choose, page
from .mails import answer_to, make_mail, take_in

SPAM = {"X_Spam_Flag": "YES"}
FORGED = {"Received_SPF": "fail (mx)"}
OWN = (
    "It becomes a ticket of {name}’s own, whatever number its subject has. No customer gets it: "
    "only what answers a mail that {name} alone got is passed on."
)
FREED = "What held it counts no more, as you have looked at it. Anything else may hold it again."


@pytest.fixture(autouse=True)
def mailbox_of_ours(settings, kettles):
    settings.REPLY_ADDRESS = "care@example.net"


def of_bob(ticket, people):
    return make_mail("bob@example.org", f"Re: [{ticket.reference}] My kettle")


def answer_of(name, **more):
    return lambda ticket, people: answer_to(ticket, people[name], **more)


@pytest.mark.parametrize(
    ("make", "status", "words", "fate"),
    [
        (of_bob, "open", OWN.format(name="Bob Baker"), Fate.TICKETED),
        (
            answer_of("bob", **FORGED),
            "open",
            "It becomes an answer of Bob Baker on {ticket}, which the customer gets, if what is "
            "new in it can be told from what it quotes.",
            Fate.APPENDED,
        ),
        (
            answer_of("bob", body="> Note: VIP"),
            "open",
            "It would be held again. What is new in it can’t be told from what it quotes.",
            Fate.HELD,
        ),
        (
            answer_of("dave"),
            "open",
            "It would be held again. Its sender can’t write on the ticket it answers.",
            Fate.HELD,
        ),
        (
            answer_of("alice", **SPAM),
            "open",
            "It becomes an answer of Alice Archer on {ticket}.",
            Fate.APPENDED,
        ),
        (
            answer_of("alice", **SPAM),
            "closed",
            "It becomes an answer of Alice Archer on {ticket}, which it opens again.",
            Fate.APPENDED,
        ),
        (
            answer_of("alice", **SPAM),
            "withdrawn",
            "It becomes a new ticket of Alice Archer, which follows up {ticket}.",
            Fate.TICKETED,
        ),
        (
            lambda ticket, people: make_mail("zoe@example.org", **SPAM),
            "open",
            "It becomes a ticket of zoe@example.org.",
            Fate.TICKETED,
        ),
    ],
)
def test_it_becomes_what_the_question_says(
    ticket, alice, bob, dave, ada, login, make, status, words, fate
):
    mail = take_in(make(ticket, {"alice": alice, "bob": bob, "dave": dave}))
    if status != "open":
        change_status(ticket, Status(status), by=alice)

    asked = login(ada).get(page("inboundmail_free", mail.pk))
    (settled,) = ledger.retry(InboundMail.objects.all(), by=ada)

    words = words.format(ticket=ticket)
    assert (asked.context["words"], settled.fate) == (words, fate)
    assert words in asked.text


def test_an_answer_of_staff_on_a_complaint_of_their_own_is_one_of_its_requester(
    bob, dave, ada, kettles
):
    own = make_ticket(bob, dave, by=ada, category=kettles)
    mail = take_in(answer_to(own, bob, **FORGED))

    assert foresee(mail) == f"It becomes an answer of Bob Baker on {own}."
    (settled,) = ledger.retry(InboundMail.objects.all(), by=ada)
    assert (settled.fate, settled.ticket) == (Fate.APPENDED, own)


def test_one_that_is_chosen_in_the_list_says_so_too(ada, login):
    mail = take_in(make_mail("zoe@example.org", **SPAM))

    asked = choose(login(ada), "free", mail, answered="")

    assert asked.context["words"] == "It becomes a ticket of zoe@example.org."


def test_an_answer_on_what_is_in_the_bin_becomes_a_ticket(ticket, alice, ada):
    mail = take_in(answer_to(ticket, alice, **SPAM))
    bin_ticket(Ticket.objects.get(pk=ticket.pk), by=ada)
    mail = InboundMail.objects.get(pk=mail.pk)

    assert foresee(mail) == "It becomes a ticket of Alice Archer."
    assert ledger.retry(InboundMail.objects.all(), by=ada)[0].fate == Fate.TICKETED


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (Fate.QUARANTINED, Reason.UNREADABLE),
        (Fate.HELD, Reason.TOO_MANY),
        (Fate.HELD, Reason.REFUSED),
        (Fate.DROPPED, Reason.SPAM),
    ],
)
def test_nothing_is_foretold_of_what_more_decides_about(ada, login, fate, reason):
    mail = InboundMail.objects.create(
        source="pipe", size=1, sender="zoe@example.org", fate=fate, reason=reason, raw="mail-in/0"
    )

    asked = login(ada).get(page("inboundmail_free", mail.pk))

    assert (foresee(mail), asked.context["words"]) == ("", FREED)

"""Which ticket a mail belongs to, and who may write there by mail."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import Standing, User
from accounts.tests.factories import make_user
from messaging.models import Fate, InboundMail, Reason
from tickets.actions import change_status
from tickets.models import LinkKind, Ticket, TicketLink
from tickets.parties import participants
from tickets.relations.merging import merge
from tickets.tests.factories import make_ticket
from tickets.workflow import Status

from .mails import answer_to, make_mail, take_in

BOB = "Bob <bob@example.org>"


@pytest.fixture(autouse=True)
def mailbox_of_ours(settings, kettles):
    settings.REPLY_ADDRESS = "care@example.net"


def last_line(ticket):
    return ticket.events.order_by("-number").first()


@pytest.mark.plan("SEC-D1")
@pytest.mark.parametrize("by", ["In-Reply-To", "References", "To"])
def test_an_answer_is_added_to_its_ticket(ticket, alice, by):
    mail = take_in(answer_to(ticket, alice, by=by))

    line = last_line(ticket)
    assert (mail.fate, mail.ticket, mail.event) == (Fate.APPENDED, ticket, line)
    assert (line.kind, line.actor, line.text) == ("message", alice, "Still cold.")
    assert line.data == {"channel": "email", "mail": mail.pk}
    assert Ticket.objects.count() == 1


@pytest.mark.plan("SEC-D1")
def test_a_participant_answers(ticket, carol, ada):
    participants.add(ticket, carol.email, by=ada)

    mail = take_in(answer_to(ticket, carol))

    assert (mail.fate, last_line(ticket).actor) == (Fate.APPENDED, carol)


@pytest.mark.plan("SEC-D1")
def test_an_answer_ends_the_waiting(ticket, alice, bob):
    change_status(ticket, Status.WAITING, by=bob)

    take_in(answer_to(ticket, alice))

    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN


@pytest.mark.plan("SEC-D1")
@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED])
def test_an_answer_opens_what_ended_lately(alice, bob, ada, kettles, status):
    ticket = make_ticket(alice, bob, status, by=ada, category=kettles)

    mail = take_in(answer_to(ticket, alice))

    ticket.refresh_from_db()
    assert (mail.fate, ticket.status, ticket.reopen_count) == (Fate.APPENDED, Status.OPEN, 1)
    assert last_line(ticket).text == "Still cold."


@pytest.mark.plan("SEC-D1")
def test_later_it_makes_a_new_ticket_that_follows_up(alice, bob, ada, kettles):
    old = make_ticket(alice, bob, Status.CLOSED, by=ada, category=kettles)
    Ticket.objects.filter(pk=old.pk).update(closed_at=timezone.now() - timedelta(days=30))

    mail = take_in(answer_to(old, alice))

    old.refresh_from_db()
    assert (mail.fate, old.status) == (Fate.TICKETED, Status.CLOSED)
    assert mail.ticket != old
    link = TicketLink.objects.get(ticket=mail.ticket)
    assert (link.other, link.kind) == (old, LinkKind.FOLLOW_UP)


@pytest.mark.plan("SEC-D1")
def test_whoever_never_signed_up_can_answer(kettles, bob, ada):
    """D0-22: a customer may live wholly in the mailbox."""
    first = take_in(make_mail("Zoe <zoe@example.org>"))
    zoe = User.objects.get(email="zoe@example.org")

    second = take_in(answer_to(first.ticket, zoe))

    assert zoe.standing == Standing.UNCLAIMED
    assert (second.fate, second.ticket) == (Fate.APPENDED, first.ticket)
    assert last_line(first.ticket).actor == zoe


SUBJECTS = [
    "{}",
    "Re: {}",
    "Fwd: [{}]",
    "AW: [{}] Kettle",
    "RE: RV: Antw: {}",
    "[#{}]",
    "Ticket {}",
]


@pytest.mark.plan("SEC-D2")
@pytest.mark.plan("SEC-D7")
@pytest.mark.plan("SEC-P8")
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_number_in_the_subject_opens_nothing(ticket, alice, login, subject):
    """Of a stranger: the requester never reads it (Ticket Trick)."""
    lines = ticket.event_count

    mail = take_in(
        make_mail("no-reply@shop.example", subject.format(ticket.reference), "Code 31415926")
    )

    ticket.refresh_from_db()
    assert (mail.fate, ticket.event_count) == (Fate.TICKETED, lines)
    assert mail.ticket != ticket
    assert "31415926" not in login(alice).get(ticket.get_absolute_url()).text
    assert login(alice).get(mail.ticket.get_absolute_url()).status_code == 404


@pytest.mark.plan("SEC-D3")
@pytest.mark.parametrize("header", ["In-Reply-To", "References", "To"])
def test_forged_names_of_a_ticket_are_ignored(ticket, alice, header):
    """The same mail as above, with one letter of the signature changed."""
    mail = answer_to(ticket, alice, by=header)
    named = mail[header]
    first, _dash, rest = named.partition("-")
    del mail[header]
    mail[header] = f"{first}-{'b' if rest[0] == 'a' else 'a'}{rest[1:]}"

    found = take_in(mail)

    assert found.fate == Fate.TICKETED
    assert found.ticket != ticket


@pytest.mark.plan("SEC-D7")
@pytest.mark.parametrize("sender", ["Stranger <mallory@example.com>", "Carol <carol@example.org>"])
def test_what_was_made_for_one_person_is_worth_nothing_to_another(ticket, alice, carol, sender):
    mail = take_in(answer_to(ticket, alice, sender=sender))

    assert mail.fate == Fate.TICKETED
    assert mail.ticket != ticket
    assert last_line(ticket).kind != "message"


def test_who_takes_part_no_more_writes_a_ticket_of_their_own(ticket, carol, ada):
    participants.add(ticket, carol.email, by=ada)
    mail = answer_to(ticket, carol)
    participants.remove(ticket, person=carol.pk, by=ada)

    found = take_in(mail)

    assert (found.fate, found.ticket.requester) == (Fate.TICKETED, carol)


@pytest.mark.plan("SEC-C7")
@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.DECLINED, Standing.PENDING])
def test_closed_accounts_write_nothing(ticket, alice, standing):
    alice.standing = standing
    alice.save()

    mails = [take_in(answer_to(ticket, alice)), take_in(make_mail())]

    assert {(mail.fate, mail.reason) for mail in mails} == {(Fate.HELD, Reason.SHUT)}


@pytest.mark.plan("SEC-D5")
def test_others_who_got_the_mail_get_nothing(ticket, alice, carol):
    copies = ", ".join([carol.email, *(f"copy{n}@example.com" for n in range(100))])
    people = User.objects.count()

    mail = take_in(answer_to(ticket, alice, Cc=copies))

    assert mail.fate == Fate.APPENDED
    assert User.objects.count() == people
    assert ticket.participants.count() == 0


@pytest.mark.plan("SEC-D6")
@pytest.mark.parametrize(
    "header",
    ["Reply-To", "Sender", "X-Original-Sender", "Resent-From", "X-Sender", "Return-Path", "X-From"],
)
def test_only_from_says_who_wrote(ticket, alice, header):
    mail = take_in(answer_to(ticket, alice, sender="m@example.com", **{header: f"<{alice.email}>"}))

    assert mail.fate == Fate.TICKETED
    assert mail.ticket.requester.email == "m@example.com"


@pytest.mark.plan("SEC-D6")
def test_headers_and_commands_decide_nothing(alice, kettles):
    body = "#priority urgent\nstatus: closed\n@assign bob@example.org"
    mail = take_in(make_mail(body=body, X_Priority="1", Importance="high", X_Assignee="bob"))

    ticket = mail.ticket
    assert (ticket.priority, ticket.status, ticket.assignee) == ("normal", Status.NEW, None)
    assert ticket.description == body


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.plan("SEC-D12")
@pytest.mark.plan("SEC-P3")
def test_the_same_mail_again_is_counted_once(ticket, alice, times):
    mail = answer_to(ticket, alice)

    fates = [take_in(mail).fate for _time in range(times)]

    assert fates == [Fate.APPENDED] + [Fate.REPEATED] * (times - 1)
    assert ticket.events.filter(kind="message").count() == 1
    assert InboundMail.objects.exclude(first=None).count() == times - 1


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_further_address_of_theirs_counts_once_it_is_confirmed(ticket, alice, is_confirmed):
    EmailAddress.objects.create(user=alice, email="al@example.com", verified=is_confirmed)

    mail = take_in(answer_to(ticket, alice, sender="al@example.com"))

    assert (mail.ticket == ticket) is is_confirmed


def test_merged_tickets_go_on_in_the_other(ticket, alice, bob, ada, kettles):
    other = make_ticket(alice, bob, by=ada, category=kettles)
    mail = answer_to(ticket, alice)
    merge(ticket, into=other, by=bob)

    assert take_in(mail).ticket == other


def test_strangers_are_known_by_their_address_only(kettles):
    mail = take_in(make_mail("Zoe Zed <Zoe@Example.org>"))

    zoe = User.objects.get(email="zoe@example.org")
    assert (zoe.first_name, zoe.standing, zoe.has_usable_password()) == (
        "Zoe Zed", Standing.UNCLAIMED, False,
    )  # fmt: skip
    assert (mail.person, mail.ticket.requester) == (zoe, zoe)
    assert mail.ticket.events.get(number=1).channel.label == "by email"


def test_more_than_the_limit_waits_for_staff(settings, kettles):
    settings.TICKETS_PER_HOUR = 2
    make_user("Zoe", email="zoe@example.org")

    mails = [take_in(make_mail("zoe@example.org", f"Number {n}")) for n in range(3)]

    assert [mail.fate for mail in mails] == [Fate.TICKETED, Fate.TICKETED, Fate.HELD]
    assert (mails[2].reason, mails[2].sender) == (Reason.TOO_MANY, "zoe@example.org")

"""SEC-D11: what came back is shown where staff look, and a dead address gets no more mail."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import Standing, User
from accounts.signals import account_mail_composed, email_changed, user_confirmed
from accounts.tests.factories import make_user
from messaging.actions import post_message
from messaging.tests.inbound.mails import take_in
from notifications.mail import bounces, outbox, unsubscribing
from notifications.models import AddressTrouble, Notification, OutgoingMail
from notifications.preferences import choices_for
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.reading import texts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plan("SEC-D11")]

State = OutgoingMail.State


def report(to="alice@example.org", action="failed", status="5.1.1", answer="550 5.1.1 Gone",
           headers="text/rfc822-headers", sender="MAILER-DAEMON@mx.example.net"):  # fmt: skip
    """RFC 3464, with ``{id}`` for the mail it is about."""
    return (
        f"Return-Path: <>\nFrom: Mail Delivery System <{sender}>\nTo: care@example.net\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\n\n'
        "--r\nContent-Type: text/plain\n\nI’m sorry to have to inform you.\n"
        "--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n"
        f"Remote-MTA: dns; mx.example.org\nDiagnostic-Code: smtp; {answer}\n\n"
        f"--r\nContent-Type: {headers}\n\nFrom: care@example.net\nTo: {to}\n"
        "Message-ID: {id}\nSubject: Kettle\n\n--r--\n"
    )


FORWARDED = "Original-Recipient: rfc822; alice@example.org\nFinal-Recipient: rfc822; a@new.example"
RELAYED = "Final-Recipient: rfc822; alice@example.org\nAction: relayed\nStatus: 2.0.0\n\n"
SYSTEMS = {
    "forwarded": (
        report().replace("Final-Recipient: rfc822; alice@example.org", FORWARDED), "550 5.1.1 Gone",
    ),
    "relayed, then failed": (
        report().replace("Final-Recipient:", f"{RELAYED}Final-Recipient:", 1), "550 5.1.1 Gone",
    ),
    "forwarded, then failed there": (
        report(to="a@new.example").replace("Final-", f"{RELAYED}Final-", 1), "550 5.1.1 Gone",
    ),
    "Exchange, without a report": (
        "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@us.example>\n"
        "Subject: Undeliverable: Kettle\nContent-Type: multipart/mixed; boundary=r\n\n"
        "--r\nContent-Type: text/plain\n\nDelivery has failed to these recipients or groups:\n\n"
        "alice@example.org\n\nRemote Server returned '550 5.1.10 RecipientNotFound'\n"
        "--r\nContent-Type: message/rfc822\n\nMessage-ID: {id}\nSubject: Kettle\n\nHello\n--r--\n",
        "RecipientNotFound",
    ),
    "Postfix": (report(answer="550 5.1.1 <alice@example.org>: unknown"), "unknown"),
    "Exchange": (
        report(
            status="5.1.10", headers="message/rfc822", sender="postmaster@outlook.example",
            answer="550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found",
        ),
        "RESOLVER.ADR.RecipientNotFound",
    ),
    "Gmail": (
        report(
            headers="message/rfc822", sender="mailer-daemon@googlemail.com",
            answer="550-5.1.1 The email account that you tried to reach does not exist.",
        ),
        "does not exist",
    ),
    "Sendmail": (report(status="5.2.1", answer="553 5.2.1 Mailbox disabled"), "Mailbox disabled"),
    "Exim": (
        "Return-Path: <>\nX-Failed-Recipients: alice@example.org\n"
        "From: Mail Delivery System <Mailer-Daemon@e.example>\n"
        "Subject: Mail delivery failed: returning message to sender\nAuto-Submitted: auto-replied"
        "\n\nA message that you sent could not be delivered.\n\n  alice@example.org\n"
        "    550 Unrouteable address\n\n------ This is a copy. ------\n\nMessage-Id: {id}\n",
        "550 Unrouteable address",
    ),
    "qmail": (
        "Return-Path: <>\nFrom: MAILER-DAEMON@q.example\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at q.example.\n\n<alice@example.org>:\n"
        "Remote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy.\n\n"
        "Message-ID: {id}\n",
        "550 5.1.1 no such user",
    ),
}  # fmt: skip


@pytest.fixture
def talk(sink, ticket):
    """Alice's ticket with Bob; nothing is owed because of what happened so far."""
    Notification.objects.all().delete()
    return ticket


@pytest.fixture
def mailed(talk, bob, alice):
    """Mails to Alice that were accepted, one for each of ``bodies``."""

    def write(*bodies):
        for body in bodies:
            post_message(talk, by=bob, body=body)
        outbox.drain()
        sent = OutgoingMail.objects.filter(recipient=alice, state=State.SENT).order_by("-pk")
        return list(sent[: len(bodies)])

    return write


def come_back(mail, raw=None):
    return take_in((raw or report()).replace("{id}", mail.message_id).encode())


def flag(email="alice@example.org"):
    for _mail in range(3):
        bounces.note_trouble(email, "550 5.1.1 Gone")


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_came_back_is_tied_to_its_mail_and_ticket(mailed, talk, system):
    raw, answer = SYSTEMS[system]
    (mail,) = mailed("Hello")

    came = come_back(mail, raw)

    mail.refresh_from_db()
    assert (mail.state, mail.ticket, came.ticket) == (State.FAILED, talk, talk)
    assert mail.sent_at < mail.bounced_at
    assert answer in mail.last_answer
    assert AddressTrouble.objects.values_list("email", "bounces").get() == (mail.email, 1)
    assert Ticket.objects.count() == 1


def test_what_is_only_late_stays_accepted(mailed):
    (mail,) = mailed("Hello")

    come_back(mail, report(action="delayed", status="4.4.1", answer="450 Greylisted"))

    mail.refresh_from_db()
    assert (mail.state, mail.bounced_at, mail.last_answer) == ("sent", None, "450 Greylisted")
    assert not AddressTrouble.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        report(to="carol@example.org"),  # we sent that mail to somebody else
        report().replace("{id}", "<0123456789abcdef@localhost>"),
        report().replace("Message-ID: {id}\n", ""),
    ],
)
def test_a_forged_report_silences_nobody(mailed, raw, carol):
    """P8: the right one stands above."""
    (mail,) = mailed("Hello")

    for _again in range(3):
        come_back(mail, raw.replace("Subject:", f"X-Turn: {_again}\nSubject:", 1))

    mail.refresh_from_db()
    assert (mail.state, mail.bounced_at) == (State.SENT, None)
    assert not AddressTrouble.objects.exists()


def test_each_mail_counts_once(mailed):
    (mail,) = mailed("Hello")

    for turn in range(5):
        come_back(mail, report(answer=f"550 Turn {turn}"))

    assert AddressTrouble.objects.get().bounces == 1


def test_a_dead_address_gets_no_more_mail_but_what_proves_that_it_works(mailed, sink, alice, carol):
    for mail in mailed("One", "Two", "Three"):
        come_back(mail)
    sink.mails.clear()

    mailed("Four")
    account_mail_composed.send(
        sender=None, user=alice, kind="code", email=alice.email, subject="Code",
        text="31415926", html="", expires_at=None,
    )  # fmt: skip
    outbox.drain()

    (dropped,) = OutgoingMail.objects.filter(state=State.DROPPED)
    assert dropped.last_answer == "Mails to this address came back, so it gets no more."
    assert [mail["Subject"] for mail in sink.to(alice)] == ["Code"]


@pytest.mark.parametrize(("answer", "count"), [("550 5.1.1 No such user", 1), ("550 Spam", 0)])
def test_a_recipient_refused_at_once_counts_if_nobody_is_there(mailed, sink, alice, answer, count):
    sink.handler.answers[alice.email] = [answer]

    mailed("Hello")

    assert AddressTrouble.objects.count() == count


def test_trouble_is_forgotten_after_a_month_without(db, clock):
    bounces.note_trouble("alice@example.org", "Gone")
    bounces.note_trouble("alice@example.org", "Gone")
    clock.shift(timedelta(days=31))
    bounces.note_trouble("Alice@Example.org", "Gone")

    assert AddressTrouble.objects.values_list("bounces", "flagged_at").get() == (1, None)


def test_what_came_back_goes_out_again_as_a_new_mail(mailed, sink, alice):
    (mail,) = mailed("Hello")
    come_back(mail)

    outbox.send_again(OutgoingMail.objects.filter(pk=mail.pk))
    outbox.drain()

    first, second = sink.to(alice)
    assert first["Message-ID"] != second["Message-ID"]
    assert OutgoingMail.objects.get(pk=mail.pk).state == State.FAILED
    assert bounces.flagged([alice.email]) == set()


# --- Mailed again -------------------------------------------------------------------


@pytest.mark.parametrize("signal", [user_confirmed, email_changed])
def test_who_proves_the_address_is_mailed_again(alice, signal):
    flag()

    signal.send(sender=None, user=alice, old="old@example.org")

    assert not AddressTrouble.objects.exists()


@pytest.mark.parametrize("is_code", [True, False])
def test_who_signs_in_by_a_code_is_mailed_again(alice, client, sink, is_code):
    """By password they may read no mail at all."""
    flag()

    if is_code:
        client.post(reverse("account_request_login_code"), {"email": alice.email})
        outbox.drain()
        code = next(word for word in sink.to(alice)[-1].text.split() if word.isdecimal())
        client.post(reverse("account_confirm_login_code"), {"code": code})
    else:
        client.post(
            reverse("account_login"), {"login": alice.email, "password": "three small words"}
        )

    assert client.session["_auth_user_id"] == str(alice.pk)
    assert AddressTrouble.objects.exists() != is_code


@pytest.mark.plan("SEC-H6")
def test_an_administrator_has_it_mailed_again(login, ada):
    flag()
    flag("carol@example.org")
    page = reverse("admin:notifications_addresstrouble_changelist")
    alices = AddressTrouble.objects.get(email="alice@example.org")

    answer = login(ada).post(page, {"action": "mail_again", "_selected_action": [alices.pk]})

    assert answer.status_code == 302
    assert bounces.flagged(["alice@example.org", "carol@example.org"]) == {"carol@example.org"}
    lines = LogEntry.objects.values_list("object_id", "object_repr", "change_message")
    assert list(lines) == [(str(alices.pk), "alice@example.org", "Mailed again.")]


# --- Who sees it ------------------------------------------------------------------------


def test_staff_see_it_on_the_ticket_and_on_the_person(login, talk, alice, bob, ada):
    words = "Mails to Alice Archer do not arrive"
    person = reverse("admin:accounts_user_change", args=[alice.pk])
    before = login(bob).get(talk.workspace_url).content.decode()
    flag()

    after = login(bob).get(talk.workspace_url).content.decode()

    assert (words in before, words in after) == (False, True)
    assert words in login(ada).get(person).content.decode()


def lost(client, ticket):
    """What the ticket's page says of mail that did not arrive."""
    banners = texts(client.get(ticket.workspace_url), ".ccr-banner--card")
    return [words.partition(", did not arrive: ")[2] for words in banners]


def test_staff_see_on_the_ticket_that_the_last_mail_did_not_arrive(
    mailed, login, talk, sink, alice, bob
):
    """Whoever wrote it would wait for an answer."""
    client = login(bob)
    seen = [lost(client, talk)]
    (mail,) = mailed("Hello")
    seen.append(lost(client, talk))

    come_back(mail, report(status="5.7.1", answer="550 5.7.1 Blocked"))
    seen.append(lost(client, talk))
    sink.handler.answers[alice.email] = ["554 Spam for a@new.example"]
    mailed("Hello again")
    seen.append(lost(client, talk))
    mailed("And again")
    seen.append(lost(client, talk))

    assert seen == [[], [], ["550 5.7.1 Blocked"], ["554 Spam for …"], []]


def test_of_a_dead_address_the_ticket_says_only_that(mailed, login, talk, bob):
    for mail in mailed("One", "Two", "Three"):
        come_back(mail)

    assert lost(login(bob), talk) == [""]


def test_what_did_not_reach_another_address_says_nothing_of_the_present(
    mailed, login, talk, alice, bob
):
    (mail,) = mailed("Hello")
    come_back(mail)
    User.objects.filter(pk=alice.pk).update(email="archer@example.org")

    assert lost(login(bob), talk) == []


def test_staff_see_who_stopped_answers_and_has_no_account(login, bob, ada, kettles):
    """Whoever has one reads them there."""
    mailer = make_user("Mia", standing=Standing.UNCLAIMED)
    ticket = make_ticket(mailer, assignee=bob, category=kettles, by=ada)
    (news,) = [choice for choice in choices_for(mailer.role) if choice.name == "news"]
    words = "has no account and stopped our mails about answers"
    pages = [login(bob).get(ticket.workspace_url).content.decode()]

    unsubscribing.want(mailer, [news], is_wanted=False)
    pages.append(login(bob).get(ticket.workspace_url).content.decode())
    User.objects.filter(pk=mailer.pk).update(standing=Standing.ACTIVE)
    pages.append(login(bob).get(ticket.workspace_url).content.decode())

    assert [words in page for page in pages] == [False, True, False]


def test_the_person_sees_it_themselves(login, alice, carol):
    flag()
    profile = reverse("account_profile")

    theirs = login(alice).get(profile).content.decode()
    others = login(carol).get(profile).content.decode()

    words = "Our mails to alice@example.org came back"
    assert (words in theirs, "came back" in others) == (True, False)

"""Mails that are not taken in at once: of machines, of blocked senders, spam."""

from email import message_from_string, policy

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import User
from messaging.models import Fate, InboundMail, Reason, SenderRule
from messaging.signals import mail_bounced
from notifications.models import Notification, OutgoingMail
from tickets.mail_addresses import new_message_id
from tickets.models import Ticket
from tickets.own_addresses import refuse_taken
from tickets.tests.factories import make_category, make_ticket
from tickets.workflow import Status

from .mailboxes import choose
from .mails import make_mail, take_in
from .odd_mails import HEAD, parts, text

pytestmark = pytest.mark.django_db
PAGE = "admin:messaging_inboundmail_change"


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles, settings):
    settings.REPLY_ADDRESS = "care@example.net"


# --- Machines -------------------------------------------------------------------

BY_MACHINES = {
    "Auto-Submitted": ["auto-replied", "auto-generated", "auto-notified; x=y", "AUTO-REPLIED"],
    "Precedence": ["bulk", "junk", "list", "auto_reply"],
    "X-Auto-Response-Suppress": ["All", "OOF, AutoReply"],
    "X-Autoreply": ["yes"],
    "X-Autorespond": ["yes"],
    "X-Loop": ["care@example.net"],
    "X-Failed-Recipients": ["zoe@example.org"],
    "List-Id": ["<news.example.org>"],
    "List-Unsubscribe": ["<https://x.example/>"],
    "Return-Path": ["<>"],
    "From": [
        "MAILER-DAEMON@example.org",
        "postmaster@example.org",
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org",
    ],
}
TWICE = ["Auto-Submitted: no\nAuto-Submitted: auto-replied", "Precedence: x\nPrecedence: bulk"]
SIGNS = [(name, value) for name, values in BY_MACHINES.items() for value in values]


@pytest.mark.plan("SEC-D9")
@pytest.mark.plan("SEC-P13")
@pytest.mark.parametrize(("name", "value"), SIGNS)
def test_machines_are_recorded_and_never_answered(alice, bob, ada, kettles, name, value):
    """Not even as an answer to a ticket that ended: the same mail of a person opens it again."""
    ticket = make_ticket(alice, bob, Status.CLOSED, by=ada, category=kettles)
    answers = {"In_Reply_To": new_message_id(ticket, alice)}
    more = {name.replace("-", "_"): value} if name != "From" else {}
    sender = value if name == "From" else "alice@example.org"
    owed, people = Notification.objects.count(), User.objects.count()

    machine = take_in(make_mail(sender, **answers, **more))
    machine_of_nobody = take_in(make_mail(value if name == "From" else "new@example.org", **more))

    ticket.refresh_from_db()
    assert {machine.fate, machine_of_nobody.fate} == {Fate.IGNORED}
    assert {machine.reason, machine_of_nobody.reason} == {Reason.AUTOMATIC}
    assert (ticket.status, User.objects.count()) == (Status.CLOSED, people)
    assert (Notification.objects.count(), OutgoingMail.objects.count()) == (owed, 0)
    assert take_in(make_mail(**answers)).fate == Fate.APPENDED


@pytest.mark.plan("SEC-D9")
@pytest.mark.parametrize("headers", TWICE)
def test_one_sign_of_a_machine_is_enough(headers):
    assert take_in(f"From: a@x.org\n{headers}\n\nHi".encode()).reason == Reason.AUTOMATIC


@pytest.mark.plan("SEC-D9")
def test_an_empty_envelope_sender_is_a_machine():
    fates = [take_in(make_mail(), envelope_from=sender).fate for sender in ("", None, "a@x.org")]

    assert fates == [Fate.IGNORED, Fate.TICKETED, Fate.TICKETED]


@pytest.mark.plan("SEC-D9")
@pytest.mark.parametrize("auto", ["no", ""])
def test_a_person_may_say_that_no_machine_wrote(auto):
    assert take_in(make_mail(Auto_Submitted=auto)).fate == Fate.TICKETED


@pytest.mark.plan("SEC-D9")
@pytest.mark.parametrize(
    "sender",
    [
        "care@example.net",
        "Care+t1u1-x@Example.Net",
        "us@example.com",
        "team@example.net",
        "Team+abc@example.net",
    ],
)
def test_our_own_mail_comes_to_nothing(settings, sender):
    settings.DEFAULT_FROM_EMAIL = "Care <us@example.com>"
    make_category("Teams", email="team@example.net")

    mail = take_in(make_mail(sender))

    assert (mail.fate, mail.reason) == (Fate.IGNORED, Reason.LOOP)


@pytest.mark.plan("SEC-D9")
@pytest.mark.parametrize(
    ("sender", "fate"),
    [
        ("care+in@example.net", Fate.IGNORED),
        ("Care+in+t1u1-x@example.net", Fate.IGNORED),
        ("care+out@example.net", Fate.TICKETED),
        ("care@example.net", Fate.TICKETED),
    ],
)
def test_our_own_address_may_have_a_plus(settings, sender, fate):
    settings.REPLY_ADDRESS = "care+in@example.net"

    assert take_in(make_mail(sender)).fate == fate


def test_our_own_address_with_a_plus_is_nobody_elses(settings):
    settings.REPLY_ADDRESS = "care+in@example.net"

    with pytest.raises(ValidationError, match="The registry itself has this address"):
        refuse_taken("care+in@example.net", by=None)
    refuse_taken("care+out@example.net", by=None)


@pytest.mark.plan("SEC-D9")
def test_our_own_message_id_comes_to_nothing(ticket, alice):
    mail = take_in(make_mail(Message_ID=new_message_id(ticket, alice)))

    assert (mail.fate, mail.reason) == (Fate.IGNORED, Reason.LOOP)


# --- Delivery reports -------------------------------------------------------------


def report(status="5.1.1", action="failed", kind="delivery-status", headers="rfc822-headers"):
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nTo: care@example.net\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\n\n'
        "--r\nContent-Type: text/plain\n\nI'm sorry.\n"
        f"--r\nContent-Type: message/{kind}\n\nReporting-MTA: dns; mx.example.net\n\n"
        f"Final-Recipient: rfc822; Alice@Example.org\nAction: {action}\nStatus: {status}\n"
        "Diagnostic-Code: smtp; 550 no such user\n\n"
        f"--r\nContent-Type: {headers}\n\nMessage-ID: {{id}}\nSubject: Kettle\n\nHello\n--r--\n"
    )


REPORTS = {
    "Postfix": (report(headers="text/rfc822-headers"), "5.1.1", True),
    "Exchange": (report(status="5.7.1 (denied)", headers="message/rfc822"), "5.7.1", True),
    "Postfix, delayed": (
        report("4.4.1", action="delayed", headers="text/rfc822-headers"), "4.4.1", False,
    ),
    "qmail": (
        "Return-Path: <>\nFrom: MAILER-DAEMON@q.example\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program.\n<alice@example.org>:\n"
        "550 5.1.1 no such user\n\n--- Below this line is a copy.\n\nMessage-ID: {id}\n",
        "5.1.1", True,
    ),
    "Exim": (
        "Return-Path: <>\nX-Failed-Recipients: alice@example.org\nFrom: Mailer-Daemon@e.example\n"
        "Subject: Mail delivery failed\n\nA message could not be delivered.\n\n"
        "  alice@example.org\n    550 Unrouteable address\n\nMessage-Id: {id}\n",
        "550", True,
    ),
}  # fmt: skip


@pytest.mark.plan("SEC-D11")
def test_a_person_may_attach_a_report():
    """Some programs attach the part of it that names an address."""
    attached = report(headers="text/rfc822-headers").split("--r\n")[2].encode()

    mail = take_in(HEAD + parts(text(b"My mail to Bob came back, as attached."), attached))

    assert (mail.fate, mail.person.email) == (Fate.TICKETED, "zoe@example.org")


@pytest.mark.plan("SEC-D11")
@pytest.mark.parametrize("system", REPORTS)
def test_a_delivery_report_names_the_mail_it_is_about(ticket, alice, system):
    raw, status, is_final = REPORTS[system]
    message_id = new_message_id(ticket, alice)
    heard = []

    def hear(sender, mail, bounce, **kwargs):
        heard.append(bounce)

    mail_bounced.connect(hear)
    try:
        mail = take_in(raw.format(id=message_id).encode())
    finally:
        mail_bounced.disconnect(hear)

    assert (mail.fate, mail.reason) == (Fate.IGNORED, Reason.BOUNCE)
    assert [(b.message_id, b.recipients, b.is_final) for b in heard] == [
        (message_id, ["alice@example.org"], is_final)
    ]
    assert heard[0].status.startswith(status)
    assert Ticket.objects.count() == 1


@pytest.mark.plan("SEC-D11")
def test_who_forwards_a_delivery_report_gets_a_ticket():
    """ "I wrote to you and got this": it reports nothing of our mail."""
    mail = make_mail(subject="I got this back")
    mail.add_attachment(message_from_string(REPORTS["Postfix"][0], policy=policy.default))

    assert take_in(mail).fate == Fate.TICKETED


# --- Spam, and senders ------------------------------------------------------------

SPAM = [
    ("X-Spam-Flag", "YES"),
    ("X-Spam-Status", "Yes, score=9.1"),
    ("X-Rspamd-Action", "add header"),
    ("X-MS-Exchange-Organization-SCL", "6"),
    ("X-Forefront-Antispam-Report", "CIP:1.2.3.4;SFV:SPM;"),
]


@pytest.mark.parametrize(("name", "value"), SPAM)
def test_marks_of_spam_hold_a_mail(name, value):
    """... until it is let through, or its sender always is."""
    mail = take_in(make_mail(**{name.replace("-", "_"): value}))
    SenderRule.objects.create(pattern="example.org", verdict="let_in")
    trusted = take_in(make_mail(**{name.replace("-", "_"): value}))

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.SPAM)
    assert trusted.fate == Fate.TICKETED


@pytest.mark.parametrize("value", ["NO", "no", ""])
def test_no_mark_of_spam_holds_nothing(value):
    assert take_in(make_mail(X_Spam_Flag=value)).fate == Fate.TICKETED


@pytest.mark.parametrize(
    ("patterns", "fate"),
    [
        ({"zoe@mail.example.org": "block"}, Fate.IGNORED),
        ({"mail.example.org": "block"}, Fate.IGNORED),
        ({"example.org": "block"}, Fate.IGNORED),
        ({"@Example.ORG": "block"}, Fate.IGNORED),
        ({"example.org": "block", "zoe@mail.example.org": "let_in"}, Fate.TICKETED),
        ({"zoe@example.org": "block", "xample.org": "block"}, Fate.TICKETED),
    ],
)
def test_senders_are_blocked(patterns, fate):
    for pattern, verdict in patterns.items():
        SenderRule.objects.create(pattern=pattern, verdict=verdict)

    assert take_in(make_mail("Zoe@mail.example.org")).fate == fate


def test_what_was_held_is_let_through(login, ada):
    mail = take_in(make_mail(X_Spam_Flag="YES"))

    choose(login(ada), "free", mail)

    mail.refresh_from_db()
    assert (mail.fate, mail.freed_by, mail.reason) == (Fate.TICKETED, ada, "")


def test_what_was_held_is_tried_again_by_the_same_rules(login, ada):
    mail = take_in(make_mail(X_Spam_Flag="YES"))

    choose(login(ada), "retry", mail)

    mail.refresh_from_db()
    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.SPAM)


def test_what_was_held_is_dropped(login, ada):
    mail = take_in(make_mail(X_Spam_Flag="YES"))

    choose(login(ada), "drop", mail)

    mail.refresh_from_db()
    assert (mail.fate, Ticket.objects.count()) == (Fate.DROPPED, 0)


@pytest.mark.plan("SEC-H6")
def test_each_is_told_and_recorded_as_it_became(login, ada):
    """What stays held was not let through, and what was not tried is not recorded."""
    spam, of_nobody, ours = [
        take_in(make_mail("zoe@example.org", X_Spam_Flag="YES")),
        take_in(make_mail(None)),
        take_in(make_mail("care@example.net")),
    ]

    answer = choose(login(ada), "free", spam, of_nobody, ours)

    spam.refresh_from_db()
    lines = LogEntry.objects.order_by("pk").values_list("object_id", "change_message")
    assert told_by(answer) == [
        "Let through. Became a ticket: 1, Held for an administrator: 1, Left as it was: 1"
    ]
    assert list(lines) == [
        (str(spam.pk), "Let through. Became a ticket"),
        (str(of_nobody.pk), "Let through. Held for an administrator: It names no sender"),
    ]


@pytest.mark.plan("SEC-H6")
def test_only_what_waited_is_dropped(login, ada):
    waiting, done = take_in(make_mail(X_Spam_Flag="YES")), take_in(make_mail())

    answer = choose(login(ada), "drop", waiting, done)

    assert told_by(answer) == ["Drop. Dropped by an administrator: 1, Left as it was: 1"]
    assert list(LogEntry.objects.values_list("object_id", "change_message")) == [
        (str(waiting.pk), "Drop. Dropped by an administrator: Marked as spam by the mail server")
    ]


def told_by(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.mark.plan("SEC-H6")
@pytest.mark.parametrize(
    ("verb", "fate"), [("free", Fate.TICKETED), ("retry", Fate.HELD), ("drop", Fate.DROPPED)]
)
def test_one_is_settled_on_its_page(login, ada, bob, verb, fate):
    """Asked for first, by administrators only."""
    mail = take_in(make_mail("zoe@example.org", X_Spam_Flag="YES"))
    url = reverse(f"admin:messaging_inboundmail_{verb}", args=[mail.pk])
    client = login(ada)
    assert url in client.get(reverse(PAGE, args=[mail.pk])).text
    assert client.get(url).status_code == 200
    assert InboundMail.objects.get().fate == Fate.HELD

    client.post(url)

    assert InboundMail.objects.get().fate == fate
    assert login(bob).post(url).status_code == 403


@pytest.mark.plan("SEC-D9")
def test_a_machine_that_is_let_through_gets_no_receipt(login, ada):
    mail = take_in(make_mail("robot@example.com", Auto_Submitted="auto-generated"))

    choose(login(ada), "free", mail)

    mail.refresh_from_db()
    assert mail.fate == Fate.TICKETED
    assert not Notification.objects.filter(recipient=mail.person).exists()


@pytest.mark.plan("SEC-D9")
def test_a_delivery_report_is_never_let_through(login, ada):
    mail = take_in(REPORTS["Postfix"][0].encode())

    choose(login(ada), "free", mail)

    mail.refresh_from_db()
    assert (mail.fate, mail.reason) == (Fate.IGNORED, Reason.BOUNCE)


@pytest.mark.plan("SEC-D4")
def test_staff_whom_an_administrator_vouches_for_write(login, ada, bob, ticket):
    mail = take_in(
        make_mail(
            bob.email,
            In_Reply_To=new_message_id(ticket, bob),
            Authentication_Results="mx; dmarc=fail",
        )
    )

    choose(login(ada), "free", mail)

    mail.refresh_from_db()
    assert (mail.fate, mail.event.actor) == (Fate.APPENDED, bob)

"""Where mails go that are no answers, what is kept of them, and what their senders hear."""

import hashlib

import pytest
from django.core import mail as django_mail
from django.urls import reverse

from accounts.models import Standing
from accounts.tests.factories import make_agent
from careregistry.tests.plans import plan_of
from messaging.inbound import facts, ledger
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, Reason
from notifications.mail import outbox
from notifications.models import Notification, OutgoingMail
from tickets.mail_addresses import new_message_id
from tickets.models import Attachment, Category, Expertise, Ticket
from tickets.tests.factories import make_category
from tickets.workflow import Status

from .mailboxes import choose
from .mails import make_mail, make_mail_bytes, take_in
from .odd_mails import ODD_MAILS

pytestmark = pytest.mark.django_db
LEDGER = "admin:messaging_inboundmail_changelist"


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles, settings):
    settings.REPLY_ADDRESS = "care@example.net"


# --- Where it goes ----------------------------------------------------------------


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_a_mail_to_a_categorys_address_is_routed_there(header):
    """D0-11"""
    returns = make_category("Returns", email="returns@example.net")
    addressed = {header.replace("-", "_"): "Returns <Returns@Example.net>"}

    mail = take_in(make_mail(**addressed))

    assert mail.ticket.category == returns


def test_the_envelope_says_where_a_hidden_copy_goes():
    returns = make_category("Returns", email="returns@example.net")

    assert take_in(make_mail(), envelope_to=["RETURNS@example.net"]).ticket.category == returns


def test_a_mail_to_an_agents_own_address_is_theirs(bob, kettles):
    """D0-11"""
    returns = make_category("Returns")
    Expertise.objects.create(agent=bob, category=returns)
    AgentAddress.objects.create(address="Bob@care.example.net", agent=bob)

    ticket = take_in(make_mail(To="bob@care.example.net")).ticket

    assert (ticket.assignee, ticket.category, ticket.status) == (bob, returns, Status.OPEN)
    assert Notification.objects.filter(recipient=bob, kind="assigned_to_you").exists()


def test_what_stands_after_a_plus_leads_nowhere_else(bob):
    returns = make_category("Returns", email="returns@example.net")
    AgentAddress.objects.create(address="bob@care.example.net", agent=bob)

    mails = [
        take_in(make_mail(To=f"{name}+shop@{domain}example.net"))
        for name, domain in (("returns", ""), ("bob", "care."))
    ]

    assert mails[0].ticket.category == returns
    assert mails[1].ticket.assignee == bob


def test_a_mail_to_an_agent_who_left_is_anybodys(kettles):
    agent = make_agent(standing=Standing.SUSPENDED)
    AgentAddress.objects.create(address="gone@care.example.net", agent=agent)

    ticket = take_in(make_mail(To="gone@care.example.net")).ticket

    assert (ticket.assignee, ticket.category) == (None, kettles)


def test_a_mailbox_gives_no_category_that_is_switched_off(mailbox, kettles):
    """D0-11: then it is the first one, as for any other mail."""
    mailbox.category = make_category("Returns")
    mailbox.save()
    mails = [take_in(make_mail(), source="imap", mailbox=mailbox)]
    Category.objects.filter(pk=mailbox.category.pk).update(is_active=False)

    mails.append(take_in(make_mail(), source="imap", mailbox=Mailbox.objects.get()))

    assert [mail.ticket.category.name for mail in mails] == ["Returns", kettles.name]


def test_without_any_category_it_waits(kettles):
    kettles.delete()

    mail = take_in(make_mail())

    assert (mail.fate, mail.reason) == (Fate.QUARANTINED, Reason.FAILED)
    assert "category" in mail.detail


# --- What is kept ------------------------------------------------------------------


@pytest.mark.plan("SEC-D13")
@pytest.mark.plan("SEC-D15")
@pytest.mark.parametrize("odd", ODD_MAILS[::13], ids=str)
def test_odd_mails_become_tickets(odd):
    mail = take_in(odd.raw)

    if not odd.sender:
        assert (mail.fate, mail.reason) == (Fate.HELD, Reason.NO_SENDER)
        return
    assert mail.fate == Fate.TICKETED
    assert mail.ticket.subject == (odd.subject or "No subject")
    assert mail.ticket.description
    with mail.raw.open("rb") as file:
        assert file.read() == odd.raw
    kept = {file.sha256 for file in Attachment.objects.filter(event__ticket=mail.ticket)}
    assert kept == {hashlib.sha256(content).hexdigest() for content in odd.files.values()}


@pytest.mark.plan("SEC-D13")
def test_who_sent_it_says_the_envelope_if_the_mail_does_not():
    mail = take_in(make_mail(None), envelope_from="zoe@example.org")

    assert mail.ticket.requester.email == "zoe@example.org"


def with_files(*names, content=b"%PDF-1.4 x"):
    mail = make_mail()
    for name in names:
        mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return mail


@pytest.mark.plan("SEC-B7")
def test_what_may_not_be_kept_is_named_and_stays_in_the_raw_mail(login, alice):
    mail = take_in(with_files("bill.pdf", "virus.exe", "page.html"))

    event = mail.ticket.events.get(number=1)
    assert [file.name for file in event.attachments.all()] == ["bill.pdf"]
    assert event.text == (
        "It stays cold.\n\n"
        "2 files of this mail were not kept:\n"
        "- virus.exe is of a kind that isn’t taken\n"
        "- page.html is of a kind that isn’t taken"
    )
    assert b"virus.exe" in make_mail_bytes(mail)


def test_each_file_that_is_not_kept_says_why(settings):
    settings.MAX_UPLOADS, settings.MAX_UPLOAD_BYTES = 2, 1024**2
    mail = with_files("one.pdf", "two.pdf", "three.pdf")
    content = b"%PDF-1.4 " + b"x" * 1024**2
    mail.add_attachment(content, maintype="application", subtype="pdf", filename="large.pdf")

    text = take_in(mail).ticket.description

    assert text.splitlines()[2:] == [
        "2 files of this mail were not kept:",
        "- three.pdf: You can add up to 2 files",
        "- large.pdf must be smaller than 1 MB",
    ]


def test_what_was_not_kept_is_told_before_the_quotes(ticket, alice):
    words = "Still cold.\n\nOn Fri 20 Nov 2026 Bob wrote:\n> Try another socket."
    mail = make_mail(body=words, In_Reply_To=new_message_id(ticket, alice))
    mail.add_attachment(b"MZ", maintype="application", subtype="x", filename="virus.exe")

    line = take_in(mail).event

    assert line.new_words.startswith(
        "Still cold.\n\n1 file of this mail was not kept:\n- virus.exe"
    )
    assert line.folded_words == "On Fri 20 Nov 2026 Bob wrote:\n> Try another socket."


def test_not_all_of_many_are_named():
    """And what stands in a hostile name makes no lines of its own."""
    names = [f"{n}\u2028- {'x' * 400}.exe" for n in range(30)]
    mail = take_in(with_files(*names))

    told = mail.ticket.description.splitlines()[2:]
    assert told[0] == "30 files of this mail were not kept:"
    assert (len(told), told[-1]) == (12, "- …")
    assert max(map(len, told)) < 300


def test_a_long_mail_has_room_for_what_was_not_kept(settings):
    settings.MAX_TEXT_LENGTH = 5_000
    mail = make_mail(body="cold " * 990)
    mail.add_attachment(b"MZ", maintype="application", subtype="x", filename="virus.exe")

    ticket = take_in(mail).ticket

    assert ticket.description.endswith(
        "All its words are in whole-mail.txt.\n\n1 file of this mail was not kept:\n"
        "- virus.exe is of a kind that isn’t taken"
    )
    assert len(ticket.description) <= 5_000
    assert [file.name for file in ticket.events.get(number=1).attachments.all()] == [
        "whole-mail.txt"
    ]


@pytest.mark.plan("SEC-B8")
@pytest.mark.parametrize("name", ["../../etc/passwd.pdf", "C:\\x\\bill.pdf", "\u202efdp.exe.pdf"])
def test_hostile_names_are_tamed(name):
    mail = take_in(with_files(name))

    file = Attachment.objects.get(event__ticket=mail.ticket)
    assert "/" not in file.name
    assert "\\" not in file.name
    assert "\u202e" not in file.name


def test_other_files_of_mails_are_only_saved():
    mail = make_mail()
    mail.add_attachment(b"<script>", maintype="text", subtype="csv", filename="list.csv")

    file = Attachment.objects.get(event__ticket=take_in(mail).ticket)

    assert (file.name, file.content_type) == ("list.csv", "application/octet-stream")


def test_quoted_text_is_folded_and_not_lost(login, alice, ticket, bob):
    words = "Still cold.\n\nOn Fri 20 Nov 2026 Bob wrote:\n> Try another socket."
    take_in(make_mail(body=words, In_Reply_To=new_message_id(ticket, alice)))

    line = ticket.events.get(kind="message")
    pages = [
        login(person).get(url).text
        for person, url in ((alice, ticket.get_absolute_url()), (bob, ticket.workspace_url))
    ]

    assert line.text == words
    for page in pages:
        assert "Still cold.<details" in page
        assert "&gt; Try another socket.</details>" in page


def test_more_words_than_a_message_may_have_are_cut_in_view_and_kept_whole(settings):
    settings.MAX_TEXT_LENGTH = 100
    words = ("cold " * 100).strip()

    ticket = take_in(make_mail(body=words)).ticket

    told = "This mail is longer. All its words are in whole-mail.txt."
    file = ticket.events.get(number=1).attachments.get()
    assert ticket.description == f"{words[:41]}\n\n{told}"
    with file.file.open("rb") as kept:
        assert (file.name, kept.read().decode()) == ("whole-mail.txt", words)


def test_three_files_of_one_name_are_three_left_out():
    mail = make_mail()
    for number in range(3):
        mail.add_attachment(b"%d" % number, maintype="text", subtype="html", filename="page.html")

    assert "3 files of this mail were not kept:" in take_in(mail).ticket.description


# --- The ledger -----------------------------------------------------------------------


@pytest.mark.plan("SEC-D12")
@pytest.mark.plan("SEC-E1")
def test_the_same_words_in_another_mail_are_another_mail():
    mail = make_mail()
    again = make_mail()  # with a Message-ID of its own

    assert [take_in(each).fate for each in (mail, again)] == [Fate.TICKETED, Fate.TICKETED]


@pytest.mark.plan("SEC-D12")
def test_without_message_id_the_same_bytes_are_the_same_mail():
    mails = [make_mail(Message_ID=None), make_mail(Message_ID=None, Date=None)]

    fates = [take_in(mail).fate for mail in (mails[0], mails[0], mails[1])]

    assert fates == [Fate.TICKETED, Fate.REPEATED, Fate.TICKETED]


@pytest.mark.plan("SEC-D12")
def test_an_index_finds_what_came_before():
    """Asked of each mail, in a transaction for which all others wait on SQLite."""
    mail = take_in(make_mail())

    assert "mail_counted_once" in plan_of(facts._copies_of(mail).order_by())


@pytest.mark.plan("SEC-D17")
@pytest.mark.plan("SEC-P3")
def test_an_error_of_ours_quarantines_one_mail_and_no_other(monkeypatch, login, ada):
    real, broken = ledger.act, make_mail(subject="Broken")

    def act(mail, *args):
        if mail.subject == "Broken":
            raise KeyError("secret words")
        return real(mail, *args)

    monkeypatch.setattr(ledger, "act", act)
    first, second = take_in(broken), take_in(make_mail())
    told = (first.fate, first.reason, first.detail, second.fate)
    monkeypatch.setattr(ledger, "act", real)
    page = login(ada).get(reverse(LEDGER)).text
    choose(login(ada), "retry", first)

    first.refresh_from_db()
    assert told == (Fate.QUARANTINED, Reason.FAILED, "KeyError", Fate.TICKETED)
    assert "Could not be processed" in page
    assert first.fate == Fate.TICKETED


def test_what_was_stored_before_a_crash_is_settled_later():
    mails = [ledger.store(make_mail(subject=f"{n}").as_bytes(), source="lmtp") for n in range(3)]

    count = ledger.process_waiting()

    subjects = Ticket.objects.order_by("pk").values_list("subject", flat=True)
    assert (count, list(subjects)) == (3, ["0", "1", "2"])
    assert InboundMail.objects.filter(pk__in=[m.pk for m in mails], fate=Fate.TICKETED).count() == 3


@pytest.mark.plan("SEC-D16")
def test_a_mail_over_the_limit_is_kept_and_its_sender_told_once(settings):
    settings.MAX_MAIL_BYTES = 1024 * 1024
    mail = make_mail("zoe@example.org", body="x" * 70 + "\n" + ("y" * 70 + "\n") * 20_000)

    found = [take_in(mail) for _time in range(2)]

    assert [each.fate for each in found] == [Fate.QUARANTINED, Fate.REPEATED]
    assert (found[0].reason, found[0].sender) == (Reason.TOO_LARGE, "zoe@example.org")
    with found[0].raw.open("rb") as file:
        assert file.read() == mail.as_bytes()
    letters = OutgoingMail.objects.values_list("email", "subject")
    assert list(letters) == [("zoe@example.org", "Mail unreadable")]
    assert take_in(make_mail()).fate == Fate.TICKETED


@pytest.mark.parametrize("count", [1, 3])
def test_the_ledger_costs_the_same_however_long(login, ada, django_assert_num_queries, count):
    for number in range(count):
        take_in(make_mail(f"zoe{number}@example.org"))
    client = login(ada)
    client.get(reverse(LEDGER))

    with django_assert_num_queries(6):
        client.get(reverse(LEDGER))


@pytest.mark.plan("SEC-A5")
def test_what_calls_administrators_takes_no_answer(ada):
    """What they answer is meant for colleagues, not for the customer."""
    take_in(make_mail("zoe@example.org"))
    outbox.drain()

    (call,) = [each for each in django_mail.outbox if each.to == [ada.email]]
    assert call.reply_to == []
    assert facts.named_in_message_id(call.extra_headers["Message-ID"]) is None

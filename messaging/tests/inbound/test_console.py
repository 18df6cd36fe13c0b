"""Mailboxes, the ledger and rules for senders in the administrator console."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.forms import modelform_factory
from django.urls import reverse

from accounts.models import User
from careregistry.tests.plans import plan_of
from messaging.inbound import connecting, ledger
from messaging.inbound.forms import MailboxForm
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, Reason, SenderRule
from tickets.admin.forms import CategoryForm
from tickets.mail_addresses import reply_address
from tickets.models import Category

from .mailboxes import MAILBOX, SECRET, page, save
from .mails import make_mail, make_mail_bytes, take_in

pytestmark = pytest.mark.django_db


@pytest.mark.plan("SEC-D22")
@pytest.mark.plan("SEC-A16")
def test_the_password_goes_in_and_never_comes_out(login, ada):
    client = login(ada)

    answer = client.post(page("mailbox_add"), MAILBOX)

    mailbox = Mailbox.objects.get()
    pages = [client.get(page("mailbox_change", mailbox.pk)), client.get(page("mailbox_changelist"))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM messaging_mailbox")
        kept = cursor.fetchone()[0]
    assert (answer.status_code, mailbox.secret) == (302, SECRET)
    assert [SECRET in each.text for each in pages] == [False, False]
    assert SECRET not in kept


@pytest.mark.plan("SEC-D22")
def test_an_empty_password_keeps_the_one_from_before(login, ada, mailbox):
    assert save(login(ada), mailbox, name="Renamed").status_code == 302

    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.secret) == ("Renamed", SECRET)


def test_what_a_poll_writes_meanwhile_is_kept(login, ada, mailbox, monkeypatch):
    clean = MailboxForm.clean

    def clean_during_a_poll(form):
        Mailbox.objects.update(last_uid=7, last_problem="Full", secret="renewed")
        return clean(form)

    monkeypatch.setattr(MailboxForm, "clean", clean_during_a_poll)

    save(login(ada), mailbox, name="Renamed")

    kept = Mailbox.objects.get()
    assert (kept.name, kept.last_uid, kept.last_problem, kept.secret) == (
        "Renamed", 7, "Full", "renewed",
    )  # fmt: skip


@pytest.mark.plan("SEC-D22")
@pytest.mark.parametrize(
    "change", [{"host": "evil.example", "security": "tls"}, {"port": 10}, {"username": "x"}]
)
def test_a_password_goes_to_no_other_server(login, ada, mailbox, change):
    answer = save(login(ada), mailbox, **change)

    mailbox.refresh_from_db()
    assert (answer.status_code, mailbox.host, mailbox.port) == (200, "127.0.0.1", 9)
    assert "Enter the password or refresh token" in answer.text
    assert save(login(ada), mailbox, new_secret="others", **change).status_code == 302
    mailbox.refresh_from_db()
    assert mailbox.secret == "others"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"new_secret": ""}, "Enter the password or refresh token"),
        ({"sign_in": "google"}, "Enter the client ID"),
        ({"move_to": "INBOX"}, "Choose another folder than the one that is read"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"host": "mail..example.org"}, "Enter the name of a server, like imap.example.org"),
    ],
)
def test_what_a_mailbox_needs(login, ada, change, error):
    answer = login(ada).post(page("mailbox_add"), MAILBOX | change)

    assert error in answer.text
    assert not Mailbox.objects.exists()


@pytest.mark.plan("SEC-D22")
@pytest.mark.parametrize(
    ("host", "security", "is_taken"),
    [
        ("mail.example.org", "none", False),
        ("localhost.example.org", "none", False),
        ("127.0.0.1.example.org", "none", False),
        ("10.0.0.1", "none", False),
        ("::2", "none", False),
        ("mail.example.org", "tls", True),
        ("mail.example.org", "starttls", True),
        ("LOCALHOST", "none", True),
        ("mail.localhost", "none", True),
        ("127.9.9.9", "none", True),
        ("::1", "none", True),
    ],
)
def test_a_password_crosses_no_network_in_clear(login, ada, host, security, is_taken):
    answer = login(ada).post(page("mailbox_add"), MAILBOX | {"host": host, "security": security})

    assert Mailbox.objects.exists() == is_taken
    if not is_taken:
        assert answer.context["adminform"].form.errors == {
            "security": [
                "Choose TLS or STARTTLS: everybody on the way there could read the password"
            ]
        }


@pytest.mark.plan("SEC-D22")
def test_the_test_says_what_is_wrong_without_the_password(login, ada, mailbox, monkeypatch):
    def refuse(*args):
        raise connecting.imaplib.IMAP4.error(f"LOGIN care {SECRET} failed")

    monkeypatch.setattr(connecting, "_connected", refuse)

    answer = login(ada).post(page("mailbox_test", mailbox.pk), follow=True)

    assert "LOGIN care … failed" in answer.text
    assert SECRET not in answer.text


@pytest.mark.plan("SEC-I5")
def test_a_secret_whose_key_is_gone_is_asked_for_again(login, ada, mailbox, settings):
    settings.SECRET_KEY = "another " * 10

    mailbox.refresh_from_db()

    assert mailbox.secret == ""
    assert "Enter the password or refresh token" in save(login(ada), mailbox).text


@pytest.mark.parametrize("role", ["alice", "bob"])
@pytest.mark.plan("SEC-A16")
def test_raw_mails_are_for_administrators(login, request, ada, kettles, role):
    mail = take_in(make_mail("zoe@example.org"))
    person = request.getfixturevalue(role)
    url = page("inboundmail_raw", mail.pk)

    assert login(person).post(url).status_code == 403
    answer = login(ada).post(url)
    assert b"".join(answer.streaming_content) == make_mail_bytes(mail)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.plan("SEC-H6")
def test_who_downloads_a_mail_is_written_down(login, ada, kettles):
    """Who only looks at its row, or at the question, is not."""
    mail = take_in(make_mail("zoe@example.org"))
    client = login(ada)
    client.get(page("inboundmail_change", mail.pk))
    assert "Download this mail as it came?" in client.get(page("inboundmail_raw", mail.pk)).text
    assert not LogEntry.objects.exists()
    b"".join(client.post(page("inboundmail_raw", mail.pk)).streaming_content)

    lines = LogEntry.objects.values_list("user__first_name", "object_id", "change_message")
    assert list(lines) == [("Ada", str(mail.pk), "Downloaded as it came.")]


@pytest.mark.plan("SEC-H6")
def test_who_looks_at_a_mail_sees_plain_words_and_is_recorded(login, ada, bob, kettles):
    raw = make_mail("zoe@example.org", body="<script>alert(1)</script>\n" + "cold " * 5_000)
    mail = take_in(raw, envelope_from="envelope@example.org")
    url, client = page("inboundmail_look", mail.pk), login(ada)

    asked = client.get(url)
    shown = client.post(url)

    assert "<script>alert" not in shown.text
    assert shown.context["text"] == f"<script>alert(1)</script>\n{'cold ' * 5_000}"[:8_000]
    assert shown.context["head"].startswith("From: zoe@example.org")
    assert "It stays cold" not in asked.text
    assert "envelope@example.org" in client.get(page("inboundmail_change", mail.pk)).text
    assert list(LogEntry.objects.values_list("change_message", flat=True)) == ["Looked at."]
    assert login(bob).post(url).status_code == 403


@pytest.mark.plan("SEC-D17")
def test_of_what_can_not_be_read_its_head_is_shown(login, ada, settings):
    settings.MAIL_LIMITS = {"parts": 0}
    mail = take_in(make_mail("zoe@example.org"))

    shown = login(ada).post(page("inboundmail_look", mail.pk))

    assert shown.context["head"].startswith("From: zoe@example.org")


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("ZOE@", ["Cold kettle"]),
        ("kettle", ["Cold kettle"]),
        ("COLD", ["Cold kettle"]),
        ("<one@example.org>", ["Cold kettle"]),
        ("{reference}", ["Cold kettle"]),
        (" {reference} ", ["Cold kettle"]),
        ("oe@", []),
        ("one@example.org", []),
        ("CCR-2026-99999", []),
    ],
)
def test_the_ledger_is_searched(login, ada, kettles, term, found):
    mail = take_in(make_mail("zoe@example.org", "Cold kettle", Message_ID="<one@example.org>"))
    take_in(make_mail("yan@example.org", "Toaster"))

    term = term.format(reference=mail.ticket.reference.lower())
    answer = login(ada).get(page("inboundmail_changelist"), {"q": term})

    assert [mail.subject for mail in answer.context["cl"].result_list] == found


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite reads them all, as for people")
def test_an_index_finds_the_beginning_of_an_address(login, ada):
    senders = [f"yan{number}@example.org" for number in range(300)]
    InboundMail.objects.bulk_create(
        InboundMail(source=InboundMail.Source.LMTP, size=1, sender=sender) for sender in senders
    )

    answer = login(ada).get(page("inboundmail_changelist"), {"q": "zoe@"})

    plan = plan_of(answer.context["cl"].queryset.order_by())
    assert "sender)::text ~>=~ 'zoe@'" in plan


def test_the_ledger_says_why_and_by_which_way(login, ada, mailbox, kettles):
    where = {"source": "imap", "mailbox": mailbox, "uid_validity": 1, "uid": 1}
    take_in(make_mail("zoe@example.org", "Cold <b>kettle", X_Spam_Flag="YES"), **where)
    take_in(make_mail("zoe@example.org", None), source="lmtp")

    text = login(ada).get(page("inboundmail_changelist")).text

    spam = 'Held for an administrator<br><span class="ccr-meta">Marked as spam by the mail server'
    assert spam in text
    assert 'zoe@example.org<br><span class="ccr-meta">Cold &lt;b&gt;kettle</span>' in text
    assert 'zoe@example.org<br><span class="ccr-meta">no subject</span>' in text
    assert [f'<br><span class="ccr-meta">{way}</span>' in text for way in ("Care", "LMTP")] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("envelope", "shown"),
    [
        (
            {"envelope_from": "zoe@example.org", "envelope_to": ["a@example.net", "b@example.net"]},
            ["zoe@example.org", "a@example.net, b@example.net"],
        ),
        ({"envelope_from": "", "envelope_to": []}, ["Nobody: a machine reports", "-"]),
        ({"envelope_from": None, "envelope_to": []}, ["-", "-"]),
    ],
)
def test_a_mail_is_described_in_words(login, ada, kettles, envelope, shown):
    mail = ledger.store(b"From: yan@example.org\n\n" + b"x" * 2026, source="lmtp", **envelope)

    form = login(ada).get(page("inboundmail_change", mail.pk)).context["adminform"]

    facts = {
        line.field["name"]: line.contents() for fieldset in form for row in fieldset for line in row
    }
    assert [facts["delivered_from"], facts["delivered_to"]] == shown
    assert (facts["how_large"], facts["became"]) == ("2.0\xa0KB", "Not read yet")


def test_the_mailbox_says_what_became_of_its_mails(login, ada, mailbox, kettles):
    where = {"source": "imap", "mailbox": mailbox, "uid_validity": 1}
    take_in(make_mail(), uid=1, **where)
    take_in(make_mail(X_Spam_Flag="YES"), uid=2, **where)

    text = login(ada).get(page("mailbox_change", mailbox.pk)).text

    assert "Became a ticket: 1, Held for an administrator: 1" in text


@pytest.mark.parametrize(
    ("typed", "sender"),
    [
        ("Wild.test", "zoe@wild.test"),
        ("*.wild.test", "zoe@mail.wild.test"),
        (".wild.test", "zoe@wild.test"),
        ("@wild.test", "zoe@wild.test"),
        ("*@wild.test", "zoe@wild.test"),
        ("bücher.test", "zoe@xn--bcher-kva.test"),
        ("*.bücher.test", "zoe@xn--bcher-kva.test"),
        ("Zoe@bücher.test", "zoe@xn--bcher-kva.test"),
    ],
)
def test_a_rule_matches_whom_it_was_meant_for(login, ada, kettles, typed, sender):
    login(ada).post(page("senderrule_add"), {"pattern": typed, "verdict": "block"})

    assert take_in(make_mail(sender)).reason == Reason.BLOCKED


@pytest.mark.parametrize(
    "pattern",
    [
        "x",
        "two words.example",
        "@",
        "",
        "*",
        "a*.test",
        "*x.test",
        "..test",
        "x..test",
        "a@b@c.test",
    ],
)
def test_a_rule_is_about_an_address_or_a_domain(login, ada, pattern):
    client = login(ada)

    answer = client.post(page("senderrule_add"), {"pattern": pattern, "verdict": "block"})
    client.post(page("senderrule_add"), {"pattern": "Spam.Example", "verdict": "block"})

    assert answer.status_code == 200
    assert list(SenderRule.objects.values_list("pattern", flat=True)) == ["spam.example"]


@pytest.mark.parametrize(
    ("address", "errors"),
    [
        ("Returns@example.net", ["Faulty product has this address"]),
        ("Care@example.net", ["The registry itself has this address"]),
        ("us@example.com", ["The registry itself has this address"]),
        ("Care+x@example.net", ["The registry itself has this address"]),
        ("alice@example.org", ["Alice Archer has this address"]),
        ("alice@second.example", ["Alice Archer has this address"]),
        ("dave@example.org", ["Dave Dunn has this address"]),
        ("Bob@Example.net", []),
    ],
)
def test_an_agents_address_is_nobody_elses(
    login, ada, bob, alice, dave, kettles, settings, address, errors
):
    EmailAddress.objects.create(user=alice, email="alice@second.example", verified=True)
    settings.REPLY_ADDRESS, settings.DEFAULT_FROM_EMAIL = "care@example.net", "Us <us@example.com>"
    kettles.email = "returns@example.net"
    kettles.save()

    answer = login(ada).post(
        page("agentaddress_add"), {"address": address, "agent": bob.pk}, follow=True
    )

    form = answer.context.get("adminform")
    assert (form.form.errors.get("address", []) if form else []) == errors
    kept = list(AgentAddress.objects.values_list("address", flat=True))
    assert kept == ([] if errors else ["bob@example.net"])


def test_an_agents_address_may_be_that_of_their_account(login, ada, bob):
    form = {"address": bob.email, "agent": bob.pk}

    login(ada).post(page("agentaddress_add"), form)

    assert AgentAddress.objects.get().address == bob.email


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("senderrule", {"pattern": "Known.example", "verdict": "block"}, "There is a rule for it"),
        ("mailbox", MAILBOX, "Another mailbox has this name."),
    ],
)
def test_what_is_there_already_is_said_in_our_words(login, ada, mailbox, name, form, words):
    SenderRule.objects.create(pattern="known.example", verdict="block")

    answer = login(ada).post(page(f"{name}_add"), form)

    assert words in answer.text
    assert "already exists" not in answer.text


def test_the_ledger_leads_to_the_tickets(login, ada, kettles):
    mail = take_in(make_mail("zoe@example.org"))
    take_in(make_mail("zoe@example.org", X_Spam_Flag="YES"))

    text = login(ada).get(page("inboundmail_changelist")).text

    url = reverse("admin:tickets_ticket_change", args=[mail.ticket_id])
    assert f'<td class="field-to_ticket"><a href="{url}">{mail.ticket}</a></td>' in text
    assert '<td class="field-to_ticket">-</td>' in text


@pytest.mark.plan("SEC-D9")
def test_mail_from_an_agents_address_is_our_own(bob, kettles):
    """Unless their account has it as well: then it is the person who writes."""
    AgentAddress.objects.create(address="help@example.net", agent=bob)
    AgentAddress.objects.create(address=bob.email, agent=bob)

    mails = [take_in(make_mail("help@example.net")), take_in(make_mail(bob.email))]

    assert [mail.reason for mail in mails] == [Reason.LOOP, Reason.STAFF]
    assert not User.objects.filter(email="help@example.net").exists()


@pytest.mark.parametrize(
    ("own", "fate"),
    [
        ("Help@example.net", Fate.TICKETED),
        ("help+kettle@example.net", Fate.TICKETED),
        ("{signed}", Fate.APPENDED),
    ],
)
def test_an_address_of_ours_counts_among_however_many(ticket, alice, bob, settings, own, fate):
    """D0-11: a hidden copy for us stands on the envelope only."""
    settings.REPLY_ADDRESS = "care@example.net"
    AgentAddress.objects.create(address="help@example.net", agent=bob)
    own = own.format(signed=reply_address(ticket, alice))
    others = [f"u{number}@example.com" for number in range(150)]

    mail = take_in(make_mail(), envelope_to=[*others, own])

    assert (mail.fate, mail.ticket.assignee) == (fate, bob)
    assert mail.envelope_to == [own, *others[:99]]


def test_an_agents_address_stays_when_the_agent_changes(login, ada, bob, dave):
    own = AgentAddress.objects.create(address="help@example.net", agent=bob)
    form = {"address": "help@example.net", "agent": dave.pk}

    login(ada).post(page("agentaddress_change", own.pk), form)

    own.refresh_from_db()
    assert own.agent == dave


def test_a_categorys_address_is_no_agents(login, ada, bob, kettles):
    AgentAddress.objects.create(address="bob@example.net", agent=bob)
    form_class = modelform_factory(Category, form=CategoryForm, fields=["email"])

    form = form_class({"email": "Bob@example.net"}, instance=kettles)

    assert form.errors == {"email": [f"{bob} has this address"]}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["mailbox", "senderrule", "agentaddress"])
def test_lists_cost_the_same(login, ada, bob, django_assert_max_num_queries, name, count):
    for n in range(count):
        Mailbox.objects.create(name=f"{n}", host="h", username="u", secret="s")
        SenderRule.objects.create(pattern=f"{n}.example", verdict="block")
        AgentAddress.objects.create(address=f"{n}@example.net", agent=bob)
    client = login(ada)
    client.get(page(f"{name}_changelist"))

    with django_assert_max_num_queries(5):
        client.get(page(f"{name}_changelist"))

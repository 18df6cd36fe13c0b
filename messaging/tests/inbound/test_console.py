"""Mailboxes, the ledger and rules for senders in the administrator console; alarms and privacy."""

import io
import json
import os
import zipfile
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail as django_mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import erasure, exports
from accounts.checkups import Level
from accounts.retention import keep_rules
from messaging.inbound import checkups, imap, ledger, oauth, watching
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, SenderRule
from notifications.mail import outbox
from tickets import actions
from tickets.models import Ticket
from tickets.removal import remove_for_good

from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db
SECRET = "three small words"
MAILBOX = {
    "name": "Care", "host": "127.0.0.1", "port": 9, "security": "none", "username": "care",
    "sign_in": "password", "new_secret": SECRET, "client_id": "", "new_client_secret": "",
    "tenant": "", "folder": "INBOX", "move_to": "", "category": "", "is_active": "on",
}  # fmt: skip


@pytest.fixture
def mailbox(db):
    return Mailbox.objects.create(
        name="Care", host="127.0.0.1", port=9, security="none", username="care", secret=SECRET
    )


def page(name, *args):
    return reverse(f"admin:messaging_{name}", args=args)


def save(client, mailbox, **changes):
    return client.post(page("mailbox_change", mailbox.pk), MAILBOX | {"new_secret": ""} | changes)


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


@pytest.mark.plan("SEC-D22")
@pytest.mark.parametrize("change", [{"host": "evil.example"}, {"port": 10}, {"username": "x"}])
def test_a_password_goes_to_no_other_server(login, ada, mailbox, change):
    answer = save(login(ada), mailbox, **change)

    mailbox.refresh_from_db()
    assert (answer.status_code, mailbox.host, mailbox.port) == (200, "127.0.0.1", 9)
    assert "Enter the password or refresh token" in answer.text
    assert save(login(ada), mailbox, new_secret="others", **change).status_code == 302


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"new_secret": ""}, "Enter the password or refresh token"),
        ({"sign_in": "google"}, "Enter the client ID"),
        ({"move_to": "INBOX"}, "Choose another folder than the one that is read"),
        ({"port": 0}, "greater than or equal to 1"),
    ],
)
def test_what_a_mailbox_needs(login, ada, change, error):
    answer = login(ada).post(page("mailbox_add"), MAILBOX | change)

    assert error in answer.text
    assert not Mailbox.objects.exists()


@pytest.mark.plan("SEC-D22")
def test_the_test_says_what_is_wrong_without_the_password(login, ada, mailbox, monkeypatch):
    def refuse(*args):
        raise imap.imaplib.IMAP4.error(f"LOGIN care {SECRET} failed")

    monkeypatch.setattr(imap, "_connected", refuse)

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


def make_mail_bytes(mail):
    with mail.raw.open("rb") as file:
        return file.read()


def test_the_mailbox_says_what_became_of_its_mails(login, ada, mailbox, kettles):
    where = {"source": "imap", "mailbox": mailbox, "uid_validity": 1}
    take_in(make_mail(), uid=1, **where)
    take_in(make_mail(X_Spam_Flag="YES"), uid=2, **where)

    text = login(ada).get(page("mailbox_change", mailbox.pk)).text

    assert "Became a ticket: 1, Held for an administrator: 1" in text


@pytest.mark.parametrize("pattern", ["x", "two words.example", "@", ""])
def test_a_rule_is_about_an_address_or_a_domain(login, ada, pattern):
    client = login(ada)

    answer = client.post(page("senderrule_add"), {"pattern": pattern, "verdict": "block"})
    client.post(page("senderrule_add"), {"pattern": "Spam.Example", "verdict": "block"})

    assert answer.status_code == 200
    assert list(SenderRule.objects.values_list("pattern", flat=True)) == ["spam.example"]


def test_an_agents_address_is_no_categorys(login, ada, bob, kettles):
    kettles.email = "returns@example.net"
    kettles.save()
    client = login(ada)

    for address in ("Returns@example.net", "Bob@Example.net"):
        client.post(page("agentaddress_add"), {"address": address, "agent": bob.pk})

    assert list(AgentAddress.objects.values_list("address", flat=True)) == ["bob@example.net"]


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


# --- Tokens of Microsoft and Google ----------------------------------------------------


class Provider:
    """Answers in place of theirs."""

    def __init__(self, monkeypatch, *answers):
        self.asked, self.answers = [], list(answers)
        monkeypatch.setattr(oauth, "urlopen", self.answer)
        oauth._tokens.clear()

    def answer(self, request, timeout):
        self.asked.append((request.full_url, request.data.decode()))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(json.dumps(answer).encode())


def with_oauth(**fields):
    known = {"secret": "refresh-1", "client_id": "app", "client_secret": "app-secret"}
    return Mailbox.objects.create(name="O", host="h", username="u", **known, **fields)


@pytest.mark.parametrize(
    ("sign_in", "url"),
    [
        ("microsoft", "https://login.microsoftonline.com/acme/oauth2/v2.0/token"),
        ("google", "https://oauth2.googleapis.com/token"),
    ],
)
def test_a_token_is_asked_for_once_an_hour(monkeypatch, sign_in, url):
    mailbox = with_oauth(sign_in=sign_in, tenant="acme")
    answer = {"access_token": "access-1", "expires_in": 3600, "refresh_token": "refresh-2"}
    provider = Provider(monkeypatch, answer)

    tokens = [oauth.access_token(mailbox), oauth.access_token(Mailbox.objects.get())]

    assert tokens == ["access-1", "access-1"]
    assert [asked for asked, _data in provider.asked] == [url]
    assert "refresh_token=refresh-1" in provider.asked[0][1]
    assert Mailbox.objects.get().secret == "refresh-2"


@pytest.mark.plan("SEC-D22")
def test_a_refused_token_is_said_without_secrets(monkeypatch):
    mailbox = with_oauth(sign_in="google")
    body = io.BytesIO(b'{"error": "invalid_grant", "refresh_token": "refresh-1"}')
    Provider(monkeypatch, HTTPError("https://x", 400, "Bad", {}, body))

    with pytest.raises(oauth.TokenRefused) as refusal:
        oauth.access_token(mailbox)

    assert str(refusal.value) == "The provider says 400 invalid_grant"


# --- Alarms -----------------------------------------------------------------------------


def test_administrators_hear_once_of_a_silent_mailbox(ada, mailbox, settings):
    settings.MAIL_SILENT_MINUTES = 30
    long_ago = timezone.now() - timedelta(minutes=31)

    watching.alarm()
    Mailbox.objects.update(watched_since=long_ago, last_problem="Connection refused")
    watching.alarm()
    watching.alarm()
    outbox.drain()

    assert [(mail.to, mail.subject) for mail in django_mail.outbox] == [
        (["ada@example.org"], "The mailbox Care can’t be read")
    ]
    assert "Connection refused" in django_mail.outbox[0].body
    Mailbox.objects.update(polled_at=timezone.now(), alarmed_at=None)
    assert not watching.silent_mailboxes().exists()


def test_nobody_waits_for_a_mailbox_that_is_switched_off(ada, mailbox):
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, is_active=False)

    assert not watching.silent_mailboxes().exists()


def test_switched_on_again_it_has_time_to_answer(login, ada, mailbox):
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, polled_at=long_ago, is_active=False)

    save(login(ada), Mailbox.objects.get(), is_active="on")

    assert not watching.silent_mailboxes().exists()


# --- Privacy ----------------------------------------------------------------------------


def raw_files(settings):
    folder = settings.MEDIA_ROOT / "mail-in"
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.plan("SEC-H2")
def test_who_is_erased_leaves_no_mail(settings, alice, kettles, django_capture_on_commit_callbacks):
    mails = [take_in(make_mail()), take_in(make_mail(X_Spam_Flag="YES"))]
    take_in(make_mail("Other <other@example.com>"))

    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(alice, by=None)

    for mail in mails:
        mail.refresh_from_db()
    assert [(mail.sender, mail.subject, mail.raw.name) for mail in mails] == [("", "", "")] * 2
    assert [mail.fate for mail in mails] == [Fate.TICKETED, Fate.DROPPED]
    assert len(raw_files(settings)) == 1


@pytest.mark.plan("SEC-H1")
def test_the_archive_holds_the_mails_that_became_their_words(settings, alice, kettles):
    mails = [take_in(make_mail()), take_in(make_mail(X_Spam_Flag="YES"))]
    take_in(make_mail("other@example.com"))
    export = exports.ask_for(alice, by=alice)
    exports.make_due()
    export.refresh_from_db()

    with export.file.open("rb") as file, zipfile.ZipFile(file) as archive:
        kept = {name for name in archive.namelist() if name.startswith("mails/")}
        assert kept == {f"mails/{mails[0].pk}.eml"}
        assert archive.read(kept.pop()) == make_mail_bytes(mails[0])


@pytest.mark.plan("SEC-H3")
def test_old_mails_are_removed_by_rule(settings, kettles, django_capture_on_commit_callbacks):
    settings.RETENTION_DAYS = {"mails_in": 10}
    old, young = take_in(make_mail(subject="Old")), take_in(make_mail(subject="Young"))
    InboundMail.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=11))

    with django_capture_on_commit_callbacks(execute=True):
        list(keep_rules())

    assert [each.subject for each in InboundMail.objects.order_by("pk")] == ["", "Young"]
    assert len(raw_files(settings)) == 1
    assert young.raw


def test_a_ticket_removed_for_good_takes_its_mail_along(
    settings, alice, ada, kettles, django_capture_on_commit_callbacks
):
    mail = take_in(make_mail())
    actions.bin_ticket(mail.ticket, by=ada)
    Ticket.objects.update(deleted_at=timezone.now() - timedelta(days=settings.BIN_DAYS + 1))

    with django_capture_on_commit_callbacks(execute=True):
        remove_for_good(Ticket.objects.get(), by=ada)

    mail.refresh_from_db()
    assert (mail.ticket, mail.event, raw_files(settings)) == (None, None, [])


def test_files_that_a_crash_left_are_removed_later(settings):
    kept = ledger.store(make_mail().as_bytes(), source="pipe")
    left = settings.MEDIA_ROOT / "mail-in" / "zz" / "left"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"From: nobody")
    day = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(left, (day, day))
    os.utime(kept.raw.path, (day, day))

    assert watching.remove_left_mails() == 1
    assert [str(path) for path in raw_files(settings)] == [kept.raw.path]


# --- The doctor ---------------------------------------------------------------------------


def test_the_doctor_names_a_silent_mailbox(mailbox):
    before = checkups.ask_mailboxes()
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, last_problem="Connection refused")

    after = checkups.ask_mailboxes()

    assert (before.level, before.found) == (Level.OK, "1 mailbox answers")
    assert (after.level, after.found) == (Level.BAD, "Care: Connection refused")


def test_the_doctor_counts_what_waits(kettles):
    levels = [checkups.ask_waiting().level]
    take_in(make_mail(X_Spam_Flag="YES"))
    levels.append(checkups.ask_waiting().level)
    ledger.store(make_mail().as_bytes(), source="imap")
    levels.append(checkups.ask_waiting().level)
    InboundMail.objects.update(received_at=timezone.now() - timedelta(minutes=6))
    levels.append(checkups.ask_waiting().level)

    assert levels == [Level.OK, Level.WARN, Level.WARN, Level.BAD]

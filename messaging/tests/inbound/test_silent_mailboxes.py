"""Mailboxes that can’t be read and mails that wait: who hears of it, and what the doctor says."""

from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.utils import timezone

from accounts.checkups import Level
from messaging.inbound import checkups, ledger, watching
from messaging.models import InboundMail, Mailbox
from notifications.mail import outbox

from .mailboxes import save
from .mails import make_mail, take_in

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(("minutes", "words"), [(1, "for 1 minute."), (30, "for 30 minutes.")])
def test_the_alarm_counts_the_minutes(ada, mailbox, settings, minutes, words):
    settings.MAIL_SILENT_MINUTES = minutes
    Mailbox.objects.update(watched_since=timezone.now() - timedelta(days=1))

    watching.alarm()
    outbox.drain()

    assert words in django_mail.outbox[0].body


def test_nobody_waits_for_a_mailbox_that_is_switched_off(ada, mailbox):
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, is_active=False)

    assert not watching.silent_mailboxes().exists()


def test_switched_on_again_it_has_time_to_answer(login, ada, mailbox):
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, polled_at=long_ago, is_active=False)

    save(login(ada), Mailbox.objects.get(), is_active="on")

    assert not watching.silent_mailboxes().exists()


# --- The doctor ---------------------------------------------------------------------------


def test_the_doctor_names_a_silent_mailbox(mailbox):
    before = checkups.ask_mailboxes()
    long_ago = timezone.now() - timedelta(days=1)
    Mailbox.objects.update(watched_since=long_ago, last_problem="Connection refused")

    after = checkups.ask_mailboxes()

    assert (before.level, before.found) == (Level.OK, "1 mailbox answers")
    assert (after.level, after.found) == (Level.BAD, "Care: Connection refused")


def test_the_doctor_names_a_mailbox_that_keeps_mails(mailbox):
    Mailbox.objects.update(polled_at=timezone.now(), missing=2)

    finding = checkups.ask_mailboxes()

    assert (finding.level, finding.found) == (Level.WARN, "Care: 2 mails can’t be fetched")


def test_the_doctor_names_a_mailbox_whose_last_poll_failed(mailbox):
    Mailbox.objects.update(polled_at=timezone.now(), last_problem="Connection refused")

    finding = checkups.ask_mailboxes()

    assert (finding.level, finding.found) == (Level.WARN, "Care: Connection refused")


def test_the_doctor_counts_what_waits(kettles):
    levels = [checkups.ask_waiting().level]
    take_in(make_mail(X_Spam_Flag="YES"))
    levels.append(checkups.ask_waiting().level)
    ledger.store(make_mail().as_bytes(), source="imap")
    levels.append(checkups.ask_waiting().level)
    InboundMail.objects.update(received_at=timezone.now() - timedelta(minutes=6))
    levels.append(checkups.ask_waiting().level)

    assert levels == [Level.OK, Level.WARN, Level.WARN, Level.BAD]


def test_the_doctor_asks_who_reads_the_answers_we_ask_for(settings):
    """A server may hand them over, which nobody knows before it did."""
    settings.REPLY_ADDRESS = ""
    unused = checkups.ask_mailboxes()
    settings.REPLY_ADDRESS = "care@example.net"
    asked = checkups.ask_mailboxes()
    take_in(make_mail())

    handed_over = checkups.ask_mailboxes()

    assert [each.level for each in (unused, asked, handed_over)] == [Level.OK, Level.WARN, Level.OK]
    assert "care@example.net" in asked.found
    assert "the last mail was handed over 0\xa0minutes ago" in handed_over.found

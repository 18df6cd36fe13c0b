"""How long mails are kept as they came, for whom, and what goes with them."""

import os
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import erasure, exports
from accounts.retention import keep_rules
from accounts.tests.factories import make_user
from messaging.inbound import ledger, watching
from messaging.inbound.parsed import Unreadable
from messaging.models import Fate, InboundMail
from tickets import actions
from tickets.models import Ticket
from tickets.removal import remove_for_good

from .mails import answer_to, make_mail, make_mail_bytes, take_in

pytestmark = pytest.mark.django_db


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


@pytest.mark.plan("SEC-H2")
def test_what_came_before_they_had_an_account_waits_no_more(kettles):
    mail = take_in(make_mail("yan@example.org", X_Spam_Flag="YES"))
    yan = make_user("Yan", email="yan@example.org")

    erasure.erase(yan, by=None)

    mail.refresh_from_db()
    assert (mail.person, mail.sender, mail.fate) == (None, "", Fate.DROPPED)


@pytest.mark.plan("SEC-H2")
def test_what_was_to_be_processed_again_is_not(settings, alice, kettles):
    mail = take_in(make_mail(X_Spam_Flag="YES"))
    (settings.MEDIA_ROOT / "mail-in").rename(settings.MEDIA_ROOT / "away")
    assert [each.fate for each in ledger.retry(InboundMail.objects.all())] == [Fate.RECEIVED]

    erasure.erase(alice, by=None)
    ledger.process_waiting()

    mail.refresh_from_db()
    assert mail.fate == Fate.DROPPED


@pytest.mark.plan("SEC-H2")
def test_who_is_erased_while_their_mail_is_read_leaves_none(alice, kettles):
    mail = take_in(make_mail(X_Spam_Flag="YES"))
    InboundMail.objects.update(fate=Fate.RECEIVED, leased_until=None)

    class Slow:
        def read(self, raw):
            if InboundMail.objects.exclude(raw=""):
                erasure.erase(alice, by=None)
            raise Unreadable("It takes too long.")

    ledger.process(mail, Slow())

    mail.refresh_from_db()
    assert (mail.fate, mail.sender, mail.detail) == (Fate.DROPPED, "", "")


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


def test_what_was_held_for_a_ticket_waits_no_more_once_that_is_removed(settings, ticket, bob, ada):
    mail = take_in(answer_to(ticket, bob, Received_SPF="fail (mx)"))
    assert (mail.fate, mail.ticket) == (Fate.HELD, ticket)
    actions.bin_ticket(ticket, by=ada)
    Ticket.objects.update(deleted_at=timezone.now() - timedelta(days=settings.BIN_DAYS + 1))

    remove_for_good(Ticket.objects.get(), by=ada)

    mail.refresh_from_db()
    assert (mail.ticket, mail.fate) == (None, Fate.DROPPED)


@pytest.mark.plan("SEC-H3")
def test_what_nobody_decided_about_is_dropped_with_its_file(settings, kettles):
    settings.RETENTION_DAYS = {"mails_in": 10}
    mail = take_in(make_mail(X_Spam_Flag="YES"))
    InboundMail.objects.update(received_at=timezone.now() - timedelta(days=11))

    list(keep_rules())

    mail.refresh_from_db()
    assert (mail.fate, mail.raw.name) == (Fate.DROPPED, "")


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

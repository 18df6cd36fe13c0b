"""What keeps us from reading a mail for a moment leaves it as it was, and no other waits for it."""

import errno
import os

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError

from messaging.inbound import ledger
from messaging.models import Fate, InboundMail, Reason
from tickets.mail_addresses import new_message_id
from tickets.models import Ticket
from tickets.workflow import TransitionRefused

from .mails import READER, answer_to, make_mail, take_in

pytestmark = pytest.mark.django_db
OFTEN = ledger.MAX_TRIES + 2


@pytest.fixture(autouse=True)
def somewhere_to_go(kettles):
    return kettles


def store(subject="Kettle"):
    return ledger.store(make_mail(subject=subject).as_bytes(), source="pipe")


def row():
    return InboundMail.objects.values_list("fate", "reason", "tries", "leased_until").get()


AS_IT_WAS = (Fate.RECEIVED, "", 0, None)


@pytest.mark.plan("SEC-P1")
def test_a_database_that_stumbles_does_not_count_as_a_try(monkeypatch):
    def stumble(*args):
        raise OperationalError("deadlock detected")

    mail = store()
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "act", stumble)
        for _time in range(OFTEN):
            with pytest.raises(OperationalError):
                ledger.process(mail, READER)
            assert row() == AS_IT_WAS

    assert ledger.process_waiting() == 1
    assert Ticket.objects.get().subject == "Kettle"


class NoReader:
    def read(self, raw):
        raise ChildProcessError(errno.ENOMEM, "Cannot allocate memory")


@pytest.mark.plan("SEC-P1")
def test_a_machine_that_starts_no_reader_does_not_count_as_a_try():
    mail = store()

    for _time in range(OFTEN):
        ledger.process(mail, NoReader())
        assert row() == AS_IT_WAS

    assert ledger.process_waiting() == 1
    assert Ticket.objects.get().subject == "Kettle"


@pytest.mark.plan("SEC-P1")
def test_a_disk_that_is_away_leaves_what_waits(settings):
    """No file is there, as where it is not mounted."""
    mail = store()
    folder = settings.MEDIA_ROOT / "mail-in"
    away = folder.rename(settings.MEDIA_ROOT / "away")

    for _time in range(OFTEN):
        assert ledger.process_waiting() == 0
        assert row() == AS_IT_WAS
    away.rename(folder)

    assert ledger.process_waiting() == 1
    mail.refresh_from_db()
    assert mail.fate == Fate.TICKETED


@pytest.mark.plan("SEC-D17")
def test_one_file_that_can_not_be_read_holds_up_no_other(monkeypatch):
    first, _second = store("One"), store("Two")
    real = FileSystemStorage._open

    def open_file(storage, name, mode="rb"):
        if name == first.raw.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(storage, name, mode)

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "_open", open_file)
        counts = [ledger.process_waiting()]
        fates = list(InboundMail.objects.order_by("pk").values_list("fate", flat=True))
    counts.append(ledger.process_waiting())

    assert (counts, fates) == ([1, 1], [Fate.RECEIVED, Fate.TICKETED])
    assert set(Ticket.objects.values_list("subject", flat=True)) == {"One", "Two"}


@pytest.mark.plan("SEC-D17")
def test_a_file_that_is_gone_waits_for_an_administrator():
    mail = store()
    os.remove(mail.raw.path)

    ledger.process_waiting()

    mail.refresh_from_db()
    assert (mail.fate, mail.reason, mail.detail) == (
        Fate.QUARANTINED, Reason.FAILED, "Its file is gone.",
    )  # fmt: skip


# --- Refused by the ticket ------------------------------------------------------------


def refusing(monkeypatch, times):
    """So many times the ticket takes nothing."""
    real, left = ledger.act, [None] * times

    def act(mail, *args):
        if left:
            left.pop()
            raise TransitionRefused(f"{mail.ticket} was changed by someone else.")
        return real(mail, *args)

    monkeypatch.setattr(ledger, "act", act)


def test_who_was_quicker_is_seen_the_second_time(monkeypatch, ticket, alice):
    refusing(monkeypatch, times=1)

    mail = take_in(answer_to(ticket, alice, body="Still cold."))

    assert (mail.fate, mail.event.text) == (Fate.APPENDED, "Still cold.")


@pytest.mark.plan("P8")
def test_the_ticket_says_what_it_did_not_take(monkeypatch, ticket, alice, bob, login):
    """Whose it is and where it was to go stay known, so it is not lost beside its ticket."""
    refusing(monkeypatch, times=2)

    mail = take_in(make_mail(In_Reply_To=new_message_id(ticket, alice)))

    assert (mail.fate, mail.reason) == (Fate.HELD, Reason.REFUSED)
    assert (mail.ticket, mail.person) == (ticket, alice)
    page = login(bob).get(ticket.workspace_url).text
    assert "from the address of Alice Archer is held" in page
    assert "The ticket did not take it." in page

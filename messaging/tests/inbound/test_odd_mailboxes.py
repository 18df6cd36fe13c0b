"""Mailboxes that can’t be polled, and what goes on all the same."""

from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.db import connection
from django.utils import timezone

from messaging import tasks
from messaging.inbound import connecting, imap
from messaging.models import Mailbox
from notifications.mail import outbox

from .mailboxes import page

pytestmark = pytest.mark.django_db

REFUSED = "No connection to the server: Connection refused"


@pytest.fixture
def odd():
    """It is asked before the other one."""
    return Mailbox.objects.create(
        name="A", host="a..b", security="none", username="care", secret="three small words"
    )


@pytest.fixture
def broken(odd, monkeypatch):
    """... and an error of ours."""
    connected = connecting._connected

    def connect(mailbox):
        return 1 / 0 if mailbox == odd else connected(mailbox)

    monkeypatch.setattr(connecting, "_connected", connect)


def problems() -> list[str]:
    return list(Mailbox.objects.order_by("name").values_list("last_problem", flat=True))


def test_what_can_not_be_sent_is_said(login, ada, odd):
    answer = login(ada).post(page("mailbox_test", odd.pk), follow=True)

    assert "It does not work: Letters that can’t be sent or read: " in answer.text


def test_one_odd_mailbox_stops_no_other(odd, mailbox):
    imap.poll_all()

    first, second = problems()
    assert first.startswith("Letters that can’t be sent or read: ")
    assert second == REFUSED


def test_an_error_of_ours_stops_no_other_and_is_told(ada, broken, mailbox):
    Mailbox.objects.update(watched_since=timezone.now() - timedelta(days=1))

    tasks.poll_mail()
    outbox.drain()

    assert problems() == ["ZeroDivisionError", REFUSED]
    assert [mail.subject for mail in django_mail.outbox] == [
        "The mailbox A can’t be read", "The mailbox Care can’t be read",
    ]  # fmt: skip


@pytest.mark.plan("SEC-F11")
def test_code_of_before_adds_a_mailbox_too(mailbox):
    """It still runs while the new one begins, and names no column that it does not know."""
    fields = [field.column for field in Mailbox._meta.concrete_fields]
    known = ", ".join(sorted({*fields} - {"id", "name", "broken_uids"}))

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO messaging_mailbox (name, {known}) "  # noqa: S608 -- our own columns
            f"SELECT 'Old', {known} FROM messaging_mailbox"
        )

    assert Mailbox.objects.get(name="Old").broken_uids == []


def test_who_can_not_connect_takes_the_mailbox_from_nobody(mailbox):
    """Also if it was theirs already when the row was read."""
    theirs = timezone.now() + timedelta(minutes=1)
    Mailbox.objects.update(leased_until=theirs)

    imap.poll_all()

    assert problems() == [REFUSED]
    assert Mailbox.objects.get().leased_until == theirs


@pytest.mark.parametrize(("count", "rung"), [(0, []), (2, ["messaging.tasks.poll_mail"])])
def test_after_a_turn_that_brought_mail_comes_another(monkeypatch, count, rung):
    """Behind the other work of the worker, which a slow server would keep waiting."""
    turns, bells = [], []
    monkeypatch.setattr(imap, "poll_all", lambda turn: turns.append(turn) or count)
    monkeypatch.setattr(tasks, "ring", bells.append)

    tasks.poll_mail()

    assert (turns, bells) == ([imap.TURN], rung)

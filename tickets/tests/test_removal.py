"""D0-9, P16: final deletion after the waiting time leaves a tombstone and nothing that was said."""

import json
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import holds
from messaging.actions import post_message
from notifications.mail import outbox
from tickets import actions, anchors, removal
from tickets.models import Attachment, Ticket, TicketEvent, Tombstone
from tickets.parties import calls, requesters
from tickets.tests.factories import make_ticket
from tickets.workflow import Status, TicketRefusal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder_of_its_own(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def say_everything(ticket, alice, bob):
    """A line, a file, a call, a rating and the mails of all."""
    key = uuid.uuid4()
    Attachment.objects.create(
        uploader=alice, draft_key=key, name="bill.txt", content_type="text/plain", size=4,
        file=ContentFile(b"Paid", name="bill.txt"),
    )  # fmt: skip
    post_message(ticket, by=alice, body="Here is the bill.", key=key)
    calls.ask_for_call(ticket, by=alice, phone="+441134960000")
    calls.log_call(ticket, by=bob, text="Spoke.")
    actions.change_status(ticket, Status.CLOSED, by=alice)
    actions.rate(ticket, by=alice, rating=4, comment="Quick.")
    outbox.address_notifications()


def bin_long_ago(ticket, by):
    actions.bin_ticket(ticket, by=by)
    ticket.deleted_at -= timedelta(days=settings.BIN_DAYS)
    ticket.save()


@pytest.fixture
def old(ticket, alice, bob, ada):
    """A ticket with everything, long enough in the bin."""
    say_everything(ticket, alice, bob)
    bin_long_ago(ticket, ada)
    return ticket


def rows_of(ticket) -> dict[str, int]:
    """How many rows of each table point at ``ticket`` or at a line of it."""
    found = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            way = {Ticket: field.name, TicketEvent: f"{field.name}__ticket"}
            if model._meta.proxy or field.related_model not in way:
                continue
            rows = QuerySet(model).filter(**{way[field.related_model]: ticket.pk})
            found[f"{model._meta.label}.{field.name}"] = rows.count()
    return {name: count for name, count in found.items() if count}


def verify(*arguments):
    out = StringIO()
    try:
        call_command("verify_history", *arguments, stdout=out)
    except CommandError:
        return out.getvalue().splitlines()
    return []


def test_nothing_points_at_what_is_gone(old, ada, django_capture_on_commit_callbacks):
    """Rows in one transaction, files once that is sure."""
    path = Path(Attachment.objects.get().file.path)
    assert {"tickets.Feedback.ticket", "notifications.OutgoingMail.ticket"} < rows_of(old).keys()

    with django_capture_on_commit_callbacks() as callbacks:
        removal.remove_for_good(old, by=ada)
        assert path.read_text() == "Paid"
    for callback in callbacks:
        callback()

    assert rows_of(old) == {}
    assert not Ticket.objects.filter(pk=old.pk).exists()
    assert not Attachment.objects.exists()
    assert not path.exists()


def test_a_tombstone_stays(old, ada):
    count, head = old.event_count, old.head_digest

    removal.remove_for_good(old, by=ada)

    stone = Tombstone.objects.get()
    assert (stone.reference, stone.ticket_pk, stone.removed_by) == (str(old), old.pk, ada)
    assert (stone.event_count, stone.head_digest) == (count, head)
    assert [digest for _pk, digest in stone.lines][-1] == head
    assert len(stone.lines) == count


def test_others_lose_nothing(old, alice, bob, ada, kettles):
    other = make_ticket(alice, bob, category=kettles, by=ada)
    say_everything(other, alice, bob)
    before = rows_of(other)

    removal.remove_for_good(old, by=ada)

    assert rows_of(other) == before
    assert verify() == []


def test_all_or_nothing(old, ada, monkeypatch):
    before = rows_of(old)

    def refuse(*args):
        raise RuntimeError

    monkeypatch.setattr(removal, "remove_files", refuse)
    with pytest.raises(RuntimeError):
        removal.remove_for_good(old, by=ada)

    assert rows_of(old) == before
    assert not Tombstone.objects.exists()


# --- Who and when ---------------------------------------------------------------


def remove(client, ticket, method="post"):
    url = reverse("admin:tickets_ticket_remove", args=[ticket.pk])
    return getattr(client, method)(url, follow=True)


def test_an_administrator_is_asked_gravely_and_it_is_recorded(login, old, ada):
    number, pk = str(old), str(old.pk)
    page = remove(login(ada), old, "get")
    assert f"Remove {number} for good?" in page.text
    assert "ccr-abtn--no" in page.text
    assert Ticket.objects.filter(pk=pk).exists()

    page = remove(login(ada), old)

    assert f"{number} is gone for good." in page.text
    entry = LogEntry.objects.get(object_id=pk)
    assert (entry.user, entry.object_repr) == (ada, number)
    assert entry.get_change_message() == "Removed for good."
    assert remove(login(ada), old).status_code == 404


def test_too_early_is_refused_with_the_day(login, ticket, ada):
    actions.bin_ticket(ticket, by=ada)
    ticket.deleted_at -= timedelta(days=settings.BIN_DAYS) - timedelta(minutes=1)
    ticket.save()

    page = remove(login(ada), ticket)

    assert f"{ticket} can be removed for good from " in page.text
    assert Ticket.objects.filter(pk=ticket.pk).exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        removal.remove_for_good(ticket, by=ada)
    assert not Ticket.objects.filter(pk=ticket.pk).exists()


def test_what_is_not_in_the_bin_stays(login, ticket, ada):
    assert f"{ticket} is not in the bin." in remove(login(ada), ticket).text
    with pytest.raises(TicketRefusal):
        removal.remove_for_good(ticket, by=ada)


@pytest.mark.plan("SEC-H2")
@pytest.mark.parametrize("is_former", [False, True], ids=["customer", "former"])
def test_a_legal_hold_keeps_it(ticket, alice, ada, carol, is_former):
    """Also by the way of giving it to another customer first."""
    if is_former:
        requesters.correct_requester(ticket, carol.email, first_name="", by=ada)
    bin_long_ago(ticket, ada)
    holds.hold(alice, by=ada, reason="Case 17")

    with pytest.raises(TicketRefusal, match="legal hold"):
        removal.remove_for_good(ticket, by=ada)

    holds.release(alice, by=ada)
    removal.remove_for_good(ticket, by=ada)


@pytest.mark.parametrize("name", ["alice", "bob", "dave"])
def test_only_administrators_remove(request, old, name):
    with pytest.raises(PermissionDenied):
        removal.remove_for_good(old, by=request.getfixturevalue(name))


def test_nobody_removes_their_own(ada, kettles):
    own = make_ticket(ada, category=kettles)
    Ticket.objects.update(deleted_at=timezone.now() - timedelta(days=settings.BIN_DAYS))

    with pytest.raises(PermissionDenied):
        removal.remove_for_good(own, by=ada)


# --- What the history proves afterwards -------------------------------------------


def settled():
    return time_machine.travel(timezone.now() + timedelta(minutes=6))


def test_anchors_of_before_and_after_still_fit(old, alice, ada, kettles):
    """One in the middle of its life, one before the removal, one after."""
    with settled():
        anchors.write()
    post_message(make_ticket(alice, category=kettles), by=alice, body="Another.")
    with settled():
        anchors.write()

    removal.remove_for_good(old, by=ada)

    assert verify() == []
    make_ticket(alice, category=kettles)
    with settled():
        anchors.write()
    assert len(anchors.read()) == 3
    assert verify() == []


def test_lines_no_anchor_had_seen_are_in_the_next(old, alice, ada, kettles):
    removal.remove_for_good(old, by=ada)
    make_ticket(alice, category=kettles)

    with settled():
        anchor = anchors.write()

    assert anchor.tickets == 2
    assert verify() == []


def alter(**changes):
    QuerySet(Tombstone).update(**changes)


def test_a_tombstone_without_the_key_is_found(old, ada):
    """Whoever removes a ticket by hand can't write a tombstone that fits."""
    with settled():
        anchors.write()
    removal.remove_for_good(old, by=ada)
    assert verify() == []

    alter(removed_at=timezone.now() - timedelta(days=9))
    assert verify() == [f"{old}: the tombstone was altered."]

    alter(lines=json.loads('[[1, "0"]]'))
    assert verify()[0] == f"{old}: the tombstone was altered."
    assert verify()[1].startswith("Anchor of ")


def test_a_tombstone_that_is_gone_is_found(old, ada):
    with settled():
        anchors.write()
    removal.remove_for_good(old, by=ada)

    Tombstone.objects.all().delete()

    (problem,) = verify()
    assert problem.startswith("Anchor of ")


def test_a_ticket_with_a_tombstone_is_found(old, alice, ada, kettles):
    pk = old.pk
    removal.remove_for_good(old, by=ada)
    back = make_ticket(alice, category=kettles)
    stone = Tombstone.objects.get()
    stone.ticket_pk = back.pk
    stone.seal = removal.seal(stone)
    stone.save()

    assert pk != back.pk
    assert verify("--no-anchors") == [f"{old}: was removed for good and is here again."]

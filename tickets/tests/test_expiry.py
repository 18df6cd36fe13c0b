"""Drafts and files that nobody came back for."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.utils import timezone

from tickets import expiry
from tickets.models import Attachment, TicketDraft
from tickets.tasks import drop_old_drafts


@pytest.fixture
def draft(alice):
    return TicketDraft.objects.create(owner=alice, fields={"subject": "Kettle"})


def upload(by, draft_key=None, event=None):
    return Attachment.objects.create(
        uploader=by,
        draft_key=draft_key,
        event=event,
        file=ContentFile(b"picture", name="kettle.png"),
        name="kettle.png",
        content_type="image/png",
        size=7,
        sha256="0" * 64,
    )


def after(**span):
    return time_machine.travel(timezone.now() + timedelta(**span))


def is_kept(attachment):
    """Row and file, both or neither."""
    row = Attachment.objects.filter(pk=attachment.pk).exists()
    assert row == attachment.file.storage.exists(attachment.file.name)
    return row


@pytest.mark.parametrize(("days", "kept"), [(29, True), (31, False)])
def test_a_draft_lives_for_thirty_days_with_its_files(draft, alice, days, kept):
    attachment = upload(alice, draft.key)

    with after(days=days):
        expiry.drop_old_drafts()

    assert TicketDraft.objects.exists() == kept
    assert is_kept(attachment) == kept


@pytest.mark.parametrize(("hours", "kept"), [(23, True), (25, False)])
@pytest.mark.parametrize("draft_key", [None, uuid4()])
def test_a_file_waits_a_day_for_its_message(alice, draft_key, hours, kept):
    attachment = upload(alice, draft_key)

    with after(hours=hours):
        expiry.drop_old_drafts()

    assert is_kept(attachment) == kept


def test_a_file_that_was_sent_stays(ticket, alice):
    attachment = upload(alice, event=ticket.events.get(number=1))

    with after(days=365):
        expiry.drop_old_drafts()

    assert is_kept(attachment)


def test_a_file_that_is_sent_meanwhile_stays(ticket, alice, monkeypatch):
    attachment = upload(alice)
    drop = expiry._drop

    def sent_first(forgotten):
        Attachment.objects.filter(pk=forgotten.pk).update(event=ticket.events.get(number=1))
        drop(forgotten)

    monkeypatch.setattr(expiry, "_drop", sent_first)
    with after(days=2):
        expiry.drop_old_drafts()

    assert is_kept(attachment)


def test_the_worker_tidies_up(draft):
    with after(days=31):
        drop_old_drafts()

    assert not TicketDraft.objects.exists()

"""What nobody came back for: drafts that were never sent, and files that wait for nothing."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.leftovers import remove_unknown

from .models import Attachment, TicketDraft

FILE_WAITS = timedelta(days=1)  # for the message it was uploaded for


def drop_old_drafts() -> None:
    """Remove drafts older than ``DRAFT_DAYS``, then the files whose draft or message never came."""
    now = timezone.now()
    old = TicketDraft.objects.filter(updated_at__lt=now - timedelta(days=settings.DRAFT_DAYS))
    old.exclude(owner__legal_hold__gt="").delete()
    forgotten = Attachment.objects.filter(
        ~Exists(TicketDraft.objects.filter(key=OuterRef("draft_key"))),
        event=None,
        created_at__lt=now - FILE_WAITS,
    )
    for attachment in forgotten.iterator():
        _drop(attachment)


def _drop(attachment: Attachment) -> None:
    # Asks again whether it still waits: it may have been sent since it was read. The row goes
    # first, as a file without a row harms nobody.
    gone, _ = Attachment.objects.filter(pk=attachment.pk, event=None).delete()
    if gone:
        attachment.file.delete(save=False)


def remove_left_files() -> int:
    """Files of attachments that were erased just before a crash. Photos lie in another folder."""
    storage = Attachment._meta.get_field("file").storage
    rows = Attachment.objects.all()
    return sum(
        remove_unknown(storage, folder, rows, "file")
        for folder in storage.listdir("")[0]
        if len(folder) == 2  # see ``attachment_path``
    )

"""What comes with a ticket, and what is not sent yet."""

import hashlib
import json
import secrets
import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

from .events import TicketEvent


def attachment_path(attachment, filename) -> str:
    """An unguessable name outside the web root; the person's own name stays in the row."""
    token = secrets.token_hex(20)
    return f"{token[:2]}/{token[2:]}"


class AttachmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Files follow their line; one not sent yet belongs to whoever uploaded it."""
        # About the one line: a set of all that somebody may read would be made for each file.
        sent = Exists(TicketEvent.objects.visible_to(user).filter(pk=OuterRef("event")))
        if user.is_authenticated and user.is_approved:
            return self.filter(sent | Q(event=None, uploader=user))
        return self.none()

    def waiting_in(self, draft_key, user):
        return self.filter(event=None, draft_key=draft_key, uploader=user).order_by("created_at")


class Attachment(models.Model):
    """A file that came with a line, or that waits in a draft for its line."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="attachments")
    uploader = models.ForeignKey(User, models.PROTECT, related_name="+")
    draft_key = models.UUIDField(null=True, db_index=True)
    file = models.FileField(upload_to=attachment_path, max_length=100)
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        indexes = [models.Index(fields=["created_at"], name="attachment_created")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("tickets:attachment", args=[self.pk])

    @property
    def icon(self):
        kinds = {"image": "file-earmark-image", "video": "file-earmark-play"}
        if self.content_type == "application/pdf":
            return "file-earmark-pdf"
        return kinds.get(self.content_type.split("/")[0], "file-earmark-text")


class TicketDraft(models.Model):
    """A ticket somebody is still writing. Visitors keep the key in their session."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="ticket_drafts")
    fields = models.JSONField(default=dict)  # as typed, checked again at every step
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("ticket draft")
        indexes = [models.Index(fields=["updated_at"], name="draft_updated")]

    def __str__(self):
        return str(self.fields.get("subject") or _("Untitled"))

    def version(self) -> str:
        """Another one for other words or other files: what is sent must be what was reviewed."""
        files = Attachment.objects.waiting_in(self.key, self.owner).values_list("pk", flat=True)
        told = json.dumps([self.fields, [str(pk) for pk in files]], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

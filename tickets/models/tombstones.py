"""What is left of a ticket that was removed for good."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Tombstone(models.Model):
    """That there was one, and the fingerprints of its history: no words, no people but who removed
    it. ``verify_history`` counts it where an anchor knows the ticket. Made in ``tickets.removal``.
    """

    ticket_pk = models.BigIntegerField(unique=True, editable=False)
    reference = models.CharField(_("number"), max_length=20, unique=True)
    event_count = models.PositiveIntegerField(_("lines"))
    head_digest = models.CharField(max_length=64)
    lines = models.JSONField(editable=False)  # of each its primary key and digest, in their order
    removed_at = models.DateTimeField(_("removed"), default=timezone.now)
    removed_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("removed by")
    )
    seal = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("removed ticket")
        verbose_name_plural = _("removed tickets")
        ordering = ["-pk"]

    def __str__(self):
        return self.reference

"""Which tickets belong together."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class LinkKind(models.TextChoices):
    """What ``TicketLink.ticket`` is to ``TicketLink.other``."""

    RELATED = "related", _("Related to")
    CHILD = "child", _("Part of")  # the other is its parent and waits for it
    SPLIT = "split", _("Split off from")
    FOLLOW_UP = "follow_up", _("Follow-up of")


class TicketLink(models.Model):
    """Two tickets that belong together, whichever way: one link for a pair."""

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="links")
    other = models.ForeignKey("Ticket", models.PROTECT, related_name="links_to")
    kind = models.CharField(_("kind"), max_length=10, choices=LinkKind)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                Least("ticket", "other"), Greatest("ticket", "other"), name="one_link_a_pair"
            ),
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(kind=LinkKind.CHILD), name="one_parent"
            ),
            models.CheckConstraint(condition=~Q(ticket=F("other")), name="not_linked_to_itself"),
        ]

    def __str__(self):
        return f"{self.ticket} {self.get_kind_display().lower()} {self.other}"

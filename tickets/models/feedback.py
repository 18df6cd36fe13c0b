"""What requesters thought of it, and what happened on a day."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Feedback(models.Model):
    """The requester's rating (CSAT): one for each time a ticket ended."""

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="feedback")
    round = models.PositiveSmallIntegerField(default=0)  # how often it had been opened again
    rating = models.PositiveSmallIntegerField(
        _("rating"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    comment = models.TextField(_("comment"), blank=True)
    agent = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="feedback_received", verbose_name=_("agent")
    )
    created_at = models.DateTimeField(_("given"), default=timezone.now)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "round"], name="feedback_once_a_round"),
            models.CheckConstraint(condition=Q(rating__range=(1, 5)), name="feedback_one_to_five"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="feedback_newest")]

    def __str__(self):
        return f"{self.rating} of 5 for {self.ticket}"


class DaySummary(models.Model):
    """What happened on a day, kept by a job so that no page counts the table."""

    day = models.DateField(_("day"), unique=True)
    raised = models.PositiveIntegerField(_("raised"), default=0)
    resolved = models.PositiveIntegerField(_("resolved"), default=0)

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        ordering = ["-day"]

    def __str__(self):
        return str(self.day)

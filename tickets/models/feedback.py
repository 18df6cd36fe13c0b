"""What requesters thought of it, and what happened on a day."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
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
    improvement = models.TextField(_("what to improve"), blank=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered"), null=True)
    created_at = models.DateTimeField(_("given"), default=timezone.now)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "round"], name="feedback_once_a_round"),
            models.CheckConstraint(condition=Q(rating__range=(1, 5)), name="feedback_one_to_five"),
            models.CheckConstraint(
                condition=Q(answer="", answered_by=None, answered_at=None)
                | Q(answered_by__isnull=False, answered_at__isnull=False),
                name="feedback_answered_by_whom_and_when",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="feedback_newest"),
            models.Index(F("agent"), F("created_at").desc(), name="feedback_of_agent"),
            models.Index(
                fields=["-created_at"], condition=~Q(improvement=""), name="feedback_suggestions"
            ),
        ]

    def __str__(self):
        return f"{self.rating} of 5 for {self.ticket}"


class Suggestion(Feedback):
    """D3-4: a rating that came with a word on what to improve."""

    class Meta:
        proxy = True
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")


class Concern(models.Model):
    """D4-11: what somebody thinks is wrong with the registry itself; or, with a ticket, what its
    customer suggested to the agent while they talked (D3-4)."""

    author = models.ForeignKey(
        User, models.PROTECT, related_name="concerns", verbose_name=_("raised by")
    )
    ticket = models.ForeignKey(
        "Ticket",
        models.PROTECT,
        null=True,
        related_name="suggestions",
        verbose_name=_("heard on the ticket"),
    )
    text = models.TextField(_("concern"))
    created_at = models.DateTimeField(_("raised"), default=timezone.now)
    answer = models.TextField(_("answer"), blank=True)
    settled_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("settled by")
    )
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("concern")
        verbose_name_plural = _("concerns")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", settled_by=None, settled_at=None)
                | Q(settled_by__isnull=False, settled_at__isnull=False),
                name="concern_settled_by_whom_and_when",
            )
        ]
        indexes = [
            models.Index(fields=["author", "-created_at"], name="concern_of_author"),
            models.Index(
                fields=["created_at"], condition=Q(settled_at=None), name="concern_unsettled"
            ),
        ]

    def __str__(self):  # without its words: the activity log keeps this for good
        return _("Concern %(n)s") % {"n": self.pk}


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

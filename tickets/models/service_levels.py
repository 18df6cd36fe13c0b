"""What is promised: in how much of whose opening hours a ticket is answered and solved."""

from datetime import time, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Weekday
from accounts.models.people import time_zones

from .categories import Category, Priority


class Calendar(models.Model):
    """When somebody is there to work on tickets."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, choices=time_zones)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["name"]

    def __str__(self):
        return self.name


class OpeningHours(models.Model):
    """From one time to another on a day of the week. A day may have several, or none."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens_at = models.TimeField(_("opens"))
    closes_at = models.TimeField(
        _("closes"), help_text=_("00:00 is midnight at the end of the day")
    )

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "opens_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "weekday", "opens_at"], name="opens_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")) | Q(closes_at=time(0)),
                name="closes_after_it_opens",
            ),
        ]

    def __str__(self):
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"

    def clean(self):
        if self.opens_at and self.closes_at and time(0) < self.closes_at <= self.opens_at:
            raise ValidationError({"closes_at": _("It must close after it opens")})


class Holiday(models.Model):
    """A day on which a calendar is shut."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="holidays")
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="holiday_once")]

    def __str__(self):
        return f"{self.day} {self.name}".strip()


class SlaPolicy(models.Model):
    """The promise for tickets of a category and a priority. An empty one stands for every.

    What fits most closely counts: category and priority, then category, then priority.
    """

    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, verbose_name=_("category")
    )
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, blank=True)
    calendar = models.ForeignKey(Calendar, models.PROTECT, verbose_name=_("calendar"))
    answer_within = models.DurationField(_("answer within"))
    resolve_within = models.DurationField(_("solve within"), null=True, blank=True)
    warn_before = models.DurationField(_("warn so long before"), null=True, blank=True)

    class Meta:
        verbose_name = _("service level")
        verbose_name_plural = _("service levels")
        ordering = ["category", "priority"]
        constraints = [
            models.UniqueConstraint(fields=["category", "priority"], name="service_level_once"),
            models.UniqueConstraint(
                fields=["priority"],
                condition=Q(category=None),
                name="service_level_once_for_every_category",
                violation_error_message=_("There is a service level for this already"),
            ),
            models.CheckConstraint(
                condition=Q(warn_before=None) | Q(warn_before__lt=F("answer_within")),
                name="warned_after_the_start",
            ),
            models.CheckConstraint(
                condition=Q(answer_within__gt=timedelta())
                & (Q(resolve_within=None) | Q(resolve_within__gte=F("answer_within"))),
                name="answered_in_time_to_be_solved",
            ),
        ]

    def __str__(self):
        about = str(self.category) if self.category else _("Every category")
        return f"{about}, {self.get_priority_display() or _('every priority')}".lower().capitalize()

    def clean(self):
        answer, solve, warn = self.answer_within, self.resolve_within, self.warn_before
        if answer and warn and warn >= answer:
            raise ValidationError({"warn_before": _("The warning must come after the start")})
        if answer and solve and solve < answer:
            raise ValidationError({"resolve_within": _("It can’t be solved before the answer")})

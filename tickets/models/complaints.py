"""The complaint grade: the steps a regulated complaint takes, with the days the law allows."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

MOST_DAYS = 366


class DayCount(models.TextChoices):
    CALENDAR = "calendar", _("Calendar days")
    WORKING = "working", _("Working days of the calendar")


class ComplaintTrack(models.Model):
    """A regulated way to handle complaints, and what customers are told of it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    days = models.CharField(
        _("days are"), max_length=10, choices=DayCount, default=DayCount.WORKING
    )
    calendar = models.ForeignKey(
        "Calendar", models.PROTECT, verbose_name=_("calendar"),
        help_text=_("Says which days are working days, and where midnight is"),
    )  # fmt: skip
    acknowledge_within = models.PositiveSmallIntegerField(_("acknowledge within (days)"))
    respond_within = models.PositiveSmallIntegerField(_("final response within (days)"))
    warn_before = models.PositiveSmallIntegerField(_("warn so many days before"), default=1)
    referral = models.TextField(
        _("where customers can turn"), max_length=2_000,
        help_text=_("For example the ombudsman, and until when. It stands in each letter"),
    )  # fmt: skip
    sender = models.TextField(
        _("sender of the letter"), max_length=500, help_text=_("Name and address, as on paper")
    )

    class Meta:
        verbose_name = _("complaint procedure")
        verbose_name_plural = _("complaint procedures")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledge_within__gt=0)
                & Q(respond_within__gte=F("acknowledge_within")),
                name="acknowledged_before_the_response",
            )
        ]

    def __str__(self):
        return self.name

    def clean(self):
        acknowledge, respond = self.acknowledge_within, self.respond_within
        wrong = {}
        for name, days in (("acknowledge_within", acknowledge), ("respond_within", respond)):
            if days is not None and not 0 < days <= MOST_DAYS:
                wrong[name] = _("Enter a number of days from 1 to %(most)s") % {"most": MOST_DAYS}
        if not wrong and acknowledge and respond and respond < acknowledge:
            wrong["respond_within"] = _("The final response can’t come before the acknowledgement")
        warn = self.warn_before
        if not wrong and acknowledge and warn is not None and warn >= acknowledge:
            wrong["warn_before"] = _("The warning must come after the start")
        if self._counts_days_that_never_come():
            wrong["calendar"] = _("This calendar never opens, so it has no working days")
        if wrong:
            raise ValidationError(wrong)

    def _counts_days_that_never_come(self) -> bool:
        needs_hours = self.days == DayCount.WORKING and self.calendar_id
        return bool(needs_hours) and not self.calendar.hours.exists()


class ComplaintCode(models.Model):
    """What a complaint came from, or what was done about it, as reports count it."""

    class Kind(models.TextChoices):
        CAUSE = "cause", _("Cause")
        REMEDY = "remedy", _("Remedy")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    code = models.SlugField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("complaint code")
        verbose_name_plural = _("complaint codes")
        ordering = ["kind", "code"]
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="complaint_code_once")]

    def __str__(self):
        return f"{self.code} {self.name}"


class Stage(models.TextChoices):
    RECEIVED = "received", _("Received")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    INVESTIGATING = "investigating", _("Investigating")
    RESPONDED = "responded", _("Final response")


class EscalationLevel(models.IntegerChoices):
    """How far up a complaint has gone."""

    TEAM = 1, _("The team")
    MANAGEMENT = 2, _("Management")
    EXTERNAL = 3, _("Outside the company")


class ComplaintCase(models.Model):
    """Where one regulated complaint stands, and by when each step is due."""

    ticket = models.OneToOneField("Ticket", models.PROTECT, related_name="case")
    track = models.ForeignKey(ComplaintTrack, models.PROTECT, verbose_name=_("procedure"))
    stage = models.CharField(
        _("stage"), max_length=15, choices=Stage, default=Stage.RECEIVED, editable=False
    )
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    acknowledge_by = models.DateTimeField(_("to be acknowledged by"))
    respond_by = models.DateTimeField(_("final response by"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    investigating_at = models.DateTimeField(_("investigating since"), null=True)
    responded_at = models.DateTimeField(_("final response"), null=True)
    responded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    level = models.PositiveSmallIntegerField(
        _("escalation level"), choices=EscalationLevel, default=EscalationLevel.TEAM
    )
    cause = models.ForeignKey(
        ComplaintCode, models.PROTECT, null=True, related_name="+", verbose_name=_("cause")
    )
    remedy = models.ForeignKey(
        ComplaintCode, models.PROTECT, null=True, related_name="+", verbose_name=_("remedy")
    )

    class Meta:
        verbose_name = _("regulated complaint")
        verbose_name_plural = _("regulated complaints")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(stage=Stage.RESPONDED) & Q(responded_at__isnull=False))
                | (~Q(stage=Stage.RESPONDED) & Q(responded_at=None)),
                name="responded_at_a_time",
            )
        ]
        indexes = [
            models.Index(
                F("responded_at").desc(),
                F("id").desc(),
                condition=Q(responded_at__isnull=False),
                name="complaint_responded",
            )
        ]

    def __str__(self):
        return f"{self.ticket}: {self.get_stage_display()}"

    @property
    def is_untouched(self) -> bool:
        """Nobody has done anything yet."""
        is_coded = self.cause_id or self.remedy_id
        is_raised = self.level != EscalationLevel.TEAM
        return self.stage == Stage.RECEIVED and not (is_coded or is_raised)

    def day_of(self, moment: datetime) -> date:
        """The day ``moment`` falls on where the calendar is, wherever its reader is."""
        return moment.astimezone(ZoneInfo(self.track.calendar.time_zone)).date()

    @property
    def due_at(self):
        """The next day the law sets; None once it was answered."""
        if self.stage == Stage.RESPONDED:
            return None
        return self.acknowledge_by if self.stage == Stage.RECEIVED else self.respond_by

    @property
    def next_stages(self) -> list[Stage]:
        """Steps may be left out, and none is taken back."""
        stages = list(Stage)
        return stages[stages.index(self.stage) + 1 :]

"""What somebody tells us of themselves, and how an agent works."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .people import Role, User

MAX_CAPACITY = 500


class Address(models.Model):
    """Where somebody lives or receives things. One of them is used by default."""

    user = models.ForeignKey(User, models.CASCADE, related_name="addresses")
    label = models.CharField(_("name of the address"), max_length=50)
    street = models.CharField(_("street and number"), max_length=200)
    extra = models.CharField(_("flat, floor, company"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("town or city"), max_length=100)
    region = models.CharField(_("county, state or region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=100)
    is_default = models.BooleanField(_("used by default"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["-is_default", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_default=True), name="one_default_address_each"
            )
        ]

    def __str__(self):
        return ", ".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """As on an envelope, below the name."""
        town = f"{self.city} {self.postal_code}".strip()
        lines = (self.street, self.extra, town, self.region, self.country)
        return [line for line in lines if line]


class AgentProfile(models.Model):
    """How an agent works: how much at once, when, and who stands in."""

    class Availability(models.TextChoices):
        ONLINE = "online", _("Online")
        AWAY = "away", _("Away for a moment")
        OUT = "out", _("Out of office")

    agent = models.OneToOneField(
        User, models.CASCADE, related_name="agent_profile", limit_choices_to={"role": Role.AGENT}
    )
    capacity = models.PositiveSmallIntegerField(
        _("open tickets at once"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CAPACITY)],
    )
    availability = models.CharField(
        _("availability"), max_length=10, choices=Availability, default=Availability.ONLINE
    )
    out_until = models.DateField(_("out until"), null=True, blank=True)
    out_since = models.DateTimeField(_("out since"), null=True, editable=False)
    substitute = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("substitute")
    )
    signature = models.TextField(_("signature"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("agent profile")
        constraints = [
            models.CheckConstraint(
                condition=Q(substitute=None) | ~Q(substitute=F("agent")),
                name="nobody_substitutes_themselves",
            ),
            models.CheckConstraint(
                condition=Q(availability="out", out_until__isnull=False)
                | (~Q(availability="out") & Q(out_until=None)),
                name="out_of_office_until_a_day",
            ),
        ]

    def __str__(self):
        return str(self.agent)

    def clean(self):
        """Out of office is out until a day, and only then somebody stands in."""
        if self.availability != self.Availability.OUT:
            self.out_until = self.out_since = self.substitute = None
        elif self.out_until is None or self.out_until < timezone.localdate():
            raise ValidationError({"out_until": _("Enter the last day away, from today on")})
        else:
            self.out_since = self.out_since or timezone.now()
        if self.substitute_id and self.substitute_id == self.agent_id:
            raise ValidationError({"substitute": _("Choose another agent")})

    @property
    def is_out(self) -> bool:
        """From the day after the last one they count as online again."""
        return self.out_until is not None and self.out_until >= timezone.localdate()

    @property
    def is_away(self) -> bool:
        return self.availability == self.Availability.AWAY

    def works_until(self, moment: datetime) -> datetime | None:
        """When the hours end in which ``moment`` falls; None outside of hours."""
        if not self.pk:
            return None
        there = moment.astimezone(self.agent.zone)
        for hours in self.hours.all():
            if hours.weekday == there.weekday() and hours.opens <= there.time() < hours.closes:
                return datetime.combine(there.date(), hours.closes, there.tzinfo)
        return None

    def is_at_work(self, moment: datetime) -> bool:
        """Online and inside the hours. Who wrote down no hours works at any time."""
        if self.is_out or self.is_away:
            return False
        has_hours = self.pk and self.hours.all()
        return not has_hours or self.works_until(moment) is not None


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class WorkingHours(models.Model):
    """When an agent works on one day of the week, in the agent's time zone."""

    profile = models.ForeignKey(AgentProfile, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("until"))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens__lt=F("closes")), name="hours_end_after_start"
            ),
            models.UniqueConstraint(fields=["profile", "weekday"], name="hours_once_a_day"),
        ]

    def clean(self):
        if self.opens and self.closes and self.opens >= self.closes:
            raise ValidationError({"closes": _("The end must be after the beginning")})

    def __str__(self):
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"

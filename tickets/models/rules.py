"""Rules that operators make: when something happens or time passes, if all of this holds, then."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .categories import Category, Priority
from .events import TicketEvent
from .ticket import Tag, Ticket


class Trigger(models.TextChoices):
    """When a rule looks at a ticket."""

    RAISED = "raised", _("A ticket is raised")
    WROTE = "wrote", _("The customer writes")
    ANSWERED = "answered", _("Somebody of the staff writes to the customer")
    ASSIGNED = "assigned", _("A ticket gets an agent")
    MOVED = "moved", _("The status changes")
    CLASSIFIED = "classified", _("Kind, priority, category or tags change")
    RATED = "rated", _("The customer rates")
    MISSED = "missed", _("A promise is missed")
    OLD = "old", _("So long after it was raised")
    SILENT = "silent", _("Nothing has happened for so long")


TIMED = (Trigger.OLD, Trigger.SILENT)


class Rule(models.Model):
    """A rule; it does nothing until it is switched on. What is empty among its conditions always
    holds, what is empty among its actions is not done."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    is_active = models.BooleanField(_("switched on"), default=False, editable=False)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Rules act one after the other, the lowest first")
    )
    trigger = models.CharField(_("when"), max_length=10, choices=Trigger)
    after = models.DurationField(_("how long"), null=True, blank=True)
    # Up to when a rule of time has looked.
    looked_until = models.DateTimeField(null=True, editable=False)

    # If …
    categories = models.ManyToManyField(
        Category, blank=True, related_name="+", verbose_name=_("category")
    )
    kinds = models.JSONField(_("kind"), default=list, blank=True)
    priorities = models.JSONField(_("priority"), default=list, blank=True)
    statuses = models.JSONField(_("status"), default=list, blank=True)
    channels = models.JSONField(_("how it came"), default=list, blank=True)
    tags = models.ManyToManyField(
        Tag, blank=True, related_name="+", verbose_name=_("tagged with one of")
    )
    words = models.TextField(
        _("one of these words"),
        blank=True,
        max_length=2_000,
        help_text=_("One on each line; in the subject or in what was written"),
    )
    is_assigned = models.BooleanField(_("has an agent"), null=True, blank=True)
    rated_at_most = models.PositiveSmallIntegerField(_("rated at most"), null=True, blank=True)

    # Then …
    set_priority = models.CharField(
        _("set the priority"), max_length=10, choices=Priority, blank=True
    )
    set_category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("set the category"),
    )  # fmt: skip
    add_tags = models.CharField(_("add the tags"), max_length=200, blank=True)
    assign_to = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+",
        limit_choices_to={"role": Role.AGENT}, verbose_name=_("assign to"),
    )  # fmt: skip
    message = models.TextField(_("write to the customer"), blank=True, max_length=10_000)
    note = models.TextField(_("add an internal note"), blank=True, max_length=10_000)
    move_to = models.CharField(_("move to"), max_length=10, blank=True)
    tell_agent = models.BooleanField(_("tell its agent"), default=False)
    tell = models.ManyToManyField(
        User, blank=True, related_name="+", limit_choices_to={"role__in": [Role.AGENT, Role.ADMIN]},
        verbose_name=_("tell these people"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(trigger__in=TIMED, after__isnull=False)
                | (~Q(trigger__in=TIMED) & Q(after=None)),
                name="rules_of_time_say_how_long",
            )
        ]

    def __str__(self):
        return self.name

    @property
    def is_timed(self):
        return self.trigger in TIMED

    @property
    def tags_to_add(self) -> list[str]:
        return self.add_tags.split(", ") if self.add_tags else []


class RuleRunQuerySet(models.QuerySet):
    def owed(self):
        """What may be seen to now: of each ticket the first, so that its rules act in order. What
        waits to be tried again holds up no other."""
        due = {"state": RuleRun.State.OWED, "not_before__lte": timezone.now()}
        earlier = RuleRun.objects.filter(ticket=OuterRef("ticket"), pk__lt=OuterRef("pk"), **due)
        return self.filter(~Exists(earlier), **due).order_by("pk")


class RuleRun(models.Model):
    """A rule owes a look at a ticket because of one cause, and what came of it: the trace."""

    class State(models.TextChoices):
        OWED = "owed", _("Not looked yet")
        DONE = "done", _("Done")
        FAILED = "failed", _("Could not be done")

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="runs", verbose_name=_("rule"))
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, related_name="rule_runs", verbose_name=_("ticket")
    )
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("caused"), default=timezone.now)  # of one cause, one moment
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OWED)
    answer = models.TextField(_("what came of it"), blank=True)
    done_at = models.DateTimeField(_("done"), null=True)
    tries = models.PositiveSmallIntegerField(_("failed tries"), default=0, editable=False)
    not_before = models.DateTimeField(default=timezone.now, editable=False)

    objects = RuleRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("act of a rule")
        verbose_name_plural = _("acts of rules")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "ticket", "at"], name="rule_once_a_cause")
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="owed"), name="rule_run_owed"),
            models.Index(fields=["id"], condition=Q(state="failed"), name="rule_run_failed"),
            models.Index(F("rule"), F("id").desc(), name="rule_run_of_rule"),
        ]

    def __str__(self):
        return f"{self.rule}: {self.ticket}"

"""What tickets are about, and who knows it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Standing, User


class CategoryQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)


class Category(models.Model):
    """What a complaint is about. Its experts are the team that works it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    team_name = models.CharField(
        _("team name"), max_length=100, help_text=_("What customers read, for example Returns team")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Only active categories are offered on the form")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(condition=~Q(pk=F("parent")), name="category_not_its_own_parent")
        ]

    def __str__(self):
        return self.name


class ExpertiseQuerySet(models.QuerySet):
    def of_agents(self):
        """What counts: those who wait, are suspended or do something else know nothing."""
        return self.filter(
            agent__role=Role.AGENT, agent__standing=Standing.ACTIVE, agent__deleted_at=None
        )

    def by_category(self):
        return self.select_related("category").order_by("category__position", "category__name")


class Expertise(models.Model):
    """An agent knows a category, and the ones below it. Applicants offer what they know."""

    class Level(models.IntegerChoices):
        BASIC = 1, _("Basic")
        GOOD = 2, _("Good")
        EXPERT = 3, _("Expert")

    agent = models.ForeignKey(
        User, models.CASCADE, related_name="expertise", limit_choices_to={"role": Role.AGENT}
    )
    category = models.ForeignKey(Category, models.CASCADE, related_name="experts")
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.GOOD)

    objects = ExpertiseQuerySet.as_manager()

    class Meta:
        verbose_name = _("expertise")
        verbose_name_plural = _("expertise")
        constraints = [models.UniqueConstraint(fields=["agent", "category"], name="expertise_once")]

    def __str__(self):
        return f"{self.agent}: {self.category} ({self.get_level_display()})"

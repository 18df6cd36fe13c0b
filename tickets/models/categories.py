"""What tickets are about, and who knows it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Standing, User

from .complaints import ComplaintTrack


class Priority(models.TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class Routing(models.TextChoices):
    """How a ticket of a category gets its agent."""

    MANUAL = "manual", _("By hand")
    SUGGESTED = "suggested", _("By hand, with a suggestion")
    AUTOMATIC = "automatic", _("Dealt to the best agent who has room")


class CategoryQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def as_tree(self) -> list[tuple["Category", int]]:
        """Each with its depth, children after what they are part of, if that is among them."""
        children = {}
        everything = list(self)
        present = {category.pk for category in everything}
        for category in everything:
            above = category.parent_id if category.parent_id in present else None
            children.setdefault(above, []).append(category)
        return [
            step
            for top in children.get(None, [])
            for step in [(top, 0), *((child, 1) for child in children.get(top.pk, []))]
        ]


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
    default_priority = models.CharField(
        _("usual priority"), max_length=10, choices=Priority, default=Priority.NORMAL
    )
    # How long such tickets took lately, in the middle; None: too few to say. See ``usual``.
    usual_answer = models.DurationField(null=True, editable=False)
    usual_solution = models.DurationField(null=True, editable=False)
    routing = models.CharField(
        _("assignment"), max_length=10, choices=Routing, default=Routing.SUGGESTED
    )

    email = models.EmailField(
        _("mail address"),
        max_length=254,
        blank=True,
        help_text=_("Mails about its tickets come from here; mails to it become its tickets"),
    )
    acknowledgement = models.TextField(
        _("acknowledgement"),
        max_length=2_000,
        blank=True,
        help_text=_("Stands in the receipt of every new ticket, and on its page"),
    )
    away_words = models.TextField(
        _("out-of-hours answer"),
        max_length=2_000,
        blank=True,
        help_text=_("Who writes while nobody is there reads this at once, in the conversation"),
    )
    track = models.ForeignKey(
        ComplaintTrack, models.PROTECT, null=True, blank=True,
        verbose_name=_("complaint procedure"),
        help_text=_("Only for complaints the law has rules for"),
    )  # fmt: skip

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(pk=F("parent")), name="category_not_its_own_parent"
            ),
            models.UniqueConstraint(
                fields=["email"], condition=~Q(email=""), name="category_address_once"
            ),
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

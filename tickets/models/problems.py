"""One cause behind many complaints."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

from .categories import Category


class Problem(models.Model):
    """D0-27: what many complain about, who sees to it, and what the team that can mend it needs
    to know. Once it is mended the customers of its tickets are told."""

    title = models.CharField(_("what is wrong"), max_length=200)
    team_note = models.TextField(
        _("note for the team that can mend it"), blank=True, max_length=10_000
    )
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, verbose_name=_("category")
    )
    owner = models.ForeignKey(
        User, models.PROTECT, related_name="problems", verbose_name=_("who sees to it")
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("found"), default=timezone.now)
    mended_at = models.DateTimeField(_("mended"), null=True, editable=False)
    mended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", editable=False)
    mended_text = models.TextField(_("what customers are told"), blank=True, editable=False)
    # Until when its tickets have all been told; None while some have not, or it is not mended.
    told_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mended_at=None, mended_text="", mended_by=None, told_at=None)
                | (Q(mended_at__isnull=False, mended_by__isnull=False) & ~Q(mended_text="")),
                name="problem_mended_with_words",
            )
        ]
        indexes = [
            models.Index(F("id").desc(), condition=Q(mended_at=None), name="problem_open"),
            models.Index(
                fields=["mended_at"],
                condition=Q(mended_at__isnull=False, told_at=None),
                name="problem_to_tell",
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def is_mended(self) -> bool:
        return self.mended_at is not None

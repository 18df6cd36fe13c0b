"""Questions a category asks besides what every ticket has, and their answers."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Q, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from .categories import Category

YES_NO = {"yes": _("Yes"), "no": _("No")}


class CategoryFieldQuerySet(models.QuerySet):
    def of(self, ticket):
        """What ``ticket``'s category asks, and what it answered in others or before a question was
        switched off. Each with its ``answer`` or None, and whether it ``is_asked`` now."""
        answers = FieldValue.objects.filter(ticket=ticket, field=OuterRef("pk"))
        is_asked = Q(category=ticket.category_id, is_active=True)
        return self.annotate(
            answer=Subquery(answers.values("value")),
            is_asked=ExpressionWrapper(is_asked, output_field=models.BooleanField()),
        ).filter(is_asked | Q(answer__isnull=False))


class CategoryField(models.Model):
    """A question defined in the console. Switched off it is asked no more; answers stay."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        CHOICE = "choice", _("Choice")
        YES_NO = "yes_no", _("Yes or no")

    category = models.ForeignKey(Category, models.CASCADE, related_name="fields")
    label = models.CharField(_("question"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    choices = models.TextField(_("choices"), blank=True, help_text=_("One on each line"))
    is_required_to_raise = models.BooleanField(_("needed to raise"), default=False)
    is_required_to_resolve = models.BooleanField(_("needed to resolve"), default=False)
    is_for_requester = models.BooleanField(
        _("customers see it"), default=True, help_text=_("Otherwise only staff see and fill it in")
    )
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = CategoryFieldQuerySet.as_manager()

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["category", "label"], name="field_once_a_category"),
            models.CheckConstraint(
                condition=~models.Q(is_required_to_raise=True, is_for_requester=False),
                name="nobody_is_asked_what_they_cannot_see",
            ),
        ]

    def __str__(self):
        return self.label

    def clean(self):
        if self.is_required_to_raise and not self.is_for_requester:
            words = _("What customers don’t see can’t be needed to raise a ticket")
            raise ValidationError({"is_required_to_raise": words})
        if (self.kind == self.Kind.CHOICE) != bool(self.choice_list):
            words = _("Write the choices, one on each line, for the kind “Choice” and no other")
            raise ValidationError({"choices": words})
        if any(len(choice) > FieldValue.MAX_LENGTH for choice in self.choice_list):
            raise ValidationError({"choices": _("A choice must be 500 characters or less")})
        if self.pk and self.values.exclude(field__kind=self.kind).exists():
            words = _("It has answers of another kind. Switch it off and add a new question")
            raise ValidationError({"kind": words})

    @property
    def choice_list(self) -> list[str]:
        lines = (line.strip() for line in self.choices.splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    @property
    def is_missing(self) -> bool:
        """Of one that comes from ``of``: nothing is resolved without it."""
        return self.is_asked and self.is_required_to_resolve and not self.answer

    @property
    def words(self) -> str:
        return self.in_words(self.answer)

    def in_words(self, answer: str) -> str:
        """``answer`` as people read it; it is kept as ``tickets.inputs.as_text`` writes it."""
        if self.kind == self.Kind.YES_NO:
            return str(YES_NO[answer])
        if self.kind == self.Kind.DATE:
            return date_format(date.fromisoformat(answer), "j F Y")
        return answer


class FieldValue(models.Model):
    """The answer of one ticket. Where nothing was answered there is no row."""

    MAX_LENGTH = 500

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="field_values")
    field = models.ForeignKey(CategoryField, models.PROTECT, related_name="values")
    value = models.CharField(_("answer"), max_length=MAX_LENGTH, blank=True)

    class Meta:
        verbose_name = _("answer to a field")
        constraints = [models.UniqueConstraint(fields=["ticket", "field"], name="one_answer_each")]

    def __str__(self):
        return f"{self.field}: {self.value}"

"""What an agent knows."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Category, Expertise


class ExpertiseForm(forms.Form):
    """How well somebody knows each category. ``known`` are levels by category."""

    def __init__(self, *args, known: dict[int, int], **kwargs):
        super().__init__(*args, **kwargs)
        self._categories = {f"category_{each.pk}": each for each in Category.objects.active()}
        for name, category in self._categories.items():
            self.fields[name] = forms.TypedChoiceField(
                label=category.name,
                choices=[("", _("Not mine")), *Expertise.Level.choices],
                coerce=lambda level: Expertise.Level(int(level)),
                empty_value=None,
                required=False,
                initial=known.get(category.pk, ""),
                error_messages={"invalid_choice": _("Choose one of the levels")},
            )

    @property
    def levels(self) -> dict[Category, Expertise.Level]:
        chosen = self.cleaned_data.items()
        return {self._categories[name]: level for name, level in chosen if level}

"""Input about problems: which one is behind a ticket, what it is, and that it is mended."""

import re

from django import forms
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from ..inputs import LineField, TextField, TreeChoiceField
from ..models import Category, Problem

OFFERED = 50


class LinkForm(forms.Form):
    """An open problem by its number or by words of it. The browser finds it among the newest."""

    problem = LineField(
        label=_("Which problem is behind it?"),
        help_text=_("Its number, or words of what is wrong"),
        max_length=300,
        error_messages={"required": _("Enter the number of a problem, or words of it")},
    )

    @cached_property
    def offered(self) -> list[str]:
        newest = Problem.objects.filter(mended_at=None).order_by("-pk")
        return [f"{problem.pk} {problem}" for problem in newest[:OFFERED]]

    def clean_problem(self) -> Problem:
        words = self.cleaned_data["problem"]
        open_ones = Problem.objects.filter(mended_at=None)
        number = re.match(r"#?(\d{1,9})\b", words)
        found = list(open_ones.filter(pk=number[1])) if number else []
        found = found or list(open_ones.filter(title__icontains=words).order_by("-pk")[:2])
        if not found:
            raise forms.ValidationError(_("No open problem has this number or these words"))
        if len(found) > 1:
            raise forms.ValidationError(_("Several problems have these words. Enter a number"))
        return found[0]


class ProblemForm(forms.ModelForm):
    title = LineField(
        label=_("What is wrong?"),
        max_length=200,
        help_text=_("One line, by which your colleagues find it"),
        error_messages={"required": _("Say what is wrong")},
    )
    team_note = TextField(
        max_length=10_000,
        label=_("Note for the team that can mend it (optional)"),
        help_text=_("Customers do not see it"),
        required=False,
        widget=forms.Textarea({"rows": 5}),
    )

    class Meta:
        model = Problem
        fields = ("title", "team_note", "category", "owner")
        field_classes = {"category": TreeChoiceField}
        labels = {"category": _("Category (optional)")}
        error_messages = {
            "owner": {"required": _("Choose who sees to it")},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Who and what it was may not be offered any more, and stays.
        offered = Category.objects.filter(Q(is_active=True) | Q(pk=self.instance.category_id))
        self.fields["category"].queryset = offered
        self.fields["category"].empty_label = _("More than one, or none")
        staff = User.objects.active().filter(role__in=[Role.AGENT, Role.ADMIN])
        staff |= User.objects.filter(pk=self.instance.owner_id)
        self.fields["owner"].queryset = staff.order_by("first_name", "last_name", "pk")
        self.fields["owner"].empty_label = _("Choose one")


class MendedForm(forms.Form):
    text = TextField(
        max_length=10_000,
        label=_("What the customers are told"),
        help_text=_("The same words to each of them"),
        error_messages={"required": _("Tell the customers what was mended")},
    )

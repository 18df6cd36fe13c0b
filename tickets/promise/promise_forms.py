"""Input about what is promised: another time for an answer, service levels, holidays."""

from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..inputs import TextField
from ..models import SlaPolicy
from .holidays import NotACalendar, holidays_in

MAX_HOLIDAY_BYTES = 1024 * 1024
HOUR = timedelta(hours=1)


class PromiseForm(forms.Form):
    """Another time for the answer that is owed."""

    to = forms.DateTimeField(
        label=_("The answer is due"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": _("Enter a day and a time"),
            "invalid": _("Enter a day and a time, like 2026-11-26 14:00"),
        },
    )
    reason = TextField(
        label=_("Why? The customer reads it"),
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": _("Tell the customer why")},
    )

    def clean_to(self):
        to = self.cleaned_data["to"]
        now = timezone.now()
        if not now < to < now + timedelta(days=365):
            raise forms.ValidationError(_("Enter a time to come, within a year"))
        return to


class HoursField(forms.FloatField):
    """A length in hours, as people say service levels: 4, 8, 0.5."""

    def __init__(self, **kwargs):
        super().__init__(min_value=0.1, max_value=1000, step_size=None, **kwargs)

    def prepare_value(self, value):
        return f"{value / HOUR:g}" if isinstance(value, timedelta) else value

    def clean(self, value):
        hours = super().clean(value)
        return hours if hours is None else timedelta(minutes=round(hours * 60))


class SlaPolicyForm(forms.ModelForm):
    answer_within = HoursField(label=_("Answer within (hours)"))
    resolve_within = HoursField(label=_("Solve within (hours)"), required=False)
    warn_before = HoursField(label=_("Warn so many hours before"), required=False)

    class Meta:
        model = SlaPolicy
        fields = (
            "category", "priority", "calendar", "answer_within", "resolve_within", "warn_before",
        )  # fmt: skip
        help_texts = {
            "category": _("Empty: every category. A category’s own service level counts first"),
            "priority": _("Empty: every priority"),
            "calendar": _("Only the hours in which it is open are counted"),
        }


class HolidayFileForm(forms.Form):
    """An iCalendar file. Cleans to the days in it, each with its name."""

    file = forms.FileField(
        label=_("iCalendar file (.ics)"),
        error_messages={"required": _("Choose a file"), "empty": _("The file is empty")},
        widget=forms.FileInput({"accept": ".ics,text/calendar"}),
    )

    def clean_file(self) -> dict:
        file = self.cleaned_data["file"]
        if file.size > MAX_HOLIDAY_BYTES:
            raise forms.ValidationError(_("The file must be 1 MB or less"))
        try:
            days = holidays_in(file.read())
        except NotACalendar as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        if not days:
            raise forms.ValidationError(_("There is no whole day to come in this file"))
        return days

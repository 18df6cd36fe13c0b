"""How an agent works: the page's form and the console's share the profile's own rules."""

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts import work
from accounts.models import AgentProfile, User, Weekday

from .profile import bare_helper


def substitutes_for(profile: AgentProfile):
    """Who can stand in for an agent: the others who can be given a ticket."""
    return User.objects.agents().exclude(pk=profile.agent_id).order_by("first_name", "pk")


class ClockField(forms.TimeField):
    """A time of the day, or nothing."""

    def __init__(self, **kwargs):
        super().__init__(
            required=False,
            input_formats=["%H:%M", "%H:%M:%S", "%H.%M"],
            widget=forms.TimeInput({"type": "time", "class": "form-control"}, format="%H:%M"),
            error_messages={"invalid": _("Enter a time, like 09:00")},
            **kwargs,
        )


class WorkForm(forms.ModelForm):
    signature = forms.CharField(
        label=_("Signature (optional)"),
        help_text=_(
            "Under what you write to customers, in the emails they get. Like your name and team"
        ),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        validators=[MaxLengthValidator(1000, _("Use 1,000 characters or less"))],
    )

    class Meta:
        model = AgentProfile
        fields = ["availability", "out_until", "substitute", "capacity", "signature"]
        labels = {
            "out_until": _("Last day out of office"),
            "substitute": _("Who stands in (optional)"),
            "capacity": _("Open tickets at once"),
        }
        help_texts = {
            "out_until": _("Only when you’re out of office. The day after, you count as online"),
            "substitute": _("Another agent, for as long as you’re out of office"),
            "capacity": _("With so many you are shown as full"),
        }
        error_messages = {
            "availability": {"invalid_choice": _("Choose one")},
            "out_until": {"invalid": _("Enter a date, like 2026-11-26")},
            "substitute": {"invalid_choice": _("Choose another agent")},
            "capacity": {
                "required": _("Enter a number from 1 to 500"),
                "invalid": _("Enter a number from 1 to 500"),
                "min_value": _("Enter a number from 1 to 500"),
                "max_value": _("Enter a number from 1 to 500"),
            },
        }
        widgets = {
            "availability": forms.RadioSelect({"class": "form-check-input"}),
            "out_until": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = bare_helper()
        self.fields["substitute"].queryset = substitutes_for(self.instance)
        self.fields["substitute"].empty_label = _("Nobody")
        self.fields["availability"].choices = AgentProfile.Availability.choices
        worked = {}
        if self.instance.pk:
            worked = {line.weekday: line for line in self.instance.hours.all()}
        for day in Weekday:
            line = worked.get(day)
            self.fields[f"opens_{day}"] = ClockField(label=_("from"), initial=line and line.opens)
            self.fields[f"closes_{day}"] = ClockField(
                label=_("until"), initial=line and line.closes
            )

    @property
    def days(self):
        """Each day of the week with its two fields."""
        return [(day.label, self[f"opens_{day}"], self[f"closes_{day}"]) for day in Weekday]

    def clean(self):
        cleaned = super().clean()
        self.hours = {}
        for day in Weekday:
            opens, closes = cleaned.get(f"opens_{day}"), cleaned.get(f"closes_{day}")
            if {f"opens_{day}", f"closes_{day}"} & self.errors.keys():
                continue
            if problem := _problem_with(opens, closes):
                self.add_error(f"closes_{day}", f"{day.label}: {problem}")
            elif opens is not None:
                self.hours[day] = (opens, closes)
        return cleaned

    def save(self):
        work.save_profile(self.instance, self.hours)


def _problem_with(opens, closes):
    """``problem`` with the hours of one day; empty for a day that is worked, or is not."""
    if (opens is None) != (closes is None):
        return _("give both times, or leave both empty")
    if opens is not None and opens >= closes:
        return _("the end must be after the beginning")
    return ""

"""What somebody hears, by which ways, and when they are left in peace."""

from dataclasses import dataclass

from django import forms
from django.db import transaction
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.forms.work import ClockField

from . import preferences
from .models import Channel, Reaching
from .preferences import Chosen, Mail

LABELS = {Channel.PUSH: _("Push"), Channel.SMS: _("SMS")}


@dataclass(frozen=True)
class Row:
    """One choice as the page shows it."""

    name: str
    words: Promise
    mail: BoundField
    boxes: list[BoundField]


class PreferencesForm(forms.Form):
    """By which ways its person hears of each choice of their role; and the hours."""

    quiet_from = ClockField(label=_("Quiet from (optional)"))
    quiet_until = ClockField(label=_("Quiet until"))
    digest_at = ClockField(label=_("Daily digest at"))

    def __init__(self, data=None, *, user):
        self.user = user
        self.reaching = Reaching.objects.filter(user=user).first() or Reaching(user=user)
        self.ways = preferences.ways_for(self.reaching)
        self.choices = preferences.choices_for(user.role)
        hours = ("quiet_from", "quiet_until", "digest_at")
        super().__init__(data, initial={name: getattr(self.reaching, name) for name in hours})
        self.fields["digest_at"].required = True
        self.fields["digest_at"].error_messages["required"] = _("Enter a time, like 08:00")
        chosen = preferences.chosen(user)
        for choice in self.choices:
            self._offer(choice, chosen[choice.name])

    def _offer(self, choice, chosen):
        self.fields[f"{choice.name}_mail"] = forms.ChoiceField(
            label=_("Mail"),
            choices=Mail.choices,
            initial=chosen.mail,
            error_messages={
                "required": _("Choose how you are mailed"),
                "invalid_choice": _("Choose how you are mailed"),
            },
        )
        for way, label in LABELS.items():
            if way in self.ways:
                self.fields[f"{choice.name}_{way}"] = forms.BooleanField(
                    label=label,
                    required=False,
                    initial=getattr(chosen, way),
                    widget=forms.CheckboxInput({"class": "form-check-input"}),
                )

    def rows(self) -> list[Row]:
        return [
            Row(
                choice.name,
                choice.words,
                self[f"{choice.name}_mail"],
                [self[f"{choice.name}_{way}"] for way in LABELS if way in self.ways],
            )
            for choice in self.choices
        ]

    def clean(self):
        told = super().clean()
        if not self.errors.keys() & {"quiet_from", "quiet_until"}:
            self._clean_quiet_hours(told["quiet_from"], told["quiet_until"])
        return told

    def _clean_quiet_hours(self, begin, end):
        if begin and end is None:
            self.add_error("quiet_until", _("Enter when the quiet hours end"))
        elif end and begin is None:
            self.add_error("quiet_from", _("Enter when the quiet hours begin"))
        elif begin and begin == end:
            self.add_error("quiet_until", _("Enter another time than they begin at"))

    @transaction.atomic
    def save(self):
        told = self.cleaned_data
        wanted = {
            choice.name: Chosen(
                mail=told[f"{choice.name}_mail"],
                push=told.get(f"{choice.name}_{Channel.PUSH}", True),
                sms=told.get(f"{choice.name}_{Channel.SMS}", False),
            )
            for choice in self.choices
        }
        preferences.choose(self.user, wanted, self.ways)
        hours = {name: told[name] for name in ("quiet_from", "quiet_until", "digest_at")}
        Reaching.objects.update_or_create(user=self.user, defaults=hours)

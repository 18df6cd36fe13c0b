"""Input about a regulated complaint: its next step, the final response, codes and level."""

import uuid

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..inputs import TextField
from ..models import ComplaintCode, EscalationLevel, Stage

MOST_LINES = 2_000  # some fifty pages


class StepForm(forms.Form):
    """Offers the steps to come, but not the last one, which is a form of its own."""

    stage = forms.TypedChoiceField(
        label=_("Next step"),
        coerce=Stage,
        error_messages={
            "required": _("Choose a step"),
            "invalid_choice": _("That step is not available now"),
        },
    )
    text = TextField(
        label=_("What you tell the customer"),
        help_text=_("An acknowledgement has words of its own if you enter none"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    key = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, *args, case, **kwargs):
        super().__init__(*args, **kwargs)
        steps = [stage for stage in case.next_stages if stage != Stage.RESPONDED]
        self.is_over = not steps
        choices = [(stage.value, stage.label) for stage in steps]
        self.fields["stage"].choices = [("", _("Choose one")), *choices]

    def clean(self):
        cleaned = super().clean()
        needs_words = cleaned.get("stage") == Stage.INVESTIGATING
        if needs_words and not cleaned.get("text") and "text" not in self.errors:
            self.add_error("text", _("Tell the customer what you look into"))
        return cleaned


class CodesForm(forms.Form):
    """What the complaint came from and what is done about it."""

    cause = forms.ModelChoiceField(
        None, label=_("Cause"), required=False, empty_label=_("Choose one")
    )
    remedy = forms.ModelChoiceField(
        None, label=_("Remedy"), required=False, empty_label=_("Choose one")
    )

    def __init__(self, *args, case, **kwargs):
        initial = {"cause": case.cause_id, "remedy": case.remedy_id}
        super().__init__(*args, initial=initial, **kwargs)
        for kind in ComplaintCode.Kind:
            # What it is coded as may not be offered any more, and still be what it is.
            offered = Q(is_active=True) | Q(pk=initial[kind.value])
            codes = ComplaintCode.objects.filter(offered, kind=kind)
            self.fields[kind.value].queryset = codes


class ResponseForm(CodesForm):
    """The final response, which is also a letter."""

    text = TextField(
        label=_("Final response"),
        help_text=_("The letter has the names, dates and codes, and where customers can turn"),
        error_messages={"required": _("Tell the customer what was decided, and why")},
        widget=forms.Textarea({"rows": 8}),
    )
    key = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        missing = {"cause": _("Choose what it came from"), "remedy": _("Choose what is done")}
        for name, words in missing.items():
            self.fields[name].required = True
            self.fields[name].error_messages["required"] = words

    def clean_text(self):
        text = self.cleaned_data["text"]
        if text.count("\n") >= MOST_LINES:
            words = _("The response must be %(n)s lines or less")
            raise forms.ValidationError(words % {"n": f"{MOST_LINES:,}"})
        return text


class LevelForm(forms.Form):
    """How far up the complaint goes, and why."""

    level = forms.TypedChoiceField(
        label=_("Who decides on it"),
        coerce=lambda level: EscalationLevel(int(level)),
        error_messages={
            "required": _("Choose who decides"),
            "invalid_choice": _("Choose one of the others"),
        },
    )
    text = TextField(
        label=_("Why? The customer reads it"),
        error_messages={"required": _("Tell the customer why")},
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args, case, **kwargs):
        super().__init__(*args, **kwargs)
        others = [level for level in EscalationLevel if level != case.level]
        choices = [(level.value, level.label) for level in others]
        self.fields["level"].choices = [("", _("Choose one")), *choices]

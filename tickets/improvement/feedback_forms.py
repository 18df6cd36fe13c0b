"""Ratings with their answers, concerns and suggestions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..inputs import TextField


class FeedbackForm(forms.Form):
    """The requester's rating of how it was handled."""

    rating = forms.TypedChoiceField(
        label=_("How did we handle it?"),
        coerce=int,
        choices=[
            (1, _("Very poor")),
            (2, _("Poor")),
            (3, _("Fair")),
            (4, _("Good")),
            (5, _("Very good")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a rating from 1 to 5"),
            "invalid_choice": _("Choose a rating from 1 to 5"),
        },
    )
    comment = TextField(label=_("Anything we should know? (optional)"), required=False)
    improvement = TextField(label=_("What should we do better? (optional)"), required=False)


class AnswerForm(forms.Form):
    """What the agent answers to a rating."""

    text = TextField(
        label=_("Your answer, which the customer gets by email"),
        error_messages={"required": _("Enter your answer")},
    )


class ConcernForm(forms.Form):
    """D4-11: what somebody thinks is wrong with the registry."""

    text = TextField(
        label=_("What is wrong, or what could be better?"),
        help_text=_("About this site. What you bought or were promised belongs in a ticket"),
        error_messages={"required": _("Tell us what is wrong")},
    )


class SuggestionForm(forms.Form):
    """D3-4: what a customer suggested while they talked to the agent."""

    text = TextField(
        label=_("What the customer suggested"),
        error_messages={"required": _("Enter what the customer suggested")},
    )

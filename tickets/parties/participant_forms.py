"""Whom somebody wants to take part."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ParticipantForm(forms.Form):
    email = forms.EmailField(
        label=_("Their email address"),
        help_text=_("The address of their account here"),
        max_length=254,
        error_messages={"required": _("Enter the email address of their account here")},
    )

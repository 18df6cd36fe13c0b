"""What somebody writes who asks to work here, and what an administrator answers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .fields import OneButton


class WordsField(forms.CharField):
    """Up to 2,000 characters. Too many are an error beside the field, never cut in silence."""

    default_error_messages = {"max_length": _("Use 2,000 characters or less")}

    def __init__(self, *, rows, **kwargs):
        super().__init__(max_length=2000, widget=forms.Textarea({"rows": rows}), **kwargs)
        self.widget.attrs.pop("maxlength")

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class WhyForm(OneButton, forms.Form):
    css_class = button_class = ""

    why = WordsField(
        rows=6,
        label=_("Why do you want to work here?"),
        help_text=_("What you have done before, and what you would like to do. Two lines are fine"),
        error_messages={"required": _("Say why you want to work here")},
    )

    def __init__(self, *args, button, **kwargs):
        super().__init__(*args, **kwargs)
        self.button = button


class DeclineForm(forms.Form):
    reason = WordsField(
        rows=4,
        label=_("Reason, which they read in the mail"),
        error_messages={"required": _("Enter a reason")},
    )

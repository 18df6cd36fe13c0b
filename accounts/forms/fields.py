"""The fields people meet at every door, and what the forms around them share."""

import re

from allauth.account.adapter import get_adapter
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field as Row
from crispy_forms.layout import Submit
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import User

# The marks that turn the text after them around, as if it belonged to another direction. Arabic and
# Hebrew need none of them on one line; the letter-like U+200E and U+200F and joiners stay.
TURNING_MARKS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# Line breaks, bells, and marks that turn the text around them: none belongs to a name.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
NO_CONTROL_CHARACTERS = RegexValidator(
    CONTROL_CHARACTERS,
    _("Remove the invisible characters"),
    inverse_match=True,
)


class NameField(forms.CharField):
    default_error_messages = {"max_length": _("Use 150 characters or less")}
    default_validators = [NO_CONTROL_CHARACTERS]

    def __init__(self, *, autocomplete, **kwargs):
        attrs = {"autocomplete": autocomplete, "spellcheck": "false"}
        super().__init__(max_length=150, widget=forms.TextInput(attrs=attrs), **kwargs)


class EmailField(forms.EmailField):
    default_error_messages = {
        "required": _("Enter your email address"),
        "invalid": _("Invalid email"),
        "max_length": _("Email address must be 254 characters or less"),
    }

    def __init__(self, *, autocomplete="email", **kwargs):
        attrs = {
            "autocomplete": autocomplete,
            "inputmode": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        super().__init__(
            label=_("Email address"),
            max_length=254,
            widget=forms.EmailInput(attrs=attrs),
            **kwargs,
        )

    def clean(self, value):
        return super().clean(value).lower()


class PasswordField(forms.CharField):
    """Never shown again once sent. ``can_show`` lets static/js/password.js offer "Show"."""

    default_error_messages = {"required": _("Enter a password")}

    def __init__(self, *, autocomplete="new-password", can_show=False, **kwargs):
        attrs = {"autocomplete": autocomplete}
        if can_show:
            attrs |= {"data-show": _("Show"), "data-show-label": _("Show password")}
        super().__init__(strip=False, widget=forms.PasswordInput(attrs=attrs), **kwargs)


class SecondPasswordField(PasswordField):
    default_error_messages = {"required": _("Enter the password again")}


class CodeField(forms.CharField):
    default_error_messages = {
        "required": _("Enter the code from your email"),
        "max_length": _("Invalid code!"),
    }

    def __init__(self):
        attrs = {
            "class": "ccr-code",
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "spellcheck": "false",
        }
        super().__init__(
            label=_("Security code"),
            help_text=_("The subject line starts with the code"),
            max_length=20,  # eight digits, and the spaces people put between them
            widget=forms.TextInput(attrs=attrs),
        )


class PhoneField(PhoneNumberField):
    def __init__(self, *, error_messages=None, **options):
        unreadable = _("Enter a phone number with its country code, like +44 113 496 0000")
        attrs = {"type": "tel", "autocomplete": "tel", "inputmode": "tel"}
        super().__init__(
            widget=forms.TextInput(attrs),
            error_messages={"invalid": unreadable} | (error_messages or {}),
            **options,
        )


class Named(forms.Form):
    """What somebody is called."""

    first_name = NameField(
        label=_("First name"),
        autocomplete="given-name",
        error_messages={"required": _("Enter your first name")},
    )
    last_name = NameField(
        label=_("Last name (optional)"), autocomplete="family-name", required=False
    )


class OneButton:
    """The fields in their order, then one button. The page's error summary lists the errors."""

    button = ""
    css_class = "ccr-stub__body"
    button_class = "w-100"

    @property
    def helper(self):
        helper = FormHelper(self)
        helper.attrs = {"novalidate": True}
        helper.form_class = self.css_class
        helper.form_show_errors = False
        helper.layout.append(Submit("send", self.button, css_class=self.button_class))
        return helper


class ProofForm(OneButton, forms.Form):
    """The code of ``accounts.proofs``."""

    css_class = "ccr-stub__head"

    code = CodeField()

    def __init__(self, *args, proof, **kwargs):
        super().__init__(*args, **kwargs)
        self.proof = proof

    def clean_code(self):
        if not self.proof.accepts(self.cleaned_data["code"]):
            raise get_adapter().validation_error("incorrect_code")


class NewPassword:
    """A password typed twice, compared with everything we know of the person."""

    def clean_password1(self):
        password = self.cleaned_data["password1"]
        validate_password(password, self.person())
        return password

    def clean_password2(self):
        again = self.cleaned_data["password2"]
        # The first one is gone if it was refused; what they typed still has to agree.
        if again != self.data.get(self.add_prefix("password1")):
            raise forms.ValidationError(_("Passwords do not match!"))
        return again

    def person(self):
        return self.user


class NewAccountForm(NewPassword, OneButton, Named):
    """What everybody gives who gets an account. A subclass says whose ``address`` it is for."""

    css_class = ""

    password1 = PasswordField(
        label=_("Create a password"),
        help_text=_("8 characters or more. Three words you’ll remember work well"),
        can_show=True,
    )
    password2 = SecondPasswordField(label=_("The password again"))
    agree = forms.BooleanField(
        label=_("I agree to the terms and to how my data are used"),
        error_messages={"required": _("Agree to the terms and to how your data are used")},
    )

    @property
    def helper(self):
        helper = super().helper
        helper["agree"].wrap(Row, template="account/_agree_field.html")
        return helper

    def person(self):
        return User(email=self.address, **self.names)

    @property
    def names(self) -> dict:
        return {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}

"""What people type to get in. Words and layout are ours, the flows are the accounts library's."""

from allauth.account import forms as library
from crispy_forms.layout import Field as Row
from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .fields import (
    CodeField,
    EmailField,
    NameField,
    NewPassword,
    OneButton,
    PasswordField,
    SecondPasswordField,
)


class LoginForm(OneButton, library.LoginForm):
    button = _("Sign in")

    password = PasswordField(
        label=_("Password"),
        autocomplete="current-password",
        can_show=True,
        error_messages={"required": _("Enter your password")},
    )
    remember = forms.BooleanField(label=_("Keep me signed in on this device"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField(autocomplete="username")

    @property
    def helper(self):
        helper = super().helper
        helper["password"].wrap(Row, template="account/_password_field.html")
        return helper


class SignupForm(NewPassword, OneButton, library.SignupForm):
    button = _("Create account")
    css_class = ""

    role = forms.ChoiceField(
        label=_("How will you use the registry?"),
        choices=[
            (Role.CUSTOMER, _("I need help with something")),
            (Role.AGENT, _("I answer customers")),
            (Role.ADMIN, _("I run the service")),
        ],
        initial=Role.CUSTOMER,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        error_messages={
            "required": _("Choose how you will use the registry"),
            "invalid_choice": _("Choose how you will use the registry"),
        },
    )
    role.hints = {
        Role.CUSTOMER: _("Customer account. Ready as soon as your email is confirmed."),
        Role.AGENT: _("Agent account. An administrator approves it first."),
        Role.ADMIN: _("Administrator account. Another administrator approves it first."),
    }
    first_name = NameField(
        label=_("First name"),
        autocomplete="given-name",
        help_text=_(
            "First name should be at least 3 characters long! If yours is shorter, it is welcome"
        ),
        error_messages={"required": _("Enter your first name")},
    )
    last_name = NameField(
        label=_("Last name (optional)"), autocomplete="family-name", required=False
    )
    field_order = ["role", "first_name", "last_name", "email", "password1", "password2"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"] = EmailField(
            help_text=_("We’ll send an 8-digit code to check it’s yours")
        )
        self.fields["password1"] = PasswordField(
            label=_("Create a password"),
            help_text=_("8 characters or more. Three words you’ll remember work well"),
            can_show=True,
        )
        self.fields["password2"] = SecondPasswordField(label=_("The password again"))

    def person(self):
        known = ("first_name", "last_name", "email")
        return User(**{name: self.cleaned_data.get(name, "") for name in known})

    def try_save(self, request):
        """Register, or give a taken address the same answer, in the same time."""
        if self.account_already_exists:
            User().set_password(self.cleaned_data["password1"])
            return super().try_save(request)
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:  # taken since we looked, perhaps by the same form sent twice
            self.account_already_exists = True
            return super().try_save(request)


class ChangePasswordForm(NewPassword, OneButton, library.ChangePasswordForm):
    button = _("Change password")

    oldpassword = PasswordField(
        label=_("Current password"),
        autocomplete="current-password",
        error_messages={"required": _("Enter your current password")},
    )
    password1 = PasswordField(
        label=_("New password"),
        help_text=_("8 characters or more. Three words you’ll remember work well"),
        can_show=True,
    )
    password2 = SecondPasswordField(label=_("The new password again"))

    def clean_password1(self):
        password = super().clean_password1()
        if password == self.cleaned_data.get("oldpassword"):
            raise forms.ValidationError(_("Old and New password cannot be the same!"))
        return password


class ResetPasswordForm(OneButton, library.ResetPasswordForm):
    button = _("Email me a code")

    email = EmailField(help_text=_("We’ll send an 8-digit code there"))


class NewPasswordForm(NewPassword, OneButton, library.ResetPasswordKeyForm):
    button = _("Save the new password")

    password1 = PasswordField(
        label=_("New password"),
        help_text=_("8 characters or more. Three words you’ll remember work well"),
        can_show=True,
    )
    password2 = SecondPasswordField(label=_("The new password again"))


class EmailCodeForm(OneButton, library.ConfirmEmailVerificationCodeForm):
    button = _("Continue")
    css_class = "ccr-stub__head"

    code = CodeField()


class ResetCodeForm(OneButton, library.ConfirmPasswordResetCodeForm):
    button = _("Continue")
    css_class = "ccr-stub__head"

    code = CodeField()

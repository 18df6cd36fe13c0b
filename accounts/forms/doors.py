"""What people type to get in. Words and layout are ours, the flows are the accounts library's."""

from allauth.account import forms as library
from allauth.account.adapter import get_adapter
from allauth.core import context
from crispy_forms.layout import Field as Row
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.limits import Limited

from .fields import (
    CodeField,
    EmailField,
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


class KeepsNewPassword(NewPassword):
    """Hashing takes long. It is done before the transaction, which on SQLite holds the only
    write lock."""

    def clean(self):
        cleaned = super().clean()
        if not self.errors:
            self.user.set_password(cleaned["password1"])
        return cleaned

    def save(self):
        self.user.save(update_fields=["password"])


class ChangePasswordForm(KeepsNewPassword, OneButton, library.ChangePasswordForm):
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

    def clean_oldpassword(self):
        """Counted like a sign-in: who finds an open browser can't guess the password here."""
        typed = self.cleaned_data["oldpassword"]
        try:
            known = get_adapter().authenticate(
                context.request, email=self.user.email, password=typed
            )
        except Limited as limited:
            self.add_error(None, limited)
            return typed
        if known != self.user:
            raise get_adapter().validation_error("enter_current_password")
        return typed

    def clean_password1(self):
        password = super().clean_password1()
        if password == self.cleaned_data.get("oldpassword"):
            raise forms.ValidationError(_("Old and New password cannot be the same!"))
        return password


class ResetPasswordForm(OneButton, library.ResetPasswordForm):
    button = _("Email me a code")

    email = EmailField(help_text=_("We’ll send an 8-digit code there"))


class RequestCodeForm(OneButton, library.RequestLoginCodeForm):
    button = _("Email me a code")

    email = EmailField(autocomplete="username", help_text=_("We’ll send an 8-digit code there"))
    remember = forms.BooleanField(label=_("Keep me signed in on this device"), required=False)


class NewPasswordForm(KeepsNewPassword, OneButton, library.ResetPasswordKeyForm):
    button = _("Save the new password")

    password1 = PasswordField(
        label=_("New password"),
        help_text=_("8 characters or more. Three words you’ll remember work well"),
        can_show=True,
    )
    password2 = SecondPasswordField(label=_("The new password again"))


class LoginCodeForm(OneButton, library.ConfirmLoginCodeForm):
    button = _("Continue")
    css_class = "ccr-stub__head"

    code = CodeField()


class ResetCodeForm(OneButton, library.ConfirmPasswordResetCodeForm):
    button = _("Continue")
    css_class = "ccr-stub__head"

    code = CodeField()

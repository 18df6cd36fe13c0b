"""What people type to get an account."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import signups
from accounts.models import Role

from .fields import CodeField, EmailField, NewAccountForm, OneButton, PasswordField

EMAIL_HINTS = {
    signups.CODE: _("We’ll send an 8-digit code to check it’s yours"),
    signups.LINK: _("We’ll send a link to check it’s yours"),
    signups.NONE: "",
}


class SignupForm(NewAccountForm):
    button = _("Create account")
    field_order = ("role", "first_name", "last_name", "email")

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
    email = EmailField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["first_name"].help_text = _(
            "First name should be at least 3 characters long! If yours is shorter, it is welcome"
        )
        self.fields["email"].help_text = EMAIL_HINTS[signups.way()]

    @property
    def address(self):
        return self.cleaned_data.get("email", "")

    def wishes(self) -> dict:
        """What an account is made of."""
        typed = self.cleaned_data
        return self.names | {
            "role": typed["role"],
            "email": typed["email"],
            "password": typed["password1"],
        }


class SignUpCodeForm(OneButton, forms.Form):
    button = _("Continue")
    css_class = "ccr-stub__head"

    code = CodeField()

    def __init__(self, *args, sign_up, **kwargs):
        super().__init__(*args, **kwargs)
        self.sign_up = sign_up

    def clean_code(self):
        code = "".join(c for c in self.cleaned_data["code"] if c not in " -")
        if not self.sign_up.has_secret(code):
            raise forms.ValidationError(_("Invalid code!"))
        return code


class SignUpLinkForm(OneButton, forms.Form):
    """The button that confirms. In another browser also the password that was chosen: a link in a
    mail that somebody else asked for must not give them an account with this address."""

    button = _("Confirm my address")

    def __init__(self, *args, sign_up, is_own_browser, **kwargs):
        super().__init__(*args, **kwargs)
        self.sign_up = sign_up
        if not is_own_browser:
            self.fields["password"] = PasswordField(
                label=_("The password you chose"),
                autocomplete="current-password",
                can_show=True,
                error_messages={"required": _("Enter the password you chose")},
            )

    def clean_password(self):
        if not self.sign_up.has_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("That is not the password you chose"))
        return self.cleaned_data["password"]

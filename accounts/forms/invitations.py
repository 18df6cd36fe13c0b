"""Who is invited, typed by an administrator or read from a file, and what the invited answer."""

from crispy_forms.layout import Field as Row
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.models import Role, User

from .fields import (
    EmailField,
    NameField,
    NewPassword,
    OneButton,
    PasswordField,
    SecondPasswordField,
)


class InviteForm(forms.Form):
    """Offers the roles that ``by`` may give, and says at once who can't be invited."""

    email = EmailField(autocomplete="off")
    first_name = NameField(
        label=_("First name"),
        autocomplete="off",
        error_messages={"required": _("Enter a first name")},
    )
    last_name = NameField(label=_("Last name"), autocomplete="off", required=False)
    role = forms.ChoiceField(label=_("Role"), initial=Role.AGENT)

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].error_messages["required"] = _("Enter an email address")
        self.fields["role"].choices = invitations.offered_by(by)
        self.fields["role"].error_messages["invalid_choice"] = _("You can’t invite to this role")

    def clean_email(self):
        email = self.cleaned_data["email"]
        if refusal := invitations.refusal_to_invite(email):
            raise forms.ValidationError(refusal)
        return email


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV in UTF-8, with the columns email, first_name, last_name and role. At most 1,000 "
            "people"
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={
            "required": _("Choose a file"),
            "empty": _("This file is empty"),
        },
    )


class AcceptForm(NewPassword, OneButton, forms.Form):
    """The first page of somebody who was invited."""

    button = _("Create my account")
    css_class = ""

    first_name = NameField(
        label=_("First name"),
        autocomplete="given-name",
        error_messages={"required": _("Enter your first name")},
    )
    last_name = NameField(
        label=_("Last name (optional)"), autocomplete="family-name", required=False
    )
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

    def __init__(self, *args, invitation, **kwargs):
        names = {"first_name": invitation.first_name, "last_name": invitation.last_name}
        super().__init__(*args, initial=names, **kwargs)
        self.email = invitation.email

    @property
    def helper(self):
        helper = super().helper
        helper["agree"].wrap(Row, template="account/_agree_field.html")
        return helper

    def person(self):
        names = {name: self.cleaned_data.get(name, "") for name in ("first_name", "last_name")}
        return User(email=self.email, **names)

"""Who is invited, typed by an administrator or read from a file, and what the invited answer."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.models import Role

from .fields import EmailField, NameField, NewAccountForm


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


class AcceptForm(NewAccountForm):
    """The first page of somebody who was invited."""

    button = _("Create my account")

    def __init__(self, *args, invitation, **kwargs):
        names = {"first_name": invitation.first_name, "last_name": invitation.last_name}
        super().__init__(*args, initial=names, **kwargs)
        self.address = invitation.email

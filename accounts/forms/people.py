"""What an administrator types about somebody else's account."""

from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import people
from accounts.models import Role, User
from accounts.people import Handover


class PersonForm(BaseUserCreationForm):
    """An account made by an administrator (D0-10): confirmed and let in at once."""

    error_messages = {"password_mismatch": gettext_lazy("Passwords do not match!")}

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "role")
        error_messages = {
            "first_name": {"required": gettext_lazy("Enter a first name")},
            "email": {
                "required": gettext_lazy("Enter an email address"),
                "invalid": gettext_lazy("Invalid email"),
            },
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _(
            "For their first sign-in. They choose their own before anything else"
        )
        self.fields["password1"].error_messages["required"] = _("Enter a password")
        self.fields["password2"].error_messages["required"] = _("Enter the password again")

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if EmailAddress.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody has this address already"))
        return email


class LeavingForm(forms.Form):
    """Asks who gets the open tickets of an agent who leaves, if there are any."""

    handover = forms.TypedChoiceField()
    field_order = ("role", "reason", "handover")

    def __init__(self, *args, person, **kwargs):
        super().__init__(*args, **kwargs)
        count = people.open_work_of(person) if person.is_agent else 0
        if not count:
            del self.fields["handover"]
            return
        label = ngettext(
            "Who gets their open ticket?", "Who gets their %(n)s open tickets?", count
        ) % {"n": count}
        self.successors = User.objects.agents().exclude(pk=person.pk)
        named = self.successors.order_by("first_name", "last_name", "pk")
        choices = [*Handover.choices, *((agent.pk, str(agent)) for agent in named)]
        self.fields["handover"] = forms.TypedChoiceField(
            label=label, choices=choices, coerce=self._heir
        )

    def _heir(self, value) -> Handover | User:
        return Handover(value) if value in Handover.values else self.successors.get(pk=value)


class SuspendForm(LeavingForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason, which they read in the mail"),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": gettext_lazy("Enter a reason")},
    )


class RoleForm(LeavingForm):
    """Offers the roles that ``by`` may give and ``person`` has not."""

    role = forms.TypedChoiceField(label=gettext_lazy("New role"), coerce=Role)

    def __init__(self, *args, person, by, **kwargs):
        super().__init__(*args, person=person, **kwargs)
        roles = [role for role in people.roles_given_by(by) if role != person.role]
        self.fields["role"].choices = [(role.value, role.label) for role in roles]

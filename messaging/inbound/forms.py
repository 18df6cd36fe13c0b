"""Mailboxes as an administrator enters them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.models import AgentAddress, Mailbox, SenderRule
from tickets.models import Category

SignIn = Mailbox.SignIn
SECRETS = {"new_secret": "secret", "new_client_secret": "client_secret"}
# Whoever changes one of these enters the secrets again: they must not go to another server.
WHERE = ("host", "port", "security", "username", "sign_in", "client_id", "tenant")


def _secret(label, help_text):
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, help_text=help_text, widget=widget, required=False)


class MailboxForm(forms.ModelForm):
    """Secrets go in and never come out."""

    new_secret = _secret(
        _("Password or refresh token"), _("Never shown again. Empty: the one from before")
    )
    new_client_secret = _secret(
        _("Client secret"), _("Of the app that is registered with Microsoft or Google")
    )

    class Meta:
        model = Mailbox
        fields = (
            "name", "host", "port", "security", "username", "sign_in", "new_secret", "client_id",
            "new_client_secret", "tenant", "folder", "move_to", "category", "is_active",
        )  # fmt: skip

    def clean_move_to(self):
        move_to = self.cleaned_data["move_to"]
        if move_to and move_to == self.cleaned_data.get("folder"):
            raise forms.ValidationError(_("Choose another folder than the one that is read"))
        return move_to

    def clean(self):
        cleaned = super().clean()
        is_moved = self.instance.pk and any(name in self.changed_data for name in WHERE)
        if not cleaned.get("new_secret") and (is_moved or not self.instance.secret):
            self.add_error("new_secret", _("Enter the password or refresh token"))
        if cleaned.get("sign_in") != SignIn.PASSWORD and not cleaned.get("client_id"):
            self.add_error("client_id", _("Enter the client ID"))
        if is_moved and self.instance.client_secret and not cleaned.get("new_client_secret"):
            self.add_error("new_client_secret", _("Enter the client secret again"))
        return cleaned

    def save(self, commit=True):
        for typed, kept in SECRETS.items():
            if self.cleaned_data[typed]:
                setattr(self.instance, kept, self.cleaned_data[typed])
        return super().save(commit)


class SenderRuleForm(forms.ModelForm):
    class Meta:
        model = SenderRule
        fields = ("pattern", "verdict", "note")

    def clean_pattern(self):
        """In small letters, as it is compared: two that differ in nothing else are one."""
        pattern = self.cleaned_data["pattern"].strip().lstrip("@").lower()
        if " " in pattern or "." not in pattern.rpartition("@")[2]:
            raise forms.ValidationError(_("Enter an address or a domain, like example.org"))
        return pattern


class AgentAddressForm(forms.ModelForm):
    class Meta:
        model = AgentAddress
        fields = ("address", "agent")

    def clean_address(self):
        address = self.cleaned_data["address"].lower()
        if taken := Category.objects.filter(email=address).first():
            raise forms.ValidationError(_("%(category)s has this address") % {"category": taken})
        return address

"""Mailboxes, rules for senders and agents’ addresses, as an administrator enters them."""

import re

from django import forms
from django.core.validators import validate_email
from django.utils.encoding import punycode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import customers
from accounts.hosts import is_local
from messaging.models import AgentAddress, Mailbox, SenderRule
from tickets.own_addresses import HOLDERS, refuse_taken

from .facts import staff_below

SignIn, Security = Mailbox.SignIn, Mailbox.Security
MAX_NAMES = 3  # of those whom a rule would be about
ALL_OF_THEM = re.compile(r"^\*?[@.]")
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
        error_messages = {"name": {"unique": _("Another mailbox has this name.")}}

    def clean_host(self):
        host = self.cleaned_data["host"]
        try:
            host.encode("idna")  # as it is asked for
        except UnicodeError as refusal:
            words = _("Enter the name of a server, like imap.example.org")
            raise forms.ValidationError(words) from refusal
        return host

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
        is_open = cleaned.get("security") == Security.NONE
        if is_open and not is_local(cleaned.get("host", "localhost")):
            words = _("Choose TLS or STARTTLS: everybody on the way there could read the password")
            self.add_error("security", words)
        if cleaned.get("sign_in") != SignIn.PASSWORD and not cleaned.get("client_id"):
            self.add_error("client_id", _("Enter the client ID"))
        if is_moved and self.instance.client_secret and not cleaned.get("new_client_secret"):
            self.add_error("new_client_secret", _("Enter the client secret again"))
        return cleaned

    @property
    def changed_fields(self) -> list[str]:
        return [SECRETS.get(name, name) for name in self.changed_data]

    def save(self, commit=True):
        for typed, kept in SECRETS.items():
            if self.cleaned_data[typed]:
                setattr(self.instance, kept, self.cleaned_data[typed])
        return super().save(commit)


class SenderRuleForm(forms.ModelForm):
    class Meta:
        model = SenderRule
        fields = ("pattern", "verdict", "note")
        error_messages = {"pattern": {"unique": _("There is a rule for it already.")}}

    def clean_pattern(self):
        """As senders are compared with it: in small letters and ASCII, and a domain without what
        people write before it for \"all of them\"."""
        pattern = ALL_OF_THEM.sub("", self.cleaned_data["pattern"].strip().lower())
        local, at, domain = pattern.rpartition("@")
        try:
            domain = punycode(domain)
            validate_email(f"{local or 'anybody'}@{domain}")
        except (UnicodeError, forms.ValidationError) as refusal:
            words = _("Enter an address or a domain, like example.org")
            raise forms.ValidationError(words) from refusal
        pattern = f"{local}{at}{domain}"
        if not customers.owner_of(pattern):  # who has an agent’s own address writes from it
            refuse_taken(pattern, by=None)
        return pattern

    def clean(self):
        """An answer of whoever works here would wait for an administrator."""
        cleaned = super().clean()
        pattern = cleaned.get("pattern")
        is_block = cleaned.get("verdict") == SenderRule.Verdict.BLOCK
        if pattern and is_block and (staff := list(staff_below(pattern))):
            self.add_error("pattern", _about_staff(staff))
        return cleaned


def _about_staff(staff) -> str:
    words = ngettext(
        "%(n)s person who works here writes from there: %(names)s",
        "%(n)s people who work here write from there: %(names)s",
        len(staff),
    )
    names = ", ".join(map(str, staff[:MAX_NAMES]))
    rest = " …" if len(staff) > MAX_NAMES else ""
    return words % {"n": len(staff), "names": names + rest}


class AgentAddressForm(forms.ModelForm):
    class Meta:
        model = AgentAddress
        fields = ("address", "agent")

    def clean_address(self):
        address = self.cleaned_data["address"].lower()
        refuse_taken(address, by=self.instance)
        return address

    def clean(self):
        """What comes from it is our own, so nobody else may write from it."""
        cleaned = super().clean()
        owner = customers.owner_of(cleaned.get("address", ""))
        if owner and owner != cleaned.get("agent"):
            self.add_error("address", _("%(name)s has this address") % {"name": owner})
        return cleaned


HOLDERS.append((AgentAddress, "address", lambda own: own.agent))

"""What somebody confirms before their data leaves or is deleted."""

import time

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import exports, limits

from .fields import PasswordField
from .profile import bare_helper


class OwnerForm(forms.Form):
    """Proves that its owner sits at the browser: by the password, or, where there is none, by
    having signed in a moment ago with whatever they use instead."""

    password = PasswordField(
        label=_("Current password"),
        autocomplete="current-password",
        can_show=True,
        error_messages={"required": _("Enter your current password")},
    )

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request
        self.helper = bare_helper()
        if not request.user.has_usable_password():
            del self.fields["password"]

    def clean(self):
        if "password" not in self.fields:
            self._check_recent_sign_in()
        elif "password" in self.cleaned_data:
            self._check_password()
        return self.cleaned_data

    def _check_password(self):
        """Who finds an open browser can't guess it here. Raises limits.Limited."""
        user = self.request.user
        tries = limits.take(limits.bucket("password_asked", user.pk))
        if user.check_password(self.cleaned_data["password"]):
            limits.give_back(tries)
        else:
            self.add_error("password", get_adapter().validation_error("enter_current_password"))

    def _check_recent_sign_in(self):
        signed_in = get_authentication_records(self.request, self.request.user)
        latest = max((record["at"] for record in signed_in), default=0)
        if time.time() - latest > app_settings.REAUTHENTICATION_TIMEOUT:
            raise forms.ValidationError(
                _("Sign out and in again, then come back here within %(n)s minutes."),
                params={"n": app_settings.REAUTHENTICATION_TIMEOUT // 60},
            )


class DownloadForm(forms.Form):
    """One of the archives this person may have now."""

    export = forms.ModelChoiceField(queryset=None)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["export"].queryset = exports.ready_for(user)

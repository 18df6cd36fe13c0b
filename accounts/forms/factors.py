"""Setting up, using and removing second factors."""

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as library
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import factors, limits

from .fields import NO_CONTROL_CHARACTERS, CodeField, OneButton
from .privacy import OwnerForm

NO_PASSKEY = _("That didn’t work. Try again, or sign in another way")
MOST_CHARACTERS = 20_000  # of what a browser says about a key; the usual is a tenth


class FactorCodeField(CodeField):
    default_error_messages = {"required": _("Enter the code")}

    def __init__(self, help_text):
        super().__init__()
        self.label, self.help_text = _("Code"), help_text


class AuthenticateForm(OneButton, library.AuthenticateForm):
    """The second step of a sign-in: a code of the app, or a recovery code."""

    button = _("Continue")
    css_class = "ccr-stub__head"

    code = FactorCodeField(_("6 digits from your app, or one of your recovery codes"))

    def clean_code(self):
        """Counted before the code is looked at. A browser that has signed in before has tries of
        its own, so that nobody who knows the password can keep its owner out."""
        code = self.cleaned_data["code"]
        try:
            tries = limits.take(*limits.second_factor(context.request, self.user))
        except limits.Limited as limited:
            self.add_error(None, limited)
            return code
        self.authenticator = factors.use_code(self.user, code)
        if self.authenticator is None:
            self._emit_authentication_failed(factors.of(self.user).first())
            raise get_adapter().validation_error("incorrect_code")
        limits.give_back(tries)
        return code


class AppForm(OwnerForm):
    """Shows that the app has ``secret``: by a code of it."""

    code = FactorCodeField(_("The 6 digits that your app shows now"))

    field_order = ["code", "password"]

    def __init__(self, *args, secret, **kwargs):
        super().__init__(*args, **kwargs)
        self.secret = secret

    def clean_code(self):
        code = self.cleaned_data["code"]
        if factors.step_of(self.secret, code) is None:
            raise get_adapter().validation_error("incorrect_code")
        return code


class PasskeyField(forms.JSONField):
    """What the browser has to say of a key: static/js/passkey.js fills it in."""

    def __init__(self):
        super().__init__(required=False, widget=forms.HiddenInput)

    def to_python(self, value):
        if isinstance(value, str) and len(value) > MOST_CHARACTERS:
            raise forms.ValidationError(NO_PASSKEY)
        return super().to_python(value)


class PasskeyForm(OwnerForm):
    name = forms.CharField(
        label=_("Name"),
        help_text=_("So that you know it again, like “Work laptop”"),
        max_length=50,
        validators=[NO_CONTROL_CHARACTERS],
        error_messages={"required": _("Enter a name")},
    )
    credential = PasskeyField()

    field_order = ["name", "password", "credential"]

    def clean(self):
        """The key last: it can be shown only once."""
        super().clean()
        if not self.errors:
            _judge(self.cleaned_data["credential"], webauthn.complete_registration)
        return self.cleaned_data


def _judge(credential, complete):
    if not isinstance(credential, dict):
        raise forms.ValidationError(NO_PASSKEY)
    try:
        return complete(credential)
    except (ValueError, TypeError, KeyError, AttributeError, forms.ValidationError) as wrong:
        # Whatever a stranger sends instead of a key, the library fails in many ways.
        raise forms.ValidationError(NO_PASSKEY) from wrong


class SecondStepPasskeyForm(forms.Form):
    """The second step of a sign-in, with a passkey. ``user`` is who it must belong to."""

    credential = PasskeyField()

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self):
        credential = self.cleaned_data.get("credential")
        self.authenticator = _judge(credential, self.prove)
        return self.cleaned_data

    def prove(self, credential):
        return webauthn.complete_authentication(self.user, credential)

    def save(self):
        library.post_authentication(context.request, self.authenticator)


class SignInPasskeyForm(SecondStepPasskeyForm):
    """A sign-in with nothing but a passkey: who it is says the key."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, user=None, **kwargs)

    def prove(self, credential):
        self.user = webauthn.extract_user_from_response(credential)
        if not self.user.is_active:  # no different from nobody
            raise forms.ValidationError(NO_PASSKEY)
        return super().prove(credential)

import phonenumbers
from cryptography.hazmat.primitives.asymmetric import ec
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import PhoneField, ProofForm
from accounts.forms.profile import bare_helper

from ..webhooks import client
from .push import CURVE, decoded

AUTH_BYTES = 16
DEAR = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}


class BrowserForm(forms.Form):
    """What a browser says of itself when its person allows it to show notifications."""

    endpoint = forms.CharField(max_length=1000)
    p256dh = forms.CharField(max_length=100)
    auth = forms.CharField(max_length=40)

    def clean_endpoint(self):
        endpoint = self.cleaned_data["endpoint"]
        try:
            client.check(endpoint, internal_hosts=settings.PUSH_INTERNAL_HOSTS)
        except client.AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return endpoint

    def clean_p256dh(self):
        words = self.cleaned_data["p256dh"]
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(words))
        except ValueError as trouble:
            raise forms.ValidationError(_("This is no key of a browser.")) from trouble
        return words

    def clean_auth(self):
        words = self.cleaned_data["auth"]
        try:
            is_good = len(decoded(words)) == AUTH_BYTES
        except ValueError:
            is_good = False
        if not is_good:
            raise forms.ValidationError(_("This is no key of a browser."))
        return words


class NumberForm(forms.Form):
    number = PhoneField(
        label=_("Mobile number"),
        help_text=_("With its country code, like +44 7400 123456. We send a code there"),
        error_messages={
            "required": _("Enter a mobile number"),
            "invalid": _("Enter a mobile number with its country code, like +44 7400 123456"),
        },
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = bare_helper()

    def clean_number(self):
        number = self.cleaned_data["number"]
        if phonenumbers.number_type(number) in DEAR:
            raise forms.ValidationError(_("SMS to this number would cost too much"))
        return number.as_e164


class NumberCodeForm(ProofForm):
    button = _("Get SMS at this number")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _("The SMS starts with the code")
        self.fields["code"].error_messages["required"] = _("Enter the code from the SMS")

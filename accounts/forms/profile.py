"""What people tell us of themselves: names, telephone, photo, addresses, a new email address."""

from allauth.account.adapter import get_adapter
from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import photos
from accounts.models import Address, User
from accounts.models.people import languages, time_zones

from .fields import (
    NO_CONTROL_CHARACTERS,
    EmailField,
    Named,
    PasswordField,
    PhoneField,
    ProofForm,
)


def bare_helper() -> FormHelper:
    """Fields only: the page writes the form tag and the buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


class PhotoField(forms.FileField):
    """Cleans to the photo as it is kept."""

    default_error_messages = {
        "empty": _("The photo is empty. Choose another file"),
        "invalid": _("The photo did not arrive. Choose it again"),
    }

    def __init__(self, **kwargs):
        widget = forms.FileInput({"accept": "image/png,image/jpeg,image/webp"})
        super().__init__(required=False, widget=widget, **kwargs)

    def clean(self, value, initial=None):
        file = super().clean(value, initial)
        try:
            return photos.draw(file) if file else None
        except photos.PhotoRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class ProfileForm(Named, forms.ModelForm):
    phone = PhoneField(
        required=False,
        label=_("Phone number (optional)"),
        help_text=_("We call only if writing won’t do"),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=languages,
        help_text=_("Whoever answers you sees it. Pages and mails are in English so far"),
        error_messages={"invalid_choice": _("Choose a language from the list")},
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Times on pages and in mails are said by this clock"),
        error_messages={"invalid_choice": _("Choose a time zone from the list")},
    )
    photo = PhotoField(
        label=_("Photo (optional)"),
        help_text=_("PNG, JPEG or WebP, up to 5 MB. We keep a small square of its middle"),
    )
    remove_photo = forms.BooleanField(label=_("Remove the photo"), required=False)

    class Meta:
        model = User
        fields = ["first_name", "last_name", "phone", "language", "time_zone"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = bare_helper()
        self.initial["language"] = self.instance.language or settings.LANGUAGE_CODE
        desks = _("The same as ours (%(zone)s)") % {"zone": settings.TIME_ZONE.replace("_", " ")}
        self.fields["time_zone"].choices = [("", desks), *time_zones()]
        if not self.instance.photo:
            del self.fields["remove_photo"]

    def save(self):
        self.instance.save(update_fields=self._meta.fields)
        photo = self.cleaned_data["photo"]
        if photo or self.cleaned_data.get("remove_photo"):
            photos.keep(self.instance, photo)


class LineField(forms.CharField):
    """One line of an address. Too much is an error beside it, never cut in silence."""

    default_validators = [NO_CONTROL_CHARACTERS]

    def __init__(self, *, max_length, autocomplete, **kwargs):
        kwargs["error_messages"] = {
            "max_length": _("Use %(limit_value)d characters or less"),
            **kwargs.get("error_messages", {}),
        }
        super().__init__(max_length=max_length, **kwargs)
        self.widget.attrs.pop("maxlength", None)
        self.widget.attrs["autocomplete"] = autocomplete


class AddressForm(forms.ModelForm):
    label = LineField(
        label=_("What you call it"),
        help_text=_("For example Home or Work"),
        max_length=50,
        autocomplete="off",
        error_messages={"required": _("Give the address a name")},
    )
    street = LineField(
        label=_("Street and number"),
        max_length=200,
        autocomplete="address-line1",
        error_messages={"required": _("Enter the street and number")},
    )
    extra = LineField(
        label=_("Flat, floor or company (optional)"),
        max_length=200,
        autocomplete="address-line2",
        required=False,
    )
    postal_code = LineField(
        label=_("Postal code (optional)"),
        max_length=20,
        autocomplete="postal-code",
        required=False,
    )
    city = LineField(
        label=_("Town or city"),
        max_length=100,
        autocomplete="address-level2",
        error_messages={"required": _("Enter the town or city")},
    )
    region = LineField(
        label=_("County, state or region (optional)"),
        max_length=100,
        autocomplete="address-level1",
        required=False,
    )
    country = LineField(
        label=_("Country"),
        max_length=100,
        autocomplete="country-name",
        error_messages={"required": _("Enter the country")},
    )

    class Meta:
        model = Address
        fields = ["label", "street", "extra", "postal_code", "city", "region", "country"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = bare_helper()

    def save(self):
        """Not the default: another page may have changed it since this one was opened."""
        self.instance.save(update_fields=self._meta.fields)


class NewEmailForm(forms.Form):
    password = PasswordField(
        label=_("Current password"),
        autocomplete="current-password",
        can_show=True,
        error_messages={"required": _("Enter your current password")},
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.helper = bare_helper()
        self.fields["email"] = EmailField(
            help_text=_("We’ll send an 8-digit code there to check it’s yours")
        )
        self.fields["email"].label = _("New email address")
        self.order_fields(["email", "password"])

    def clean_email(self):
        email = self.cleaned_data["email"]
        if email == self.user.email:
            raise forms.ValidationError(_("This is your email address already"))
        return email

    def clean_password(self):
        password = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class NewEmailCodeForm(ProofForm):
    button = _("Change my email address")

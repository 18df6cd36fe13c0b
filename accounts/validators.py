from django.contrib.auth.password_validation import (
    CommonPasswordValidator as DjangoCommonPassword,
)
from django.contrib.auth.password_validation import (
    MinimumLengthValidator as DjangoMinimumLength,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class MinimumLengthValidator(DjangoMinimumLength):
    """Django's, in our words (D1-T4)."""

    def validate(self, password, user=None):
        if len(password) < self.min_length:
            raise ValidationError(
                _("Passwords must be at least 8 characters long!"), code="password_too_short"
            )


class MaximumLengthValidator:
    """Long passwords are welcome, but hashing a megabyte is work for an attacker to give."""

    max_length = 128

    def validate(self, password, user=None):
        if len(password) > self.max_length:
            raise ValidationError(
                _("Password must be 128 characters or less"), code="password_too_long"
            )

    def get_help_text(self):
        return _("128 characters or less")


class CommonPasswordValidator(DjangoCommonPassword):
    def get_error_message(self):
        return _("Many people use this password. Choose one that only you think of")

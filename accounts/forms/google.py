from django import forms
from django.utils.translation import gettext_lazy as _

from .privacy import OwnerForm


class GoogleForm(OwnerForm):
    """Connects Google, or takes ``account`` away: not the only way in, though."""

    def __init__(self, *args, account, **kwargs):
        super().__init__(*args, **kwargs)
        self.account = account

    def clean(self):
        if self.account and not self.request.user.has_usable_password():
            raise forms.ValidationError(
                _("Choose a password first. Without Google you could not sign in any more")
            )
        return super().clean()

"""What proves that a form is sent once only."""

from django import forms


class KeyForm(forms.Form):
    """A one-time key, or None when it is missing or not one of ours."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Declared in the class it would be hidden by the property of its name.
        self.fields["key"] = forms.UUIDField(required=False)

    @property
    def key(self):
        return self.cleaned_data["key"] if self.is_valid() else None

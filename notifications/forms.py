from django import forms

from . import preferences


class PreferencesForm(forms.Form):
    """One box for each choice of somebody's role."""

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        is_wanted = preferences.chosen(user)
        for choice in preferences.choices_for(user.role):
            self.fields[choice.name] = forms.BooleanField(
                label=choice.words,
                required=False,
                initial=is_wanted[choice.name],
                widget=forms.CheckboxInput({"class": "form-check-input"}),
            )

    def save(self):
        preferences.choose(self.user, self.cleaned_data)

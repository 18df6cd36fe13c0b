from django import forms
from django.utils.translation import gettext_lazy as _

from . import client
from .models import Event, Webhook

CHOOSABLE = [(value, words) for value, words in Event.choices if value != Event.TEST]


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=CHOOSABLE, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Webhook
        fields = ["name", "url", "events", "with_words", "is_active"]
        widgets = {"url": forms.URLInput(attrs={"class": "vLargeTextField"})}

    def clean_url(self):
        """Asked again with each call: what a name stands for may change."""
        url = self.cleaned_data["url"]
        try:
            client.check(url)
        except client.AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return url

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from . import client
from .models import Event, Webhook

CHOOSABLE = [(value, words) for value, words in Event.choices if value != Event.TEST]

HOW_TO_ALLOW = _("If it is in your own network, its host must be named in WEBHOOK_INTERNAL_HOSTS.")


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=CHOOSABLE, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Webhook
        fields = ["name", "url", "events", "with_words", "is_active"]
        error_messages = {"name": {"unique": _("Another webhook has this name.")}}
        widgets = {"url": forms.URLInput(attrs={"class": "vLargeTextField"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # So that "changed" means: by this person, on the page that they see. The row may have been
        # switched off since, or changed in another tab.
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_url(self):
        """Asked again with each call: what a name stands for may change."""
        url = self.cleaned_data["url"]
        try:
            client.check(url, internal_hosts=settings.WEBHOOK_INTERNAL_HOSTS)
        except client.NotPublic as refusal:
            raise forms.ValidationError([str(refusal), HOW_TO_ALLOW]) from refusal
        except client.AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return url

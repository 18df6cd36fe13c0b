"""Which agent, what is answered, and categories. The first two remember who had each ticket when
the question was asked."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.forms import CandidateForm, TextField
from tickets.models import Category


def _seen_field(assignee_id=None):
    return forms.IntegerField(required=False, initial=assignee_id, widget=forms.HiddenInput)


class AssignForm(CandidateForm):
    seen = _seen_field()


class AssignManyForm(CandidateForm):
    def __init__(self, *args, tickets, **kwargs):
        super().__init__(*args, tickets=tickets, **kwargs)
        for ticket in tickets:
            self.fields[f"seen_{ticket.pk}"] = _seen_field(ticket.assignee_id)

    def seen_of(self, ticket):
        return self.cleaned_data[f"seen_{ticket.pk}"]


class SettleForm(forms.Form):
    answer = TextField(
        name=_("Answer"),
        label=_("Answer, which they read in the mail"),
        error_messages={"required": _("Enter an answer")},
    )


class CategoryForm(forms.ModelForm):
    def clean_email(self):
        """In small letters: two that differ in nothing else are one mailbox."""
        email = self.cleaned_data["email"].lower()
        others = Category.objects.exclude(pk=self.instance.pk).filter(email=email)
        if taken := others.first() if email else None:
            raise forms.ValidationError(_("%(category)s has this address") % {"category": taken})
        return email

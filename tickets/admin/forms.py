"""Which agent, what is answered, and categories. The first two remember who had each ticket when
the question was asked."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Standing, User
from tickets.forms.handling import CandidateForm
from tickets.inputs import TextField
from tickets.own_addresses import refuse_taken


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
        label=_("Answer, which they read in the mail"),
        error_messages={"required": _("Enter an answer")},
    )


class CategoryForm(forms.ModelForm):
    def clean_email(self):
        """In small letters: two that differ in nothing else are one mailbox. Mail from it counts as
        our own, so nobody who has an account writes from there."""
        email = self.cleaned_data["email"].lower()
        if not email:
            return email
        refuse_taken(email, by=self.instance)
        people = User.objects.exclude(standing=Standing.UNCLAIMED)
        if person := people.filter(email=email).first():
            raise forms.ValidationError(_("%(name)s has this address") % {"name": person})
        return email

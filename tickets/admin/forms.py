"""Which agent. The forms remember who had each ticket when the question was asked."""

from django import forms

from tickets.forms import CandidateForm


def _seen_field(assignee_id=None):
    return forms.IntegerField(required=False, initial=assignee_id, widget=forms.HiddenInput)


class AssignForm(CandidateForm):
    seen = _seen_field()


class AssignManyForm(CandidateForm):
    def __init__(self, *args, tickets, **kwargs):
        super().__init__(*args, **kwargs)
        for ticket in tickets:
            self.fields[f"seen_{ticket.pk}"] = _seen_field(ticket.assignee_id)

    def seen_of(self, ticket):
        return self.cleaned_data[f"seen_{ticket.pk}"]

"""Which agent. The forms remember who had each ticket when the question was asked."""

from django import forms
from django.utils.translation import gettext_lazy as _


class _CandidateForm(forms.Form):
    """Cleans ``agent`` to the chosen one of ``candidates``."""

    agent = forms.ChoiceField(
        label=_("Agent"),
        error_messages={"required": _("Choose an agent"), "invalid_choice": _("Choose an agent")},
    )

    def __init__(self, *args, candidates, **kwargs):
        super().__init__(*args, **kwargs)
        self._candidates = {str(candidate.agent.pk): candidate for candidate in candidates}
        choices = [(key, str(candidate)) for key, candidate in self._candidates.items()]
        self.fields["agent"].choices = [("", _("Choose an agent")), *choices]

    def clean_agent(self):
        return self._candidates[self.cleaned_data["agent"]]


def _seen_field(assignee_id=None):
    return forms.IntegerField(required=False, initial=assignee_id, widget=forms.HiddenInput)


class AssignForm(_CandidateForm):
    seen = _seen_field()


class AssignManyForm(_CandidateForm):
    def __init__(self, *args, tickets, **kwargs):
        super().__init__(*args, **kwargs)
        for ticket in tickets:
            self.fields[f"seen_{ticket.pk}"] = _seen_field(ticket.assignee_id)

    def seen_of(self, ticket):
        return self.cleaned_data[f"seen_{ticket.pk}"]

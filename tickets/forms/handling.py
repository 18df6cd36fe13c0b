"""What those who handle a ticket change about it."""

from datetime import timedelta

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..automation.assignment import Desk
from ..inputs import TagsField, TextField, TreeChoiceField
from ..models import Category, Tag, Ticket
from ..workflow import ResolutionKind, Status
from .details import AsksWhatIsMissing

TAGS_SUGGESTED = 50


class CandidateForm(forms.Form):
    """Which agent. Cleans to the chosen one of those whom ``desk`` has for all of ``tickets``.

    A single ticket comes with a suggestion, and why.
    """

    agent = forms.ChoiceField(
        label=_("Agent"),
        error_messages={"required": _("Choose an agent"), "invalid_choice": _("Choose an agent")},
    )

    def __init__(self, *args, tickets, **kwargs):
        super().__init__(*args, **kwargs)
        desk = Desk(tickets)
        self._candidates = {str(each.agent.pk): each for each in desk.candidates(tickets)}
        choices = [(key, str(candidate)) for key, candidate in self._candidates.items()]
        self.fields["agent"].choices = [("", _("Choose an agent")), *choices]
        best = desk.suggested(tickets[0]) if len(tickets) == 1 else None
        if best:
            self.fields["agent"].initial = best.agent.pk
            why = {"agent": best.agent, "reasons": best.reasons(tickets[0])}
            self.fields["agent"].help_text = _("Suggested: %(agent)s. %(reasons)s") % why

    def clean_agent(self):
        return self._candidates[self.cleaned_data["agent"]]


class HandOverForm(CandidateForm):
    note = TextField(
        label=_("Note for the next agent (optional)"),
        help_text=_("The customer does not see it"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args, tickets, **kwargs):
        super().__init__(*args, tickets=tickets, **kwargs)
        offered = self.fields["agent"].widget
        has_it = {str(ticket.assignee_id) for ticket in tickets}
        # Narrows what is offered only: who got it meanwhile is named in words.
        offered.choices = [choice for choice in offered.choices if choice[0] not in has_it]


class ClassifyForm(forms.ModelForm):
    tags = TagsField(
        label=_("Tags"), required=False, help_text=_("Words by which you find it, between commas")
    )

    class Meta:
        model = Ticket
        fields = ["kind", "priority", "category"]
        field_classes = {"category": TreeChoiceField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # What it is about may not be offered any more, and still be what it is about.
        offered = Category.objects.filter(Q(is_active=True) | Q(pk=self.instance.category_id))
        self.fields["category"].queryset = offered
        self.initial["tags"] = sorted(tag.name for tag in self.instance.tags.all())

    @property
    def suggested_tags(self) -> list[str]:
        """What the browser completes the tags to."""
        typed = self["tags"].value()
        known = Tag.objects.exclude(tickets=self.instance)[:TAGS_SUGGESTED]
        return [f"{typed}, {tag}" if typed else str(tag) for tag in known]


class MoveForm(AsksWhatIsMissing, forms.Form):
    """Offers only the moves the workflow allows this person from where the ticket stands."""

    status = forms.TypedChoiceField(
        label=_("Move to"),
        coerce=Status,
        error_messages={
            "required": _("Choose where to move it"),
            "invalid_choice": _("That move is not available now"),
        },
    )
    text = TextField(label=_("Words for the customer"), required=False)
    resolution = forms.ChoiceField(
        label=_("How was it resolved?"),
        choices=[("", _("Choose one")), *ResolutionKind.choices],
        required=False,
    )
    until = forms.DateField(
        label=_("On hold until"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _("Enter a date, like 2026-11-26")},
    )

    def __init__(self, *args, ticket, by, **kwargs):
        super().__init__(*args, **kwargs)
        moves = [(status.value, status.label) for status in ticket.next_statuses(by)]
        self.fields["status"].choices = [("", _("Choose one")), *moves] if moves else []
        self.ask_what_is_missing(ticket)

    def clean(self):
        cleaned = super().clean()
        status = cleaned.get("status")
        if status == Status.RESOLVED:
            if not cleaned.get("resolution"):
                self.add_error("resolution", _("Choose how it was resolved"))
            if not cleaned.get("text") and "text" not in self.errors:
                self.add_error("text", _("Tell the customer what was done and how to go on"))
        if status == Status.HOLD:
            until = cleaned.get("until")
            if not cleaned.get("text") and "text" not in self.errors:
                self.add_error("text", _("Say what it is waiting for. The customer reads it"))
            today = timezone.localdate()
            if "until" not in self.errors and (not until or until < today):
                self.add_error("until", _("Enter a day from today on"))
            elif until and until > today + timedelta(days=365):
                self.add_error("until", _("Enter a day within a year"))
        return cleaned

    @property
    def move(self) -> dict:
        """The words and dates of the move, as ``change_status`` takes them."""
        move = {name: self.cleaned_data[name] for name in ("text", "resolution", "until")}
        return move | {"answers": self.answers}

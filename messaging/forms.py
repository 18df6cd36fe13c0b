"""What somebody writes into a thread."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.forms.details import AsksWhatIsMissing
from tickets.inputs import TextField
from tickets.workflow import ResolutionKind, Status


class MessageForm(forms.Form):
    """A message with its one-time key. ``has_files`` may stand in for words (D1-17)."""

    body = TextField(label=_("Message"), required=False)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, has_files=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.has_files = has_files

    def clean_body(self):
        body = self.cleaned_data["body"]
        if not body and not self.has_files:
            raise forms.ValidationError(_("Type something!"))
        return body

    def refuse(self, refusal):
        self.add_error(None, str(refusal))


class StaffMessageForm(AsksWhatIsMissing, MessageForm):
    """A reply or a note, and for a reply what becomes of the ticket."""

    kind = forms.ChoiceField(choices=[("reply", _("Reply")), ("note", _("Internal note"))])
    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    then = forms.TypedChoiceField(
        label=_("Then set status to"),
        required=False,
        coerce=Status,
        empty_value=None,
        choices=[
            ("", _("and leave the status")),
            (Status.OPEN, _("and keep in progress")),
            (Status.WAITING, _("and wait for customer")),
            (Status.RESOLVED, _("and resolve")),
        ],
    )
    resolution = forms.ChoiceField(
        label=_("How was it resolved?"),
        required=False,
        choices=[("", _("How was it resolved?")), *ResolutionKind.choices],
    )

    def __init__(self, *args, ticket, by, **kwargs):
        super().__init__(*args, **kwargs)
        then = self.fields["then"]
        lawful = {"", *ticket.next_statuses(by), ticket.status}
        # Narrows what is offered only: what a page that is behind sends is refused in words.
        then.widget.choices = [choice for choice in then.choices if choice[0] in lawful]
        self.ask_what_is_missing(ticket)

    @property
    def is_note(self):
        return self.cleaned_data["kind"] == "note"

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("then") == Status.RESOLVED and cleaned.get("kind") == "reply":
            if not cleaned.get("resolution"):
                self.add_error("resolution", _("Choose how it was resolved"))
            if not cleaned.get("body") and "body" not in self.errors:
                self.add_error("body", _("Tell the customer what was done and how to go on"))
        return cleaned

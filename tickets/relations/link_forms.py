"""What is typed to link, merge and split tickets."""

import uuid

from django import forms
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from ..inputs import LineField, TreeChoiceField
from ..models import Category, LinkKind, Ticket
from ..wording import when
from .links import MADE_BY_HAND, may_be_linked

WORDS_SHOWN = 200  # of each message
SUGGESTED = 10


class NumberField(forms.CharField):
    """The number of a ticket that its reader sees as one of those who work here."""

    def __init__(self, **kwargs):
        super().__init__(max_length=20, error_messages={"required": _("Enter a number")}, **kwargs)


class OtherTicketForm(forms.Form):
    """Names another ticket. Cleans ``number`` to the ticket."""

    number = NumberField(
        label=_("Number of the other ticket"), help_text=_("For example, CCR-2026-00482")
    )

    def __init__(self, *args, ticket, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.ticket = ticket
        self.by = by

    @property
    def suggested(self):
        """What else the customer has told."""
        seen = Ticket.objects.visible_to(self.by).of_customer(self.ticket)
        return seen.only("reference", "subject")[:SUGGESTED]

    def clean_number(self):
        number = self.cleaned_data["number"].upper()
        found = Ticket.objects.select_related("merged_into").filter(reference=number).first()
        if found is None or not may_be_linked(found, self.by):
            raise forms.ValidationError(_("You see no ticket with this number"))
        return found


class LinkForm(OtherTicketForm):
    kind = forms.TypedChoiceField(
        label=_("This ticket is"),
        choices=[(kind.value, kind.label) for kind in MADE_BY_HAND],
        coerce=LinkKind,
        initial=LinkKind.RELATED,
    )
    field_order = ["kind", "number"]


class MergeForm(OtherTicketForm):
    number = NumberField(
        label=_("Number of the ticket it goes on in"), help_text=_("For example, CCR-2026-00482")
    )


class SplitForm(forms.Form):
    """Which of ``lines`` make a ticket of their own, and what that is about."""

    numbers = forms.TypedMultipleChoiceField(
        label=_("Messages to take over"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one message")},
    )
    subject = LineField(
        label=_("Subject of the new ticket"),
        max_length=200,
        error_messages={"required": _("Enter a subject")},
    )
    category = TreeChoiceField(label=_("Category"), queryset=Category.objects.active())
    key = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, *args, lines, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["numbers"].choices = [(line.number, _told(line)) for line in lines]


def _told(line) -> str:
    words = Truncator(line.text).chars(WORDS_SHOWN)
    return f"{line.actor}, {when(line.at)}: {words}" if line.actor else words

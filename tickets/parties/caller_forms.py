"""What is typed while somebody is on the phone or at the counter, and about calls."""

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import customers
from accounts.forms.fields import NameField, PhoneField
from accounts.people import AccountRefusal

from ..forms.raising import TicketForm
from ..inputs import DayField, LineField, TextField
from ..likeness import tickets_like
from ..models import Channel, Priority, Ticket, TicketKind


class CustomerForm(forms.Form):
    """A customer by their exact address; somebody new by their first name as well."""

    requester = forms.EmailField(
        label=_("Customer’s email address"),
        max_length=254,
        error_messages={"required": _("Enter the customer’s email address")},
    )
    first_name = NameField(
        label=_("Their first name, if they are new here"), autocomplete="off", required=False
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by
        self.known = None  # the customer, once the address is looked up

    def clean(self):
        cleaned = super().clean()
        if email := self.cleaned_data.get("requester"):
            self._look_up(email)
        return cleaned

    def _look_up(self, email):
        try:
            self.known = customers.find(email, by=self.by)
        except AccountRefusal as refusal:
            self.add_error("requester", str(refusal))
            return
        is_named = self.cleaned_data.get("first_name") or "first_name" in self.errors
        if not self.known and not is_named:
            unknown = _("Nobody has this address here. Check it, or enter their first name")
            self.add_error("first_name", unknown)


class OnBehalfForm(CustomerForm, TicketForm):
    """D2-5: what a customer told somebody, by phone or at a counter.

    What is like an open ticket of theirs is pointed out once, in ``told_before``.
    """

    channel = forms.ChoiceField(
        label=_("How it came"),
        choices=[(c.value, c.label) for c in Channel if c not in (Channel.WEB, Channel.EMAIL)],
    )
    take = forms.BooleanField(label=_("I take this ticket"), required=False)
    key = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)
    field_order = ["requester", "first_name", "channel"]
    asks_staff = True
    about = None  # only requesters follow up

    class Meta(TicketForm.Meta):
        help_texts = {}  # they are written for customers

    kind = forms.TypedChoiceField(
        label=_("What is it?"),
        choices=TicketKind,
        initial=TicketKind.COMPLAINT,
        required=False,
        empty_value=TicketKind.COMPLAINT,
    )
    priority = forms.ChoiceField(
        label=_("How much is it affecting them?"),
        choices=[("", _("As usual in its category")), *Priority.choices],
        required=False,
    )
    incident_on = DayField(label=_("When did it happen? (optional)"))
    purchased_on = DayField(label=_("When did they buy it? (optional)"))

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, by=by, **kwargs)
        self.told_before = []
        self.fields["priority"].initial = ""
        for name in ("description", "contact_phone"):
            self.fields[name].help_text = ""
        if not by.is_agent:
            del self.fields["take"]

    def clean(self):
        cleaned = super().clean()
        if self.has_new_questions:
            self.add_error(None, _("This category asks a few more questions, at the end"))
        if self.known and not self.errors:
            self._point_out_what_is_like_it(cleaned)
        return cleaned

    def _point_out_what_is_like_it(self, told):
        like = tickets_like(
            self.known, **{name: told[name] for name in ("category", "subject", "description")}
        )
        visible = Ticket.objects.visible_to(self.by).filter(pk__in=[ticket.pk for ticket in like])
        # Not what the first of two clicks raised.
        others = visible if told["key"] is None else visible.exclude(draft_key=told["key"])
        self.told_before = list(others.order_by("-pk"))
        pointed_out = self.data.get("told_before", "").split()
        if any(ticket.reference not in pointed_out for ticket in self.told_before):
            self.add_error(
                None, _("They have told us much the same. Look at it, or raise it all the same")
            )

    @property
    def pointed_out(self) -> str:
        return " ".join(ticket.reference for ticket in self.told_before)


class CallForm(forms.Form):
    """D1-14: the requester would rather be called."""

    phone = PhoneField(
        label=_("Phone number"),
        error_messages={"required": _("Enter the number we should call")},
    )
    wish = LineField(
        label=_("When does it suit you? (optional)"),
        help_text=_("For example, after 17:00, or not on Friday"),
        max_length=200,
        required=False,
    )


class LogCallForm(forms.Form):
    """What was said on the phone."""

    text = TextField(
        label=_("What was said. The customer reads it"),
        error_messages={"required": _("Write down what was said")},
    )
    key = forms.UUIDField(required=False, initial=uuid.uuid4, widget=forms.HiddenInput)

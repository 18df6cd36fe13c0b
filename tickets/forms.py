"""Input about tickets: cleaning, choices, layout."""

import unicodedata
from datetime import date, timedelta

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import User

from .models import Category, Channel, Expertise, Priority, Ticket
from .workflow import ResolutionKind, Status


def bare_helper() -> FormHelper:
    """Fields only: the page writes the form tag, the buttons and what stands between."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


class KeyForm(forms.Form):
    """A one-time key, or None when it is missing or not one of ours."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Declared in the class it would be hidden by the property of its name.
        self.fields["key"] = forms.UUIDField(required=False)

    @property
    def key(self):
        return self.cleaned_data["key"] if self.is_valid() else None


class TextField(forms.CharField):
    """Long words. Too much is an error beside the field, never cut by the browser in silence.

    ``name`` begins that error: "Description".
    """

    widget = forms.Textarea

    def __init__(self, *, name, **kwargs):
        super().__init__(**kwargs)
        self.max_length = settings.MAX_TEXT_LENGTH
        self.validators.append(
            forms.fields.validators.MaxLengthValidator(
                self.max_length,
                _("%(text)s must be %(n)s characters or less")
                % {"text": name, "n": f"{self.max_length:,}"},
            )
        )

    def to_python(self, value):
        words = super().to_python(value).replace("\r\n", "\n")
        return words if any(map(_is_visible, words)) else ""


def _is_visible(character) -> bool:
    """Whether it leaves a mark: zero-width spaces and joiners alone say nothing."""
    return unicodedata.category(character)[0] not in "CZ"


class DateBoxes(forms.MultiWidget):
    """Day, month and year in three boxes: no calendar to scroll, any order of typing."""

    template_name = "tickets/widgets/date_boxes.html"
    is_group = True

    def __init__(self, attrs=None):
        boxes = [
            forms.TextInput({"inputmode": "numeric", "maxlength": 2, "autocomplete": "off"}),
            forms.TextInput({"inputmode": "numeric", "maxlength": 2, "autocomplete": "off"}),
            forms.TextInput({"inputmode": "numeric", "maxlength": 4, "autocomplete": "off"}),
        ]
        super().__init__(boxes, attrs)

    def decompress(self, value):
        return [value.day, value.month, value.year] if value else ["", "", ""]


class PastDateField(forms.MultiValueField):
    """An optional date of today or before. ``name`` begins its errors: "Purchase date"."""

    widget = DateBoxes

    def __init__(self, *, name, **kwargs):
        self.name = name
        boxes = [forms.CharField(required=False) for _box in range(3)]
        super().__init__(boxes, required=False, require_all_fields=False, **kwargs)

    def compress(self, values) -> date | None:
        if not any(values):
            return None
        parts = (_("a day"), _("a month"), _("a year"))
        for value, part in zip(values, parts, strict=True):
            if not value:
                raise forms.ValidationError(
                    _("%(date)s must include %(part)s") % {"date": self.name, "part": part}
                )
        try:
            day, month, year = (int(value) for value in values)
            found = date(year, month, day)
        except (ValueError, OverflowError) as wrong:
            raise forms.ValidationError(
                _("%(date)s must be a real date, like 3 11 2026") % {"date": self.name}
            ) from wrong
        if found > timezone.localdate():
            raise forms.ValidationError(
                _("%(date)s must be today or in the past") % {"date": self.name}
            )
        if found.year < 1900:
            raise forms.ValidationError(_("%(date)s must be after 1900") % {"date": self.name})
        return found


class TicketForm(forms.ModelForm):
    """What a requester tells us. Who they are, the account says (D0-5)."""

    description = TextField(
        name=_("Description"),
        label=_("Describe it"),
        help_text=_(
            "What happened, when, and what would put it right. Leave out card numbers and passwords"
        ),
        error_messages={"required": _("Query cannot be empty!")},
    )
    incident_on = PastDateField(
        name=_("Date of the incident"),
        label=_("When did it happen? (optional)"),
        help_text=_("For example, 3 11 2026. Leave empty if you’re not sure"),
    )
    purchased_on = PastDateField(
        name=_("Purchase date"),
        label=_("When did you buy it? (optional)"),
        help_text=_("For example, 3 11 2026. Leave empty if you’re not sure"),
    )
    contact_phone = PhoneNumberField(
        required=False,
        label=_("Phone number (optional)"),
        help_text=_("We call only if writing won’t do"),
        error_messages={
            "invalid": _("Enter a phone number with its country code, like +44 113 496 0000")
        },
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )

    class Meta:
        model = Ticket
        fields = [
            "category", "subject", "description", "priority",
            "against", "incident_on", "purchased_on", "contact_phone",
        ]  # fmt: skip
        labels = {
            "category": _("What is it about?"),
            "subject": _("Subject"),
            "priority": _("How much is it affecting you?"),
            "against": _("Which product, shop or person? (optional)"),
        }
        help_texts = {
            "category": _("This decides which team sees it first. Don’t worry about picking wrong"),
            "subject": _("One line, for example “Kettle stopped heating after two weeks”"),
            "against": _("A product name, an order number or who you dealt with"),
        }
        error_messages = {
            "category": {
                "required": _("Choose what it is about"),
                "invalid_choice": _("Choose what it is about"),
            },
            "subject": {
                "required": _("Enter a subject"),
                "max_length": _("Subject must be 200 characters or less"),
            },
            "priority": {
                "required": _("Choose how much it is affecting you"),
                "invalid_choice": _("Choose how much it is affecting you"),
            },
            "against": {"max_length": _("This must be 200 characters or less")},
        }
        widgets = {"priority": forms.RadioSelect({"class": "form-check-input"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = bare_helper()
        self.fields["category"].queryset = Category.objects.active()
        self.fields["category"].empty_label = _("Choose one")
        self.fields["subject"].widget.attrs.pop("maxlength", None)
        self.fields["against"].widget.attrs.pop("maxlength", None)
        self.fields["description"].widget.attrs["rows"] = 6
        self.fields["priority"].initial = Priority.NORMAL
        self.fields["priority"].hints = {
            Priority.LOW: _("A question, or a small annoyance"),
            Priority.NORMAL: _("Something doesn’t work, but I can manage"),
            Priority.HIGH: _("I can’t use what I paid for"),
            Priority.URGENT: _("There is a danger, or money is leaving my account"),
        }

    @classmethod
    def resume(cls, draft) -> "TicketForm":
        """The form as it was left, not judged yet."""
        typed = draft.fields if draft else {}
        initial = {name: typed[name] for name in cls.base_fields if typed.get(name)}
        for name in cls._dates():
            initial[name] = [typed.get(f"{name}_{box}", "") for box in range(3)]
        return cls(initial=initial)

    @classmethod
    def _dates(cls) -> list[str]:
        return [n for n, field in cls.base_fields.items() if isinstance(field, PastDateField)]

    def typed(self) -> dict[str, str]:
        """What was typed, to keep in the draft whatever it is worth.

        All but NUL, which PostgreSQL can't keep.
        """
        boxes = [f"{name}_{box}" for name in self._dates() for box in range(3)]
        names = [name for name in self.fields if name not in self._dates()] + boxes
        return {name: self.data.get(name, "").replace("\0", "") for name in names}


def not_in_the_future(day: date) -> None:
    if day > timezone.localdate():
        raise forms.ValidationError(_("Enter today or a day in the past"))


class DayField(forms.DateField):
    """An optional day of today or before, by the browser's own calendar."""

    widget = forms.DateInput({"type": "date"})
    default_validators = [not_in_the_future]

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)


class OnBehalfForm(TicketForm):
    """D2-5: what a customer told somebody, by phone or at a counter."""

    requester = forms.EmailField(
        label=_("Customer’s email address"),
        error_messages={"required": _("Enter the customer’s email address")},
    )
    channel = forms.ChoiceField(
        label=_("How it came"),
        choices=[(c.value, c.label) for c in Channel if c != Channel.WEB],
    )
    field_order = ["requester", "channel"]

    priority = forms.ChoiceField(
        label=_("How much is it affecting them?"), choices=Priority, initial=Priority.NORMAL
    )
    incident_on = DayField(label=_("When did it happen? (optional)"))
    purchased_on = DayField(label=_("When did they buy it? (optional)"))

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by
        for field in self.fields.values():
            field.help_text = ""  # written for customers

    def clean_requester(self) -> User:
        email = self.cleaned_data["requester"].lower()
        requester = User.objects.active().filter(email=email).first()
        if requester is None:
            raise forms.ValidationError(_("Nobody who may use the registry has this address"))
        if requester == self.by:
            raise forms.ValidationError(_("Raise your own complaint on the site, like everybody"))
        return requester


class FeedbackForm(forms.Form):
    """The requester's rating of how it was handled."""

    rating = forms.TypedChoiceField(
        label=_("How did we handle it?"),
        coerce=int,
        choices=[
            (1, _("Very poor")),
            (2, _("Poor")),
            (3, _("Fair")),
            (4, _("Good")),
            (5, _("Very good")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a rating from 1 to 5"),
            "invalid_choice": _("Choose a rating from 1 to 5"),
        },
    )
    comment = TextField(
        name=_("Comment"), label=_("Anything we should know? (optional)"), required=False
    )


class CandidateForm(forms.Form):
    """Which agent. Cleans to the chosen one of ``candidates``."""

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


class ClassifyForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ["priority", "category"]


class MoveForm(forms.Form):
    """Offers only the moves the workflow allows this person from where the ticket stands."""

    status = forms.TypedChoiceField(
        label=_("Move to"),
        coerce=Status,
        error_messages={
            "required": _("Choose where to move it"),
            "invalid_choice": _("That move is not available now"),
        },
    )
    text = TextField(name=_("The text"), label=_("Words for the customer"), required=False)
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
        return {name: self.cleaned_data[name] for name in ("text", "resolution", "until")}


class ExpertiseForm(forms.Form):
    """How well somebody knows each category. ``known`` are levels by category."""

    def __init__(self, *args, known: dict[int, int], **kwargs):
        super().__init__(*args, **kwargs)
        self._categories = {f"category_{each.pk}": each for each in Category.objects.active()}
        for name, category in self._categories.items():
            self.fields[name] = forms.TypedChoiceField(
                label=category.name,
                choices=[("", _("Not mine")), *Expertise.Level.choices],
                coerce=lambda level: Expertise.Level(int(level)),
                empty_value=None,
                required=False,
                initial=known.get(category.pk, ""),
                error_messages={"invalid_choice": _("Choose one of the levels")},
            )

    @property
    def levels(self) -> dict[Category, Expertise.Level]:
        chosen = self.cleaned_data.items()
        return {self._categories[name]: level for name, level in chosen if level}

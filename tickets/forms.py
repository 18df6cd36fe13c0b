"""Input about tickets: cleaning, choices, layout."""

from datetime import date, timedelta

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from .automation.assignment import Desk
from .detail_forms import AsksWhatIsMissing
from .inputs import (
    BoxedDateField,
    LineField,
    TagsField,
    TreeChoiceField,
    answer_field,
    answers_in,
    name_of,
)
from .models import Category, CategoryField, Expertise, Priority, Tag, Ticket, TicketKind
from .workflow import ResolutionKind, Status

TAGS_SUGGESTED = 50


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


class TextField(LineField):
    """Long words. ``name`` begins the error that they are too long: "Description"."""

    widget = forms.Textarea

    def __init__(self, *, name, max_length=None, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length or settings.MAX_TEXT_LENGTH
        self.validators.append(
            forms.fields.validators.MaxLengthValidator(
                self.max_length,
                _("%(text)s must be %(n)s characters or less")
                % {"text": name, "n": f"{self.max_length:,}"},
            )
        )

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class PastDateField(BoxedDateField):
    """An optional date of today or before."""

    def compress(self, values) -> date | None:
        found = super().compress(values)
        if found and found > timezone.localdate():
            raise forms.ValidationError(
                _("%(date)s must be today or in the past") % {"date": self.name}
            )
        return found


class TicketForm(forms.ModelForm):
    """What a requester tells us. Who they are, the account says (D0-5).

    The chosen category may ask ``questions`` of its own. ``asked`` names the category whose
    questions stood on the page.
    """

    asks_staff = False  # whether questions that are for staff are asked too

    kind = forms.TypedChoiceField(
        label=_("What is it?"),
        choices=TicketKind,
        initial=TicketKind.COMPLAINT,
        required=False,
        empty_value=TicketKind.COMPLAINT,
        widget=forms.RadioSelect({"class": "form-check-input"}),
        error_messages={"invalid_choice": _("Choose what it is")},
    )
    about = forms.CharField(label=_("About a ticket that ended"), required=False)
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
            "kind", "category", "subject", "description", "priority",
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
        field_classes = {"category": TreeChoiceField, "subject": LineField, "against": LineField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].hints = {
            TicketKind.COMPLAINT: _("Something went wrong, and you want it put right"),
            TicketKind.QUESTION: _("You want to know something, before or after buying"),
            TicketKind.REQUEST: _("You ask for something, such as an exception to a rule"),
        }
        self.helper = bare_helper()
        self.fields["category"].queryset = Category.objects.active()
        self.fields["category"].empty_label = _("Choose one")
        self.fields["description"].widget.attrs["rows"] = 6
        self.fields["priority"].initial = Priority.NORMAL
        self.fields["priority"].hints = {
            Priority.LOW: _("A question, or a small annoyance"),
            Priority.NORMAL: _("Something doesn’t work, but I can manage"),
            Priority.HIGH: _("I can’t use what I paid for"),
            Priority.URGENT: _("There is a danger, or money is leaving my account"),
        }
        self.questions = self._questions()
        for field in self.questions:
            self.fields[name_of(field)] = answer_field(
                field,
                is_needed=field.is_required_to_raise and not self.has_new_questions,
                of_staff=self.asks_staff,
            )

    def _questions(self) -> list[CategoryField]:
        chosen = str(self["category"].value() or "")
        if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 10):
            return []
        asked = CategoryField.objects.filter(category=chosen, is_active=True)
        asked = asked.filter(category__is_active=True).select_related("category")
        return list(asked if self.asks_staff else asked.filter(is_for_requester=True))

    @property
    def asked(self) -> str:
        """The category whose questions stand here."""
        return str(self.questions[0].category_id) if self.questions else ""

    @property
    def has_new_questions(self) -> bool:
        """Nobody could answer yet: they come with the page after the choice, without scripts."""
        return self.is_bound and bool(self.asked) and self.data.get("asked") != self.asked

    def is_valid(self):
        return super().is_valid() and not self.has_new_questions

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [self[name_of(field)] for field in self.questions]

    @property
    def chosen_kind(self) -> str:
        return TicketKind(self.cleaned_data["kind"]).label

    @property
    def questions_told(self) -> list[tuple[CategoryField, str]]:
        """Each question with its answer in words, "" where there is none."""
        answers = answers_in(self, self.questions)
        return [(field, told and field.in_words(told)) for field, told in answers.items()]

    @property
    def told(self) -> dict:
        """What ``raise_ticket`` takes."""
        own = {name: told for name, told in self.cleaned_data.items() if name in self.base_fields}
        return own | {"answers": answers_in(self, self.questions)}

    @classmethod
    def resume(cls, draft, about: Ticket | None = None) -> "TicketForm":
        """The form as it was left, not judged yet. What nobody has filled in yet says the same as
        the ticket it is ``about`` again."""
        typed = draft.fields if draft else {}
        known = {"category": about.category_id, "subject": about.subject} if about else {}
        known |= {name: words for name, words in typed.items() if words}
        form = cls(initial=known | ({"about": about.reference} if about else {}))
        for name in form._dates():
            form.initial[name] = [typed.get(f"{name}_{box}", "") for box in range(3)]
        return form

    def _dates(self) -> list[str]:
        return [n for n, field in self.fields.items() if isinstance(field, BoxedDateField)]

    def typed(self) -> dict[str, str]:
        """What was typed, to keep in the draft whatever it is worth.

        All but NUL, which PostgreSQL can't keep.
        """
        boxes = [f"{name}_{box}" for name in self._dates() for box in range(3)]
        names = [name for name in self.fields if name not in self._dates()] + boxes + ["asked"]
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
    improvement = TextField(
        name=_("Suggestion"), label=_("What should we do better? (optional)"), required=False
    )


class AnswerForm(forms.Form):
    """What the agent answers to a rating."""

    text = TextField(
        name=_("Answer"),
        label=_("Your answer, which the customer gets by email"),
        error_messages={"required": _("Enter your answer")},
    )


class ConcernForm(forms.Form):
    """D4-11: what somebody thinks is wrong with the registry."""

    text = TextField(
        name=_("Concern"),
        label=_("What is wrong, or what could be better?"),
        help_text=_("About this site. What you bought or were promised belongs in a ticket"),
        error_messages={"required": _("Tell us what is wrong")},
    )


class SuggestionForm(forms.Form):
    """D3-4: what a customer suggested while they talked to the agent."""

    text = TextField(
        name=_("Suggestion"),
        label=_("What the customer suggested"),
        error_messages={"required": _("Enter what the customer suggested")},
    )


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
        name=_("The note"),
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

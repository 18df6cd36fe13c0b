"""What a requester tells us."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import PhoneField
from accounts.forms.profile import bare_helper

from ..inputs import (
    BoxedDateField,
    LineField,
    PastDateField,
    TextField,
    TreeChoiceField,
    answer_field,
    answers_in,
    name_of,
)
from ..models import Category, CategoryField, Priority, Ticket, TicketKind


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
    contact_phone = PhoneField(
        required=False,
        label=_("Phone number (optional)"),
        help_text=_("We call only if writing won’t do"),
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
            "subject": {"required": _("Enter a subject")},
            "priority": {
                "required": _("Choose how much it is affecting you"),
                "invalid_choice": _("Choose how much it is affecting you"),
            },
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

"""Forms that ask staff what a category wants to know besides."""

from django import forms
from django.utils.translation import gettext_lazy as _

from ..belongings import belongings_of
from ..fields import Answers
from ..inputs import answer_field, answers_in, name_of


class AsksQuestions:
    """A form that asks some of a ticket's ``details``, with what is known."""

    def ask(self, questions):
        self.questions = questions
        for detail in questions:
            self.fields[name_of(detail)] = answer_field(detail, answer=detail.answer)

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [self[name_of(detail)] for detail in self.questions]

    @property
    def answers(self) -> Answers:
        return answers_in(self, self.questions)


class DetailsForm(AsksQuestions, forms.Form):
    def __init__(self, *args, ticket, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask([detail for detail in ticket.details if detail.is_asked])


class AsksWhatIsMissing(AsksQuestions):
    """A form that can resolve a ticket. It asks what must be known by then."""

    def ask_what_is_missing(self, ticket):
        needed = ticket.details if "questions" in belongings_of(ticket) else ()
        self.ask([detail for detail in needed if detail.is_missing])

    def refuse(self, refusal):
        """Say why not: beside the questions that want an answer, if that is the reason."""
        names = [name_of(detail) for detail in getattr(refusal, "missing", ())]
        beside = [name for name in names if name in self.fields]
        for name in beside:
            self.add_error(name, _("Answer this to resolve the ticket"))
        if not beside:
            self.add_error(None, str(refusal))

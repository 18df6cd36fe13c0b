"""Form fields of our own: words, days, tags, categories as a tree, questions of a category."""

import unicodedata
from datetime import date
from decimal import Decimal

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import TURNING_MARKS

from .fields import Answers
from .models import CategoryField, FieldValue, Tag
from .models.fields import YES_NO

Kind = CategoryField.Kind
MAX_TAGS = 20
INDENT = "\u2003"  # a space browsers keep at the beginning of an option


class WordsField(forms.CharField):
    """Too much is an error beside the field, never cut by the browser in silence; and what leaves
    no mark, like zero-width spaces and joiners alone, says nothing."""

    default_error_messages = {"max_length": _("Use %(limit_value)d characters or less")}

    def widget_attrs(self, widget):
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return attrs

    def to_python(self, value):
        words = super().to_python(value)
        return words if any(map(_is_visible, words)) else self.empty_value


def _is_visible(character) -> bool:
    return unicodedata.category(character)[0] not in "CZ"


class LineField(WordsField):
    """One line of words. Marks that turn what follows them come along when people paste: they go,
    as nobody could see which to remove."""

    def to_python(self, value):
        return TURNING_MARKS.sub("", super().to_python(value)).strip()


class TextField(WordsField):
    """Long words."""

    widget = forms.Textarea

    def __init__(self, *, max_length=None, **kwargs):
        super().__init__(max_length=max_length or settings.MAX_TEXT_LENGTH, **kwargs)
        words = _("Use %(n)s characters or less") % {"n": f"{self.max_length:,}"}
        self.error_messages["max_length"] = words

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


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


class BoxedDateField(forms.MultiValueField):
    """A date in three boxes. ``name`` begins its errors: "Purchase date"."""

    widget = DateBoxes

    def __init__(self, *, name, required=False, **kwargs):
        self.name = name
        boxes = [forms.CharField(required=False) for _box in range(3)]
        super().__init__(boxes, required=required, require_all_fields=False, **kwargs)

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
        if found.year < 1900:
            raise forms.ValidationError(_("%(date)s must be after 1900") % {"date": self.name})
        return found


class PastDateField(BoxedDateField):
    """An optional date of today or before."""

    def compress(self, values) -> date | None:
        found = super().compress(values)
        if found and found > timezone.localdate():
            raise forms.ValidationError(
                _("%(date)s must be today or in the past") % {"date": self.name}
            )
        return found


def not_in_the_future(day: date) -> None:
    if day > timezone.localdate():
        raise forms.ValidationError(_("Enter today or a day in the past"))


class DayField(forms.DateField):
    """An optional day of today or before, by the browser's own calendar."""

    widget = forms.DateInput({"type": "date"})
    default_validators = [not_in_the_future]

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)


class TreeChoiceField(forms.ModelChoiceField):
    """Categories, each below the one it is part of."""

    class iterator(forms.models.ModelChoiceIterator):
        def __iter__(self):
            if self.field.empty_label is not None:
                yield "", self.field.empty_label
            for category, depth in self.queryset.as_tree():
                yield self.field.prepare_value(category), INDENT * depth + str(category)


class TagsField(LineField):
    """Words between commas. Cleans to a sorted list of small letters, each once."""

    def to_python(self, value) -> list[str]:
        words = (" ".join(word.split()).lower() for word in super().to_python(value).split(","))
        return sorted({word for word in words if word})

    def validate(self, tags):
        longest = Tag._meta.get_field("name").max_length
        if len(tags) > MAX_TAGS:
            raise forms.ValidationError(_("Use at most %(n)s tags") % {"n": MAX_TAGS})
        if any(len(tag) > longest for tag in tags):
            raise forms.ValidationError(
                _("A tag must be %(n)s characters or less") % {"n": longest}
            )

    def run_validators(self, tags):
        for tag in tags:
            super().run_validators(tag)

    def prepare_value(self, value):
        return value if isinstance(value, str) else ", ".join(value or [])


# --- The questions of a category -----------------------------------------------


def name_of(field: CategoryField) -> str:
    return f"field_{field.pk}"


def answer_field(
    field: CategoryField, *, answer: str | None = None, is_needed=False, of_staff=True
) -> forms.Field:
    """How ``field`` is asked when ``answer`` is known, which may stay though it is no longer among
    the choices. ``is_needed``: it can't stay empty. Customers type a date in boxes; ``of_staff``
    know what they will need."""
    names = {"question": field.label}
    is_needed_later = of_staff and field.is_required_to_resolve
    is_open = not (is_needed or is_needed_later)
    common = {
        "label": _("%(question)s (optional)") % names if is_open else field.label,
        "help_text": _("Needed to resolve the ticket") if is_needed_later else "",
        "initial": answer,
        "required": is_needed,
        "error_messages": {"required": _("Answer “%(question)s”") % names},
    }
    match field.kind:
        case Kind.NUMBER:
            return _number_field(**common)
        case Kind.DATE if not of_staff:
            return BoxedDateField(name=field.label, **common)
        case Kind.DATE:
            common["error_messages"]["invalid"] = _("Enter a date, like 2026-11-26")
            return forms.DateField(widget=forms.DateInput({"type": "date"}), **common)
        case Kind.CHOICE:
            choices = dict.fromkeys([*field.choice_list, *([answer] if answer else [])])
            return _choice_field([(choice, choice) for choice in choices], **common)
        case Kind.YES_NO:
            return _choice_field(YES_NO.items(), **common)
    return LineField(max_length=FieldValue.MAX_LENGTH, **common)


def _number_field(**common):
    """Typed as text: a browser sends nothing at all for what it takes for no number."""
    common["error_messages"]["invalid"] = _("Enter a number, like 12 or 12.5")
    widget = forms.TextInput({"inputmode": "decimal"})
    return forms.DecimalField(max_digits=15, decimal_places=4, widget=widget, **common)


def _choice_field(choices, **common):
    common["error_messages"]["invalid_choice"] = _("Choose one of the answers")
    return forms.ChoiceField(choices=[("", _("Choose one")), *choices], **common)


def as_text(cleaned) -> str:
    """The one form in which an answer is kept: 12.5, 2026-11-26, yes, or the words themselves."""
    if isinstance(cleaned, Decimal):
        return f"{cleaned.normalize() + 0:f}"
    return str(cleaned or "")


def answers_in(form, questions: list[CategoryField]) -> Answers:
    return {field: as_text(form.cleaned_data[name_of(field)]) for field in questions}

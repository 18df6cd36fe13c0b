"""Input about rules: when, if, then."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User

from ..inputs import TagsField, TreeChoiceField
from ..models import TIMED, Category, Channel, Priority, Rule, Tag, TicketKind, Trigger
from ..promise.promise_forms import HoursField
from ..workflow import Status

MOST_TRIED = 1_000

# What a rule does that would be a cause for itself.
OWN_CAUSES = {
    Trigger.ANSWERED: ["message"],
    Trigger.ASSIGNED: ["assign_to"],
    Trigger.MOVED: ["move_to"],
    Trigger.CLASSIFIED: ["set_priority", "set_category", "add_tags"],
}
WHEN = ("trigger", "after")
IF = (
    "kinds", "categories", "priorities", "statuses", "channels", "tags", "words", "is_assigned",
    "rated_at_most",
)  # fmt: skip
THEN = (
    "assign_to", "set_priority", "set_category", "add_tags", "note", "message", "move_to",
    "tell_agent", "tell",
)  # fmt: skip


def _ends_by_itself(asked) -> bool:
    """Whether what the rule does undoes one of its own conditions, so that it can’t go on."""
    category = asked.get("set_category")
    places = {category, category.parent} if category else set()
    return any(
        (
            asked.get("move_to") and _is_left(asked["move_to"], asked.get("statuses")),
            asked.get("set_priority") and _is_left(asked["set_priority"], asked.get("priorities")),
            category and asked.get("categories") and places.isdisjoint(asked["categories"]),
            asked.get("assign_to") and asked.get("is_assigned") is False,
        )
    )


def _is_left(to, wanted) -> bool:
    """Whether what is ``to`` is no longer among the ``wanted``, if the rule asks for some."""
    return bool(wanted) and to not in wanted


def _some_of(choices, label):
    return forms.MultipleChoiceField(
        label=label,
        choices=choices.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class CategoriesField(forms.ModelMultipleChoiceField):
    iterator = TreeChoiceField.iterator
    widget = forms.CheckboxSelectMultiple


class RuleForm(forms.ModelForm):
    after = HoursField(
        label=_("How long (hours)"),
        required=False,
        help_text=_("Only for what happens as time passes"),
    )
    kinds = _some_of(TicketKind, _("Kind"))
    categories = CategoriesField(
        label=_("Category"), queryset=Category.objects.all(), required=False,
        help_text=_("With the categories that are part of it"),
    )  # fmt: skip
    priorities = _some_of(Priority, _("Priority"))
    statuses = _some_of(Status, _("Status"))
    channels = _some_of(Channel, _("How it came"))
    tags = TagsField(
        label=_("Tagged with one of"), required=False, help_text=_("Words between commas")
    )
    is_assigned = forms.TypedChoiceField(
        label=_("Agent"),
        choices=[
            ("", _("Whether or not it has one")),
            ("yes", _("Has one")),
            ("no", _("Has none")),
        ],
        coerce=lambda chosen: chosen == "yes",
        empty_value=None,
        required=False,
    )
    rated_at_most = forms.IntegerField(
        label=_("Rated at most"), min_value=1, max_value=5, required=False,
        help_text=_("The customer’s newest rating, 1 to 5. What was never rated does not fit"),
    )  # fmt: skip
    add_tags = TagsField(
        label=_("Add the tags"), required=False, help_text=_("Words between commas")
    )
    move_to = forms.ChoiceField(
        label=_("Move to"),
        choices=[
            ("", "---------"),
            *((to.value, to.label) for to in (Status.OPEN, Status.WAITING, Status.RESOLVED)),
        ],
        required=False,
        help_text=_("The message to the customer is what a resolution says"),
    )

    class Meta:
        model = Rule
        fields = ("name", "position", *WHEN, *IF, *THEN)
        labels = {"trigger": _("What happens")}
        help_texts = {
            "words": _(
                "One on each line; in the subject or in what was written. Whole words: refund. "
                "A star stands for any letters: refund*"
            )
        }
        widgets = {
            "words": forms.Textarea({"rows": 4}),
            "message": forms.Textarea({"rows": 5}),
            "note": forms.Textarea({"rows": 3}),
            "tell": forms.CheckboxSelectMultiple,
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rule = self.instance
        if rule.pk:
            self.initial["tags"] = sorted(tag.name for tag in rule.tags.all())
            self.initial["add_tags"] = rule.tags_to_add
            self.initial["is_assigned"] = {True: "yes", False: "no"}.get(rule.is_assigned)
        self.fields["assign_to"].queryset = User.objects.agents()
        self.fields["tell"].queryset = User.objects.agents() | User.objects.admins()

    def clean_add_tags(self) -> str:
        tags = ", ".join(self.cleaned_data["add_tags"])
        if len(tags) > Rule._meta.get_field("add_tags").max_length:
            raise forms.ValidationError(_("These are too many tags for one rule"))
        return tags

    def clean(self):
        super().clean()
        asked = self.cleaned_data
        is_timed = asked.get("trigger") in TIMED
        if is_timed and not asked.get("after") and "after" not in self.errors:
            self.add_error("after", _("Enter after how many hours"))
        if asked.get("after") and not is_timed:
            self.add_error("after", _("Only what happens as time passes has a length. Empty this"))
        own_causes = () if _ends_by_itself(asked) else OWN_CAUSES.get(asked.get("trigger"), ())
        for name in own_causes:
            if asked.get(name):
                words = _("This would set the rule off again, for ever. Choose another trigger")
                self.add_error(name, words)
        if asked.get("move_to") == Status.RESOLVED and not asked.get("message"):
            self.add_error("message", _("Write to the customer how it was resolved"))
        if not self.errors and not any(asked[name] for name in THEN):
            self.add_error("assign_to", _("Say what the rule does: one of these at least"))
        return asked

    def _save_m2m(self):
        names = self.cleaned_data["tags"]
        Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
        self.cleaned_data["tags"] = Tag.objects.filter(name__in=names)
        super()._save_m2m()


class TrialForm(forms.Form):
    newest = forms.IntegerField(
        label=_("How many of the newest tickets"), min_value=1, max_value=MOST_TRIED, initial=100
    )

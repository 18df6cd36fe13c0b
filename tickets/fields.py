"""Answers to the questions of a category, and the tags of a ticket."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User

from .belongings import belongings_of
from .history import lock, write
from .models import Audience, CategoryField, FieldValue, Rule, Tag, Ticket, TicketEvent
from .workflow import HANDLERS, TicketRefusal, TransitionRefused

Answers = dict[CategoryField, str]  # each in the form of ``inputs.as_text``; "" is none


class DetailsMissing(TransitionRefused):
    """What the category needs to know before a ticket is resolved: ``missing``."""

    def __init__(self, missing: list[CategoryField]):
        self.missing = missing
        names = ", ".join(f"“{field}”" for field in missing)
        super().__init__(_("Answer %(questions)s before you resolve it.") % {"questions": names})


def _keep(ticket, answers: Answers) -> None:
    FieldValue.objects.bulk_create(
        [FieldValue(ticket=ticket, field=field, value=value) for field, value in answers.items()],
        update_conflicts=True,
        unique_fields=["ticket", "field"],
        update_fields=["value"],
    )


def keep_first(ticket: Ticket, answers: Answers) -> None:
    """What was told when ``ticket`` was raised. The line that raised it stands for it."""
    if told := {field: value for field, value in answers.items() if value}:
        _keep(ticket, told)


@transaction.atomic
def answer(ticket: Ticket, *, by: User, answers: Answers) -> TicketEvent | None:
    """Keep what changed among ``answers``, and write down which, not what.

    Raises TicketRefusal when the ticket is about something else meanwhile.
    """
    lock(ticket)
    if ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if any(field.category_id != ticket.category_id for field in answers):
        raise TicketRefusal(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    known = dict(ticket.field_values.values_list("field", "value"))
    changed = {field: new for field, new in answers.items() if new != known.get(field.pk, "")}
    if not changed:
        return None
    ticket.field_values.filter(field__in=[f for f, new in changed.items() if not new]).delete()
    _keep(ticket, {field: new for field, new in changed.items() if new})
    vars(ticket).pop("details", None)
    numbers = sorted(field.pk for field in changed)
    data = {"fields": numbers}
    return write(ticket, TicketEvent.Kind.FIELDS, by=by, audience=Audience.STAFF, data=data)


def complete(ticket: Ticket, *, by: User, answers: Answers) -> None:
    """Keep ``answers`` and make sure that nothing is missing that resolving ``ticket`` needs.

    Nothing is kept when something is: raises DetailsMissing. Inside a transaction, locked.
    """
    if "questions" in belongings_of(ticket):
        asked = [field for field in CategoryField.objects.of(ticket) if field.is_missing]
        if missing := [field for field in asked if not answers.get(field)]:
            raise DetailsMissing(missing)
    if answers:
        answer(ticket, by=by, answers=answers)


def tag(ticket: Ticket, names: list[str]) -> dict[str, list[int]]:
    """Give ``ticket`` these tags and no others: the numbers of those ``added`` and ``removed``.

    Inside a transaction, with the ticket locked.
    """
    Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
    # Held, so that none is taken away as unused meanwhile; in one order, against deadlocks.
    wanted = set(Tag.objects.select_for_update().filter(name__in=names).order_by("name"))
    worn = set(ticket.tags.all())
    ticket.tags.add(*wanted - worn)
    ticket.tags.remove(*worn - wanted)
    changes = {"added": wanted - worn, "removed": worn - wanted}
    return {how: sorted(tag.pk for tag in tags) for how, tags in changes.items() if tags}


def erase(ticket: Ticket) -> None:
    """Take the answers and tags off ``ticket``, and a word that no other ticket is tagged with
    out of the registry. Inside a transaction."""
    ticket.field_values.all().delete()
    worn = list(Tag.objects.select_for_update().filter(tickets=ticket).order_by("name"))
    ticket.tags.clear()
    unused = Tag.objects.filter(pk__in=[tag.pk for tag in worn], tickets=None)
    # A rule that lost the tag it looks for would act on every ticket.
    unused.exclude(pk__in=Rule.tags.through.objects.values("tag")).delete()

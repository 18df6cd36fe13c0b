"""Rules for tests, switched on as the console does it."""

from itertools import count

from tickets.automation import rules
from tickets.models import Rule, RuleRun, TicketEvent

_numbers = count(1)


def make_rule(trigger="raised", *, is_active=True, categories=(), tags=(), tell=(), **fields):
    """A rule that is switched on, and adds a note if nothing else is said."""
    actions = ("message", "assign_to", "set_priority", "set_category", "add_tags", "move_to")
    if not tell and not any(fields.get(name) for name in (*actions, "note", "tell_agent")):
        fields["note"] = "Look at this."
    fields.setdefault("name", f"Rule {next(_numbers)}")
    rule = Rule.objects.create(trigger=trigger, **fields)
    rule.categories.set(categories)
    rule.tags.set(tags)
    rule.tell.set(tell)
    if is_active:
        rules.switch(rule, on=True)
        rules.forget()  # in a test nothing is committed
    return rule


def runs(**of):
    """State and answer of each look, in the order in which they were owed."""
    found = RuleRun.objects.filter(**of).order_by("pk")
    return list(found.values_list("state", "answer"))


def lines_by(rule):
    """What ``rule`` wrote: the kinds of its lines, in their order."""
    lines = TicketEvent.objects.filter(data__by_rule=rule.pk).order_by("pk")
    assert {line.actor_id for line in lines} <= {None}
    return [line.kind for line in lines]

"""Rules that operators make: which looks at a ticket they owe, and what they would do with it.

What is owed stands in ``RuleRun``; ``messaging.ruling`` sees to it, as rules write messages too.
No line that a rule wrote sets a rule off, so none goes on for ever. ``docs/rules.md`` tells it to
operators.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.remembered import Remembered

from ..models import (
    TIMED,
    Audience,
    Category,
    Priority,
    Rule,
    RuleRun,
    Ticket,
    TicketEvent,
    Trigger,
)
from ..workflow import LIVE, Part, Status, next_statuses
from .conditions import Case, cases, holds

Kind = TicketEvent.Kind
State = RuleRun.State

BATCH = 200  # tickets a rule of time finds in one transaction


def is_named(category: Category) -> bool:
    """Whether a rule asks for ``category`` or sets it. Without it, it would act on others."""
    asked = Rule.categories.through.objects.filter(category=category)
    return asked.exists() or Rule.objects.filter(set_category=category).exists()


@transaction.atomic
def switch(rule: Rule, *, on: bool) -> None:
    """Let ``rule`` act from now on, or no more."""
    rule.is_active = on
    rule.looked_until = timezone.now() if on and rule.is_timed else None
    rule.save(update_fields=["is_active", "looked_until"])
    transaction.on_commit(lambda: forget(), robust=True)


# --- When: something happens ------------------------------------------------------


def _is_by_staff(event) -> bool:
    actor = event.actor
    return bool(actor and actor.role != Role.CUSTOMER and actor.pk != event.ticket.requester_id)


def _is_by_customer(event) -> bool:
    return bool(event.actor) and not _is_by_staff(event)


# The kinds of lines among which a trigger finds its causes, and which of those they are.
CAUSES = {
    Trigger.RAISED: ({Kind.RAISED}, None),
    Trigger.WROTE: ({Kind.MESSAGE}, _is_by_customer),
    Trigger.ANSWERED: (
        {Kind.MESSAGE, Kind.STATUS},
        lambda event: event.words_hash and _is_by_staff(event),
    ),
    Trigger.ASSIGNED: ({Kind.ASSIGNED}, lambda event: event.data["to"]),
    Trigger.MOVED: ({Kind.STATUS}, None),
    Trigger.CLASSIFIED: ({Kind.CLASSIFIED}, None),
    Trigger.RATED: ({Kind.RATED}, None),
    Trigger.MISSED: ({Kind.BREACHED}, None),
}


def sets_off(event: TicketEvent, trigger: str) -> bool:
    """Whether ``event`` is a cause for rules with this ``trigger``."""
    kinds, is_cause = CAUSES[trigger]
    if event.kind not in kinds or "by_rule" in event.data:
        return False
    return is_cause is None or bool(is_cause(event))


def _read_triggers() -> frozenset[str]:
    """What rules wait for: most lines set none off."""
    active = Rule.objects.filter(is_active=True).exclude(trigger__in=TIMED)
    return frozenset(active.order_by().values_list("trigger", flat=True))


_awaited = Remembered(_read_triggers)
forget = _awaited.forget  # one was changed


def owe(ticket: Ticket, event: TicketEvent) -> bool:
    """Write down the looks that ``event`` asks for, in the order of the rules; False if none.

    Inside the transaction of the line: both are kept, or neither.
    """
    triggers = [trigger for trigger in _awaited() if sets_off(event, trigger)]
    if not triggers:
        return False
    found = Rule.objects.filter(is_active=True, trigger__in=triggers)
    runs = [RuleRun(rule=rule, ticket=ticket, event=event, at=event.at) for rule in found]
    RuleRun.objects.bulk_create(runs, ignore_conflicts=True)
    return bool(runs)


# --- When: time passes -------------------------------------------------------------

SINCE = {Trigger.OLD: "created_at", Trigger.SILENT: "last_event_at"}


def look(now: datetime) -> None:
    """Write down the looks that rules of time owe up to ``now``."""
    for rule in _timed():
        while _look_on(rule, now):
            pass


def to_be_owed(now: datetime) -> Iterator[RuleRun]:
    """What ``look`` would write down."""
    for rule in _timed():
        yield from _runs_by_time(rule, now)


def _timed():
    return Rule.objects.filter(is_active=True, trigger__in=TIMED)


@transaction.atomic
def _look_on(rule, now) -> bool:
    """Go on from where ``rule`` has looked; False once that is ``now``. One scheduler at a time."""
    rule = Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    if not rule.is_active or not rule.is_timed:
        return False
    since = SINCE[rule.trigger]
    moments = _due_by_time(rule, now).values_list(since, flat=True)
    last = next(iter(moments[BATCH - 1 : BATCH]), None)
    until = last + rule.after if last else now
    RuleRun.objects.bulk_create(_runs_by_time(rule, until), ignore_conflicts=True)
    Rule.objects.filter(pk=rule.pk).update(looked_until=until)  # back, if the clock went back
    return last is not None


def _runs_by_time(rule, until) -> list[RuleRun]:
    since = SINCE[rule.trigger]
    return [
        RuleRun(rule=rule, ticket=ticket, at=getattr(ticket, since) + rule.after)
        for ticket in _due_by_time(rule, until)
    ]


def _due_by_time(rule, until):
    """The tickets whose moment came after ``rule`` has looked, the first one first."""
    since = SINCE[rule.trigger]
    window = {
        f"{since}__gt": rule.looked_until - rule.after,
        f"{since}__lte": until - rule.after,
    }
    return Ticket.objects.live().filter(**window).order_by(since, "pk")


def _is_still_so(run) -> bool:
    """Whether the cause of ``run`` is one: the rule or the ticket may have changed since."""
    rule, ticket = run.rule, run.ticket
    if not rule.is_timed:
        return bool(run.event) and sets_off(run.event, rule.trigger)
    if run.event or ticket.status not in LIVE:
        return False
    return rule.trigger == Trigger.OLD or _is_silent(run)


def _is_silent(run) -> bool:
    """Nothing happened since, and this is the first act of the rule in this silence, which ends
    only when somebody says or does something: not by what the registry itself writes."""
    ticket = run.ticket
    if ticket.last_event_at + run.rule.after > run.at:
        return False
    acts = ticket.rule_runs.filter(rule=run.rule, state=State.DONE).order_by("-pk")
    acted_at = acts.values_list("done_at", flat=True).first()
    if acted_at is None:
        return True
    by_people = ticket.events.filter(actor__isnull=False, audience=Audience.EVERYONE)
    return by_people.order_by("-number").values_list("at", flat=True).first() > acted_at


# --- Then --------------------------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """A verb of ``messaging.ruling``, and what comes of it in words."""

    verb: str
    words: str


def deeds_for(run: RuleRun) -> list[Deed]:
    """What ``run`` has to do with its ticket as it stands now; nothing if the rule does not apply
    or everything is so already."""
    rule, ticket = run.rule, run.ticket
    is_present = ticket.deleted_at is None and ticket.merged_into_id is None
    if not (rule.is_active and is_present and _is_still_so(run)):
        return []
    [case] = cases([(ticket, run.event)])
    return plan(rule, case) if holds(rule, case) else []


def plan(rule: Rule, case: Case) -> list[Deed]:
    """What is left to do, in the order in which it is done. A person comes before the ticket, as
    in ``actions.assign``."""
    ticket = case.ticket
    resolves = rule.move_to == Status.RESOLVED  # the message is what is said with it
    deeds = [
        rule.assign_to_id not in (None, ticket.assignee_id)
        and Deed("assign", _("agent: %(name)s") % {"name": rule.assign_to}),
        (changes := _changes(rule, case)) and Deed("classify", "; ".join(changes)),
        rule.note and Deed("note", _("an internal note")),
        rule.message and not resolves and Deed("message", _("a message to the customer")),
        rule.move_to not in ("", ticket.status) and Deed("move", _move_words(rule, ticket)),
        (rule.tell_agent or rule.tell.all()) and Deed("tell", _("a mail to colleagues")),
    ]
    return [deed for deed in deeds if deed]


def _changes(rule, case) -> list[str]:
    ticket = case.ticket
    changes = []
    if rule.set_priority not in ("", ticket.priority):
        priority = Priority(rule.set_priority).label
        changes.append(_("priority: %(priority)s") % {"priority": priority})
    if rule.set_category_id not in (None, ticket.category_id):
        changes.append(_("category: %(category)s") % {"category": rule.set_category})
    if new := [name for name in rule.tags_to_add if name not in {tag.name for tag in case.tags}]:
        changes.append(_("tags: %(tags)s") % {"tags": ", ".join(new)})
    return changes


def _move_words(rule, ticket) -> str:
    """With the reason if the workflow will refuse it. A new ticket is opened by assigning it."""
    is_opened = ticket.status == Status.NEW and rule.assign_to_id
    before = Status.OPEN if is_opened else Status(ticket.status)
    to = Status(rule.move_to)
    words = _("status: %(status)s") % {"status": to.label}
    if to == before or to in next_statuses(before, Part.RULE):
        return words
    return _("%(move)s (refused from %(before)s)") % {"move": words, "before": before.label}

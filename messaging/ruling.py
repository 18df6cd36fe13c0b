"""What rules that operators made do to tickets, and the trace of it.

A look is owed as a row; each is seen to once, in a transaction of its own, whatever the number of
workers. What a rule does is kept whole or not at all, with the reason if not.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import actions
from tickets.automation import clockwork, rules
from tickets.automation.rules import Deed
from tickets.history import lock
from tickets.models import Rule, RuleRun
from tickets.relations.links import lock_to_end
from tickets.signals import rule_tells
from tickets.workflow import ResolutionKind, Status, TicketRefusal

from . import budgets
from .actions import post_message, post_note
from .thread import reads_notes

log = logging.getLogger(__name__)
State = RuleRun.State

BATCH = 100
LONGEST_RUN = 45  # seconds of the job; the rest is for the next minute
TRIED_AGAIN_AFTER = [timedelta(minutes=n) for n in (1, 10, 60, 360)]


def tick() -> int:
    """The job of each minute, and of each bell. What goes by the clock waits while the clock has
    jumped, as in ``clockwork``."""
    now = timezone.now()
    if clockwork.is_steady(now):
        rules.look(now)
    return _settle(LONGEST_RUN)


def run() -> int:
    """See to everything, whatever the clock did before; how often a rule was seen to."""
    rules.look(timezone.now())
    return _settle()


def would_do() -> Iterator[tuple[RuleRun, list[Deed]]]:
    """What ``run`` would do now, each look for itself. Writes nothing."""
    now = timezone.now()
    owed = RuleRun.objects.filter(state=State.OWED, not_before__lte=now).order_by("pk")
    for look in (*owed.select_related("rule", "ticket", "event"), *rules.to_be_owed(now)):
        if deeds := rules.deeds_for(look):
            yield look, deeds


def in_words(deeds: list[Deed]) -> str:
    return "; ".join(deed.words for deed in deeds)


# --- Once -------------------------------------------------------------------------


def _settle(seconds: float | None = None) -> int:
    started = time.monotonic()
    settled = 0
    while pks := list(RuleRun.objects.owed().values_list("pk", flat=True)[:BATCH]):
        count = sum(_see_to(pk) for pk in pks)
        settled += count
        if not count or (seconds and time.monotonic() - started > seconds):
            break
    return settled


def _see_to(pk) -> bool:
    """Act, and write down what came of it; False if somebody else has it."""
    try:
        return _act_or_refuse(pk)
    except OperationalError:
        raise  # the database's own trouble: it is tried again
    except Exception:  # whatever it is, and if it only shows at the end: the others go on
        log.exception("Act %s of a rule could not be done.", pk)
        return _fail(pk)


def _fail(pk) -> bool:
    """Nobody knows why, so it is tried again, each time after longer, and then no more."""
    run = RuleRun.objects.filter(pk=pk, state=State.OWED).first()
    if run is None:
        return False
    now = timezone.now()
    failed = {
        "tries": run.tries + 1,
        "answer": _("It could not be done. The worker’s log says why."),
    }
    if run.tries < len(TRIED_AGAIN_AFTER):
        failed["not_before"] = now + TRIED_AGAIN_AFTER[run.tries]
    else:
        failed |= {"state": State.FAILED, "done_at": now}
    same = RuleRun.objects.filter(pk=pk, state=State.OWED, tries=run.tries)
    return bool(same.update(**failed))


@transaction.atomic
def _act_or_refuse(pk) -> bool:
    """What does not apply leaves no trace."""
    skip = connection.features.has_select_for_update_skip_locked
    owed = RuleRun.objects.filter(pk=pk, state=State.OWED)
    locked = owed.select_for_update(of=("self",), skip_locked=skip)
    run = locked.select_related("rule", "ticket", "event__actor").first()
    if run is None:
        return False
    try:
        with transaction.atomic():
            run.state, run.answer = State.DONE, _act(run)
    except TicketRefusal as refusal:
        run.state, run.answer = State.FAILED, str(refusal)
    if run.answer:
        run.done_at = timezone.now()
        run.save()
    else:
        run.delete()
    return True


def _act(run) -> str:
    """What was done, in words; empty if there was nothing to do."""
    if run.rule.assign_to_id:  # the person comes before the ticket, as in ``actions.assign``
        User.objects.select_for_update(no_key=True).get(pk=run.rule.assign_to_id)
    if run.rule.move_to == Status.RESOLVED:
        lock_to_end(run.ticket)
    else:
        lock(run.ticket)
    deeds = rules.deeds_for(run)
    if any(_is_answer(deed, run) for deed in deeds) and budgets.is_spent(run.event):
        deeds = [_stopped(run) if _is_answer(deed, run) else deed for deed in deeds]
    for deed in deeds:
        VERBS[deed.verb](run.rule, run)
    return in_words(deeds)


def _is_answer(deed, run) -> bool:
    """Whether it writes to a customer because of what they wrote or did."""
    resolves = deed.verb == "move" and run.rule.move_to == Status.RESOLVED
    is_said = resolves or deed.verb == "message"
    return bool(is_said and run.event and budgets.is_by_customer(run.event))


def _stopped(run) -> Deed:
    words = _("no message: %(name)s was answered often enough") % {"name": run.event.actor}
    return Deed("stop", words)


# --- What -------------------------------------------------------------------------


def _assign(rule, run):
    actions.assign(run.ticket, to=rule.assign_to, by=None, rule=rule)


def _classify(rule, run):
    ticket = run.ticket
    actions.classify(
        ticket,
        by=None,
        rule=rule,
        priority=rule.set_priority or ticket.priority,
        category=rule.set_category or ticket.category,
        tags=[tag.name for tag in ticket.tags.all()] + rule.tags_to_add,
    )


def _write_note(rule, run):
    post_note(run.ticket, by=None, body=rule.note, rule=rule)


def _write(rule, run):
    post_message(run.ticket, by=None, body=rule.message, rule=rule)


def _stop(rule, run):
    most = settings.AUTOMATIC_ANSWERS_PER_HOUR
    budgets.stop(run.ticket, person=run.event.actor, most=most)


def _move(rule, run):
    """The message stands on its own, but for the words of a resolution."""
    solved = {"text": rule.message, "resolution": ResolutionKind.OTHER}
    more = solved if rule.move_to == Status.RESOLVED else {}
    actions.change_status(run.ticket, Status(rule.move_to), by=None, rule=rule, **more)


def _tell(rule, run):
    """Whoever works on it, or could; its requester is not among them, whatever their role."""
    people = set(rule.tell.all())
    if rule.tell_agent and run.ticket.assignee:
        people.add(run.ticket.assignee)
    told = [person for person in people if reads_notes(run.ticket.part_of(person))]
    rule_tells.send(sender=Rule, run=run, people=told)


VERBS = {
    "assign": _assign,
    "classify": _classify,
    "note": _write_note,
    "message": _write,
    "stop": _stop,
    "move": _move,
    "tell": _tell,
}

"""What a regulated complaint says of itself: its steps with their days, and its lines."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ..models import ComplaintCase, EscalationLevel, Stage, Ticket
from ..wording import day
from .complaints import case_of


@dataclass(frozen=True)
class Step:
    """One stage of a complaint. For some the law sets a day, ``due_on``, which ends at ``due_at``
    where the calendar is."""

    name: Promise
    done_at: datetime | None
    due_at: datetime | None = None
    due_on: date | None = None

    @property
    def left(self) -> timedelta:
        return self.due_at - timezone.now()

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at < (self.done_at or timezone.now())


def steps_of(case: ComplaintCase) -> list[Step]:
    """From the first to the last. One that was left out on the way does not appear."""
    acknowledge, respond = case.acknowledge_by, case.respond_by
    due = ((acknowledge, case.day_of(acknowledge)), (respond, case.day_of(respond)))
    steps = [
        Step(Stage.RECEIVED.label, case.received_at),
        Step(Stage.ACKNOWLEDGED.label, case.acknowledged_at, *due[0]),
        Step(Stage.INVESTIGATING.label, case.investigating_at),
        Step(Stage.RESPONDED.label, case.responded_at, *due[1]),
    ]
    return [step for step in steps if step.done_at or not case.responded_at]


def procedure_of(ticket: Ticket) -> dict:
    """What pages show of the case of ``ticket``, if it has one."""
    case = case_of(ticket)
    return {"case": case, "case_steps": steps_of(case) if case else []}


def stage_words(line) -> str:
    """A step of the complaint, for both sides."""
    days = {
        name: day(date.fromisoformat(line.data[name]))
        for name in ("acknowledge_by", "respond_by")
        if name in line.data
    }
    return _STAGED[line.data["stage"]] % {"name": line.actor, **days}


def level_words(line) -> str:
    return str(_ESCALATED[line.data["to"]]) % {"name": line.actor}


_STAGED = {
    None: gettext_lazy("The days that the law sets for complaints do not apply here any more."),
    Stage.RECEIVED: gettext_lazy(
        "The law sets days for this complaint: acknowledged by %(acknowledge_by)s, final response "
        "by %(respond_by)s."
    ),
    Stage.ACKNOWLEDGED: gettext_lazy("%(name)s acknowledged the complaint."),
    Stage.INVESTIGATING: gettext_lazy("%(name)s is investigating the complaint."),
    Stage.RESPONDED: gettext_lazy("%(name)s gave the final response, which is also a letter."),
}
_ESCALATED = {
    EscalationLevel.TEAM: gettext_lazy("%(name)s gave the complaint back to the team."),
    EscalationLevel.MANAGEMENT: gettext_lazy("%(name)s took the complaint to the management."),
    EscalationLevel.EXTERNAL: gettext_lazy(
        "%(name)s noted that somebody outside the company decides on the complaint."
    ),
}

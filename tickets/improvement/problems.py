"""D0-27: one cause behind many complaints, and the word to their customers once it is mended.

Whoever locks a problem and a ticket locks the problem first.
"""

import logging
import uuid

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.bells import ring
from accounts.models import User

from ..history import lock, write
from ..models import Audience, Problem, Ticket, TicketEvent
from ..signals import problem_mended
from ..wording import desk_day
from ..workflow import HANDLERS, Status, TicketRefusal

log = logging.getLogger(__name__)
Kind = TicketEvent.Kind

TELL = "tickets.tasks.tell_of_mended_problems"
BATCH = 25  # tickets to a transaction


# --- Which tickets have it ----------------------------------------------------


@transaction.atomic
def open_problem(ticket: Ticket, *, by: User, **facts) -> Problem:
    """Write down the problem behind ``ticket``. ``facts`` are what ``ProblemForm`` asks.

    Raises TicketRefusal when the ticket has one, which it has after the first of two clicks.
    """
    lock(ticket)  # before the problem, which nobody else knows yet
    _refuse_unless_handled(ticket, by, "tickets.add_problem")
    if ticket.problem_id:
        raise TicketRefusal(_("%(ticket)s belongs to a problem already.") % {"ticket": ticket})
    problem = Problem.objects.create(created_by=by, **facts)
    _set_problem(ticket, problem, by)
    return problem


@transaction.atomic
def link(ticket: Ticket, problem: Problem, *, by: User) -> None:
    """``ticket`` comes from ``problem``, which is not mended yet, or TicketRefusal."""
    problem = Problem.objects.select_for_update(no_key=True).get(pk=problem.pk)
    lock(ticket)
    _refuse_unless_handled(ticket, by, "tickets.change_problem")
    if problem.is_mended:
        raise TicketRefusal(_("“%(problem)s” has been mended.") % {"problem": problem})
    if ticket.problem_id != problem.pk:
        _set_problem(ticket, problem, by)


@transaction.atomic
def unlink(ticket: Ticket, *, by: User) -> None:
    """``ticket`` has nothing to do with its problem."""
    lock(ticket)
    _refuse_unless_handled(ticket, by, "tickets.change_problem")
    if ticket.problem_id:
        _set_problem(ticket, None, by)


def _refuse_unless_handled(ticket, by, verb):
    if ticket.part_of(by) not in HANDLERS or not by.has_perm(verb):
        raise PermissionDenied


def _set_problem(ticket, problem, by):
    data = {"from": ticket.problem_id, "to": problem and problem.pk}
    write(ticket, Kind.PROBLEM, by=by, audience=Audience.STAFF, data=data, problem=problem)


@transaction.atomic
def change(problem: Problem, *, by: User, **facts) -> None:
    """Set what ``ProblemForm`` asks, and nothing else: it may be mended at this moment."""
    if not by.has_perm("tickets.change_problem"):
        raise PermissionDenied
    Problem.objects.filter(pk=problem.pk).update(**facts)


def hand_on(person: User, *, to: User) -> None:
    """``person`` leaves: ``to`` sees to what they had open, and the note says since when. Names
    nobody, as the note outlasts accounts. Inside a transaction."""
    words = _("Handed on when whoever saw to it left, on %(day)s.") % {
        "day": date_format(desk_day(), "j F Y")
    }
    for problem in Problem.objects.filter(owner=person, mended_at=None).order_by("pk"):
        note = f"{problem.team_note}\n\n{words}".strip()
        Problem.objects.filter(pk=problem.pk).update(owner=to, team_note=note)


def tickets_for(user: User, problem: Problem) -> models.QuerySet[Ticket]:
    """Those ``user`` works with. Whoever raised one reads on its own page what they may know."""
    return Ticket.objects.visible_to(user).filter(problem=problem).exclude(requester=user)


# --- Mended -------------------------------------------------------------------


@transaction.atomic
def mend(problem: Problem, *, by: User, text: str) -> None:
    """The cause is gone. The worker tells the customers ``text``. Raises TicketRefusal."""
    if not by.has_perm("tickets.mend_problem"):
        raise PermissionDenied
    now = timezone.now()
    still_open = Problem.objects.filter(pk=problem.pk, mended_at=None)
    if not still_open.update(mended_at=now, mended_by=by, mended_text=text):
        raise TicketRefusal(_("“%(problem)s” has been mended.") % {"problem": problem})
    ring(TELL)


@transaction.atomic
def reopen(problem: Problem, *, by: User) -> None:
    """It was not mended after all. Who has not been told is not; the next time all are."""
    if not by.has_perm("tickets.mend_problem"):
        raise PermissionDenied
    Problem.objects.filter(pk=problem.pk).update(
        mended_at=None, mended_by=None, mended_text="", told_at=None
    )


def to_be_told(problem: Problem | int) -> models.QuerySet[Ticket]:
    """Where customers hear that ``problem`` is mended, also when the ticket has ended: of one that
    was merged, where it goes on."""
    lines = TicketEvent.objects.filter(ticket=OuterRef("pk"))
    emptied = lines.filter(kind=Kind.ERASED, data__of__isnull=True)
    have_it = Ticket.objects.filter(problem=problem).order_by()
    going_on = have_it.values(home=Coalesce("merged_into", "pk"))
    present = Ticket.objects.filter(pk__in=going_on, deleted_at=None)
    return present.exclude(status=Status.WITHDRAWN).filter(~Exists(emptied))


def told_together(event: TicketEvent) -> models.QuerySet[Ticket]:
    """All tickets about which the one mail of ``event`` speaks to its customer."""
    problem, requester = event.data["problem"], event.ticket.requester_id
    return to_be_told(problem).filter(requester=requester).order_by("pk")


def tell() -> int:
    """Tell the customers of what is mended, and say on how many tickets.

    Safe to run at any time, by any number of workers, and to be killed: what has its line is done.
    """
    return sum(map(_tell_of, list(_untold().values_list("pk", flat=True))))


def _untold():
    mended = Problem.objects.filter(mended_at__isnull=False, told_at=None)
    return mended.order_by("mended_at")


def _tell_of(pk) -> int:
    told = after = 0
    while batch := _tell_next(pk, after):
        told += sum(batch.values())
        after = max(batch)
    return told


@transaction.atomic
def _tell_next(pk, after) -> dict[int, bool]:
    """Whether it worked for each of the next tickets. None are left when all know, or while
    another worker is at it."""
    problem = _untold().select_for_update(skip_locked=True, no_key=True).filter(pk=pk).first()
    if problem is None:
        return {}
    key = uuid.uuid5(uuid.NAMESPACE_OID, f"problem {pk} {problem.mended_at.isoformat()}")
    told = TicketEvent.objects.filter(ticket=OuterRef("pk"), key=key)
    waiting = to_be_told(problem).filter(~Exists(told)).order_by("pk").select_related("requester")
    # What somebody writes to at this moment is for the next run.
    free = waiting.filter(pk__gt=after).select_for_update(skip_locked=True, of=("self",))
    batch = {ticket.pk: _told(ticket, problem, key) for ticket in free[:BATCH]}
    if not batch and not waiting.exists():
        Problem.objects.filter(pk=pk).update(told_at=timezone.now())
    return batch


def _told(ticket, problem, key) -> bool:
    try:
        with transaction.atomic():
            text, data = problem.mended_text, {"problem": problem.pk}
            event = write(ticket, Kind.MENDED, by=None, data=data, text=text, key=key)
            problem_mended.send(sender=Ticket, ticket=ticket, event=event)
    except Exception:  # whatever it is, the others are told
        log.exception("The customer of %s could not be told that it is mended.", ticket)
        return False
    return True

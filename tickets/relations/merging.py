"""Two tickets about the same thing, made one. ``docs/links.md`` tells it to operators.

A merge is a pointer: lines never move, and nothing else of the merged ticket changes, so that
undoing it gives back what was. A pointer leads to where the conversation is, never to a ticket
that was merged itself: what was merged into a ticket comes along with it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Standing, User

from ..actions import release
from ..automation.timing import MOMENTS
from ..history import lock_all, write
from ..models import Participant, Ticket, TicketEvent
from ..promise import sla
from ..promise.promises import SILENCES
from ..signals import tickets_rejoined
from ..workflow import ENDED, HANDLERS, MergedAway, TicketRefusal

Kind = TicketEvent.Kind

# Names of what ``tickets.automation.timing`` waits for.
PROMISES = {"answer_at_risk", "answer_missed", "solution_at_risk", "solution_missed"}
ENDS_OF_SILENCE = {"waiting_reminder", "waiting_over", "closing_reminder", "closing"}


@transaction.atomic
def merge(ticket: Ticket, *, into: Ticket, by: User) -> TicketEvent:
    """Let the conversation of ``ticket`` go on in ``into``. Whoever works on both may.

    Raises TicketRefusal when the two are of different customers, when somebody takes part in one
    of them only and would read what was said in the other, or when one goes on elsewhere.
    """
    lock_all(ticket, into, *ticket.merged.all())
    if not by.has_perm("tickets.link_ticket"):
        raise PermissionDenied
    if not {ticket.part_of(by), into.part_of(by)} <= HANDLERS:
        raise PermissionDenied
    return join(ticket, into, by=by)


def join(ticket: Ticket, into: Ticket, *, by: User) -> TicketEvent:
    """``merge`` for whoever may; inside a transaction."""
    along = list(ticket.merged.all())
    lock_all(ticket, into, *along)
    _refuse_to_merge(ticket, into)
    if set(ticket.merged.all()) != set(along):
        raise TicketRefusal(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    data = {"from": ticket.pk, "to": into.pk}
    write(ticket, Kind.MERGED, by=by, data=data, merged_into=into)
    ticket.merged.update(merged_into=into)
    event = write(into, Kind.MERGED, by=by, data=data)
    tickets_rejoined.send(sender=Ticket, ticket=into, event=event)
    return event


def _refuse_to_merge(ticket, into):
    names = {"ticket": ticket, "into": into}
    if ticket == into:
        raise TicketRefusal(_("A ticket can’t be merged into itself."))
    for each in (ticket, into):
        if each.merged_into_id:
            raise MergedAway(each)
    if ticket.requester_id != into.requester_id:
        raise TicketRefusal(_("%(ticket)s and %(into)s are of different customers.") % names)
    if into.status in ENDED and ticket.status not in ENDED:  # nobody could write there
        words = _("%(into)s has ended. Open it again first, or merge it into %(ticket)s.")
        raise TicketRefusal(words % names)
    if ticket.legal_due_at:  # the clock would lose sight of it
        words = _("%(ticket)s is a regulated complaint. Answer it, or merge the other into it.")
        raise TicketRefusal(words % names)
    both = Participant.objects.filter(ticket__in=[ticket, into]).select_related("person")
    people = {each.person for each in both}
    alone = [person for person in people if sum(each.person == person for each in both) == 1]
    if alone:
        names["people"] = ", ".join(sorted(map(str, alone)))
        words = _("Only one of %(ticket)s and %(into)s has as participant: %(people)s.")
        raise TicketRefusal(words % names)


@transaction.atomic
def unmerge(ticket: Ticket, *, by: User) -> TicketEvent:
    """Give ``ticket`` back as it was, with what had come along. Whoever works on where it went
    may. What would have come meanwhile counts from now, as after a hold.

    Raises TicketRefusal when it is on its own, or its customer’s account was erased.
    """
    survivor = ticket.merged_into
    if survivor is None:
        raise TicketRefusal(_("%(ticket)s is not merged into another.") % {"ticket": ticket})
    along = _came_along(ticket)
    lock_all(ticket, survivor, *along)
    if not by.has_perm("tickets.link_ticket") or ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if ticket.merged_into_id != survivor.pk or _came_along(ticket) != along:
        raise TicketRefusal(_("%(ticket)s was changed by someone else.") % {"ticket": ticket})
    if ticket.requester.standing == Standing.ERASED:
        raise TicketRefusal(_("The account of its customer was erased."))
    data = {"from": ticket.pk, "to": survivor.pk}
    anew = _counted_anew(ticket, timezone.now())
    event = write(ticket, Kind.UNMERGED, by=by, data=data, merged_into=None, **anew)
    Ticket.objects.filter(pk__in=[each.pk for each in along]).update(merged_into=ticket)
    write(survivor, Kind.UNMERGED, by=by, data=data)
    if ticket.is_live:
        release(ticket, by=by)  # its agent may have left meanwhile
    tickets_rejoined.send(sender=Ticket, ticket=ticket, event=event)
    return event


def _counted_anew(ticket, now) -> dict:
    """As ``write`` takes it: nothing is missed, closed or alarmed about at once because the clock
    saw nothing of ``ticket`` while it went on elsewhere. The end of a hold stays the day it is."""
    passed = {
        name
        for name, moment in MOMENTS.items()
        if (at := moment(ticket)) and ticket.clocked_until < at <= now
    }
    changes = {"pooled_at": now} if "unassigned" in passed else {}
    if passed & PROMISES:
        merges = ticket.events.filter(kind=Kind.MERGED, data__from=ticket.pk)
        merged_at = merges.order_by("-number").values_list("at", flat=True)[0]
        for field, value in sla.paused(ticket, merged_at).items():
            setattr(ticket, field, value)
        changes |= sla.resumed(ticket, now)
    if passed & ENDS_OF_SILENCE:
        changes["due_at"] = SILENCES[ticket.status](now)
    return changes


def _came_along(ticket) -> list[Ticket]:
    """What had been merged into ``ticket`` when it was merged itself: their own lines say so."""
    merges = TicketEvent.objects.filter(
        kind=Kind.MERGED, ticket__in=Ticket.objects.filter(merged_into=ticket.merged_into_id)
    )
    told = merges.order_by("number").values_list("ticket", "data")
    led_to = {pk: data["to"] for pk, data in told if data["from"] == pk}  # the last one counts
    along, found = set(), {ticket.pk}
    while found := {pk for pk, to in led_to.items() if to in found}:
        along |= found
    return list(Ticket.objects.filter(pk__in=along).order_by("pk"))

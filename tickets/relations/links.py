"""Which tickets belong together: related ones, parts that a ticket waits for, where one came from.

What belongs together stays apart: each ticket keeps its people and its history. Only the line of
each end tells of the link, and staff alone read those.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User

from ..belongings import LINKED, belongings_of
from ..history import lock, lock_all, write
from ..models import Audience, LinkKind, Ticket, TicketEvent, TicketLink
from ..signals import children_done
from ..workflow import HANDLERS, LIVE, Part, TicketRefusal, TransitionRefused

Kind = TicketEvent.Kind

MADE_BY_HAND = (LinkKind.RELATED, LinkKind.CHILD)
OPEN_TO_CUSTOMERS = (LinkKind.SPLIT, LinkKind.FOLLOW_UP)
PARTS_NAMED = 5
SHOWN = 50

# What the other ticket is, read from ``TicketLink.other``; read from ``ticket`` it is the label.
SEEN_FROM_THE_OTHER = {
    LinkKind.RELATED: LinkKind.RELATED.label,
    LinkKind.CHILD: gettext_lazy("Has as a part"),
    LinkKind.SPLIT: gettext_lazy("Split into"),
    LinkKind.FOLLOW_UP: gettext_lazy("Followed up by"),
}


# --- Making and removing ------------------------------------------------------


@transaction.atomic
def link(ticket: Ticket, *, to: Ticket, kind: LinkKind, by: User) -> TicketLink:
    """Say that ``ticket`` is related to ``to``, or part of it.

    Whoever works on ``ticket`` may, with any ticket that staff may see. Raises TicketRefusal for
    what is linked already, and for parts of parts: a ticket has one parent or parts, never both.
    """
    lock_all(ticket, to)
    if not by.has_perm("tickets.link_ticket") or ticket.part_of(by) not in HANDLERS:
        raise PermissionDenied
    if not may_be_linked(to, by):
        raise PermissionDenied
    if ticket == to:
        raise TicketRefusal(_("A ticket can’t be linked to itself."))
    if TicketLink.objects.filter(Q(ticket=ticket, other=to) | Q(ticket=to, other=ticket)).exists():
        raise TicketRefusal(
            _("%(ticket)s and %(other)s are linked already.") % {"ticket": ticket, "other": to}
        )
    if kind == LinkKind.CHILD:
        _refuse_parts_of_parts(ticket, to)
    made = TicketLink.objects.create(ticket=ticket, other=to, kind=kind, made_by=by)
    _tell_both(Kind.LINKED, made, by)
    return made


def may_be_linked(ticket: Ticket, user: User) -> bool:
    """Whether ``user`` sees ``ticket``, and not as its customer."""
    return ticket.part_of(user) not in (None, Part.REQUESTER, Part.PARTICIPANT)


def _refuse_parts_of_parts(ticket, parent):
    parts = TicketLink.objects.filter(kind=LinkKind.CHILD).select_related("other")
    for child in (ticket, parent):
        if above := parts.filter(ticket=child).first():
            names = {"ticket": child, "parent": above.other}
            raise TicketRefusal(_("%(ticket)s is part of %(parent)s already.") % names)
    if parts.filter(other=ticket).exists():
        raise TicketRefusal(_("%(ticket)s has parts of its own.") % {"ticket": ticket})


def _tell_both(kind, link, by):
    data = {"link": link.kind, "from": link.ticket_id, "to": link.other_id}
    for ticket in (link.ticket, link.other):
        write(ticket, kind, by=by, audience=Audience.STAFF, data=data)


@transaction.atomic
def unlink(link: TicketLink, *, by: User) -> None:
    """Remove a link that was made by hand. Whoever works on one of its tickets may."""
    lock_all(link.ticket, link.other)
    works_on_it = {link.ticket.part_of(by), link.other.part_of(by)} & HANDLERS
    if not by.has_perm("tickets.link_ticket") or not works_on_it:
        raise PermissionDenied
    gone, _rows = TicketLink.objects.filter(pk=link.pk, kind__in=MADE_BY_HAND).delete()
    if not gone:
        raise TicketRefusal(_("This link was removed already, or is there to stay."))
    _tell_both(Kind.UNLINKED, link, by)


def ended_ticket_of(requester: User, reference: str) -> Ticket | None:
    """The ticket that ``requester`` raises again; None if ``reference`` is no such. It comes from
    the browser, so what is not theirs is as good as nothing."""
    if not reference:
        return None
    theirs = Ticket.objects.present().filter(requester=requester, reference=reference)
    return theirs.exclude(status__in=LIVE).first()


def follow_up(ticket: Ticket, *, old: Ticket, by: User) -> None:
    """Keep that ``ticket`` was raised because of ``old``. Inside a transaction, both locked."""
    link = TicketLink.objects.create(ticket=ticket, other=old, kind=LinkKind.FOLLOW_UP, made_by=by)
    _tell_both(Kind.LINKED, link, by)


# --- Parts --------------------------------------------------------------------


def lock_to_end(ticket: Ticket) -> None:
    """``lock`` a ticket that is going to end, with the parents that hear of it: all in one order,
    as who merges them does."""
    parents = _parents_of(ticket) if belongings_of(ticket) & LINKED else ()
    lock_all(ticket, *parents)


def live_parts(ticket: Ticket):
    """What ``ticket`` waits for: its live parts. For one that was merged it waits where that
    goes on."""
    parts = TicketLink.objects.filter(
        kind=LinkKind.CHILD, other__in=Ticket.objects.going_on_in(ticket)
    )
    at_home = parts.values(at_home=Coalesce("ticket__merged_into", "ticket"))
    return Ticket.objects.live().filter(pk__in=at_home).exclude(pk=ticket.pk)


def refuse_before_parts(ticket: Ticket) -> None:
    """Raises TransitionRefused as long as ``ticket`` waits for its parts."""
    if not belongings_of(ticket) & LINKED:
        return
    names = live_parts(ticket).order_by("pk").values_list("reference", flat=True)
    found = list(names[: PARTS_NAMED + 1])
    if not found:
        return
    shown = ", ".join(found[:PARTS_NAMED])
    words = _("%(ticket)s waits for its parts: %(parts)s.")
    if len(found) > PARTS_NAMED:
        words = _("%(ticket)s waits for its parts: %(parts)s and more.")
    raise TransitionRefused(words % {"ticket": ticket, "parts": shown})


def tell_the_parents_of(ticket: Ticket) -> None:
    """``ticket`` has ended: parents that wait for nothing more hear of it."""
    if not belongings_of(ticket) & LINKED:
        return
    for parent in _parents_of(ticket):
        lock(parent)  # locked already, but for one that became a parent at this moment
        # Asked under the lock: of two parts that end together the second finds both ended.
        if parent.is_live and not live_parts(parent).exists():
            data = {"part": ticket.pk}
            event = write(parent, Kind.CHILDREN, by=None, audience=Audience.STAFF, data=data)
            children_done.send(sender=Ticket, ticket=parent, event=event)


def _parents_of(ticket):
    links = TicketLink.objects.filter(
        kind=LinkKind.CHILD, ticket__in=Ticket.objects.going_on_in(ticket)
    )
    at_home = links.values(at_home=Coalesce("other__merged_into", "other"))
    parents = Ticket.objects.live().filter(pk__in=at_home).exclude(pk=ticket.pk)
    return parents.order_by("pk")


# --- Shown --------------------------------------------------------------------


@dataclass(frozen=True)
class Linked:
    """One link of a ticket as a reader meets it."""

    link: TicketLink
    other: Ticket
    words: str
    is_seen: bool  # whether the reader may open the other

    @property
    def is_removable(self) -> bool:
        return self.link.kind in MADE_BY_HAND

    @property
    def is_split_off(self) -> bool:
        return self.link.kind == LinkKind.SPLIT and self.other == self.link.ticket


def links_of(ticket: Ticket, reader: User) -> list[Linked]:
    """What ``ticket``, and what was merged into it, is linked to. Of a ticket that ``reader`` may
    not see they learn its number and state, as from the lines."""
    ends = _ends(ticket, at(ticket))
    homes = {_home(other) for _link, other in ends}
    visible = Ticket.objects.visible_to(reader).filter(pk__in=homes)
    seen = set(visible.values_list("pk", flat=True)) if homes else set()
    return [Linked(link, other, _words(link, other), _home(other) in seen) for link, other in ends]


def links_for_requester(ticket: Ticket) -> list[Linked]:
    """Where a ticket of theirs came from, and what came of it."""
    theirs = at(ticket).filter(
        kind__in=OPEN_TO_CUSTOMERS,
        ticket__requester=ticket.requester_id,
        other__requester=ticket.requester_id,
        ticket__deleted_at=None,
        other__deleted_at=None,
    )
    return [Linked(link, other, _words(link, other), True) for link, other in _ends(ticket, theirs)]


def at(ticket: Ticket):
    """The links of ``ticket`` and of what was merged into it."""
    here = Ticket.objects.going_on_in(ticket).values("pk")
    return TicketLink.objects.filter(Q(ticket__in=here) | Q(other__in=here))


def _ends(ticket, links) -> list[tuple[TicketLink, Ticket]]:
    """Those ``links`` in their order, each with the ticket it leads to from ``ticket``."""
    found = links.select_related("ticket__merged_into", "other__merged_into")
    found = found.order_by("pk")[:SHOWN]
    return [
        (link, link.other if _home(link.ticket) == _home(ticket) else link.ticket)
        for link in found
        if _home(link.ticket) != _home(link.other)
    ]


def _home(ticket) -> int:
    """The key of where its conversation is."""
    return ticket.merged_into_id or ticket.pk


def _words(link, other) -> str:
    kind = LinkKind(link.kind)
    return str(kind.label if other == link.other else SEEN_FROM_THE_OTHER[kind])

"""The history as an administrator reads it."""

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.deadlines import moved_words
from tickets.models import Audience, Priority, TicketEvent
from tickets.routing import Rule
from tickets.timing import MOMENTS
from tickets.workflow import Status

Kind = TicketEvent.Kind


def readable_by(user, way=""):
    """What keeps the internal lines of ``user``'s own complaints from them.

    ``way`` leads from the filtered model to its line, like ``event__``.
    """
    return ~Q(**{f"{way}audience": Audience.STAFF, f"{way}ticket__requester": user})


def told(lines) -> list[dict]:
    """Each of ``lines`` with what happened in words."""
    agents = _agents_named_in(lines)
    return [
        {
            "line": line,
            "what": _what(line, agents) + _in_time(line),
            "is_internal": line.audience == Audience.STAFF,
        }
        for line in lines
    ]


def _agents_named_in(lines):
    named = [line.data for line in lines if line.kind == Kind.ASSIGNED]
    pks = {data[way] for data in named for way in ("from", "to")}
    return User.objects.in_bulk(pks - {None})


def _what(line, agents) -> str:
    if line.kind == Kind.STATUS:
        return _("Moved to %(status)s") % {"status": Status(line.data["to"]).label}
    if line.kind == Kind.ASSIGNED:
        return _assignment(line, agents)
    if line.kind == Kind.PROMISED:
        return moved_words(line)
    if line.kind == Kind.RATED:
        return _("Rated %(n)s of 5") % {"n": line.data["rating"]}
    if line.kind == Kind.FIELDS:
        return _("%(n)s of its details changed") % {"n": len(line.data["fields"])}
    if line.kind == Kind.CLASSIFIED and "priority" in line.data:
        return _("Priority changed to %(priority)s") % {
            "priority": Priority(line.data["priority"][1]).label
        }
    return line.get_kind_display()


def _in_time(line) -> str:
    """By which rule time did it. See docs/automation.md."""
    rule = line.data.get("rule")
    return f" ({rule.replace('_', ' ')})" if rule in MOMENTS else ""


def _assignment(line, agents) -> str:
    if line.data["to"] is None:
        words = _("Taken from %(agent)s") % {"agent": agents[line.data["from"]]}
    else:
        words = _("Assigned to %(agent)s") % {"agent": agents[line.data["to"]]}
    rule = line.data.get("rule")
    return f"{words} ({Rule(rule).label})" if rule else words

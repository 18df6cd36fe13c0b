"""The history as an administrator reads it."""

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.automation.routing import Rule as RoutingRule
from tickets.automation.timing import MOMENTS
from tickets.models import Audience, Priority, Rule, TicketEvent
from tickets.promise.deadlines import moved_words
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
    rules = Rule.objects.in_bulk({line.data.get("by_rule") for line in lines} - {None})
    return [
        {
            "line": line,
            "what": _what(line, agents) + _by_itself(line, rules),
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


def _by_itself(line, rules) -> str:
    """By which rule of operators, or of time. See docs/rules.md and docs/automation.md."""
    if rule := rules.get(line.data.get("by_rule")):
        return _(" (rule “%(rule)s”)") % {"rule": rule}
    rule = line.data.get("rule")
    return f" ({rule.replace('_', ' ')})" if rule in MOMENTS else ""


def _assignment(line, agents) -> str:
    if line.data["to"] is None:
        words = _("Taken from %(agent)s") % {"agent": agents[line.data["from"]]}
    else:
        words = _("Assigned to %(agent)s") % {"agent": agents[line.data["to"]]}
    rule = line.data.get("rule")
    return f"{words} ({RoutingRule(rule).label})" if rule in RoutingRule.values else words

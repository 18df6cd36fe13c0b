"""What somebody who takes part reads where the requester reads "you" and "yours"."""

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Ticket, TicketEvent
from ..promise.promises import Promise, promise_of
from ..wording import day
from ..workflow import Status

ASSIGNED = {
    True: gettext_lazy("%(name)s has the ticket now."),
    False: gettext_lazy("%(former)s no longer has the ticket. Somebody else takes it."),
}
# What time did, where the requester is told otherwise. The names are those of ``timing.MOMENTS``.
CLOCK_WORDS = {
    "waiting_reminder": gettext_lazy("%(requester)s was reminded that we wait for an answer."),
    "waiting_over": gettext_lazy("No answer came, so the registry marked the ticket resolved."),
    "closing_reminder": gettext_lazy("%(requester)s was reminded that the ticket closes soon."),
}


def promise_for(ticket: Ticket, person) -> Promise:
    """``promise_of`` as ``person``, the requester or somebody who takes part, reads it."""
    promise = promise_of(ticket)
    if person.pk == ticket.requester_id or ticket.status not in _FOR_PARTICIPANTS:
        return promise
    return replace(promise, **_FOR_PARTICIPANTS[ticket.status](ticket, promise))


def _ours(ticket, promise):
    """Of the sentences that can stand there, three speak of "your ticket"."""
    name = {"name": ticket.assignee and ticket.assignee.first_name}
    sentences = {
        _("%(name)s has your ticket.") % name: _("%(name)s has the ticket.") % name,
        _("We have your ticket."): _("We have the ticket."),
        _("Your ticket is back with our team."): _("The ticket is back with our team."),
    }
    return {"strong": sentences.get(promise.strong, promise.strong)}


def _waiting(ticket, promise):
    return {
        "strong": _("%(name)s needs an answer.") % {"name": ticket.moved_by},
        "sub": _("%(requester)s or you can give it. The clock is stopped until then.")
        % {"requester": ticket.requester.first_name},
    }


def _resolved(ticket, promise):
    words = _("If it isn’t fixed, %(requester)s can open it again.")
    return {"sub": words % {"requester": ticket.requester.first_name}}


def _closed(ticket, promise):
    if not ticket.may_be_reopened:
        return {}
    words = _("%(requester)s can open it again until %(day)s.")
    told = {"requester": ticket.requester.first_name, "day": day(ticket.reopen_until)}
    return {"rest": words % told}


def _withdrawn(ticket, promise):
    return {"strong": _("Withdrawn on %(day)s.") % {"day": day(ticket.closed_at)}}


_FOR_PARTICIPANTS = {
    Status.NEW: _ours,
    Status.OPEN: _ours,
    Status.WAITING: _waiting,
    Status.RESOLVED: _resolved,
    Status.CLOSED: _closed,
    Status.WITHDRAWN: _withdrawn,
}


def coming_words(line: TicketEvent, reader) -> str:
    """Who takes part from now on, or no more; ``line`` has its ``actor`` and its ``person``."""
    names = {"name": line.person, "by": line.actor or _("The registry")}
    if line.kind == TicketEvent.Kind.JOINED:
        sentences = _JOINED
    elif line.actor == line.person:
        sentences = _WENT
    else:
        sentences = _REMOVED
    seen_by = "person" if line.person == reader else "actor" if line.actor == reader else ""
    return str(sentences[seen_by]) % names


# As who was added or left reads it, as who did it, and as everybody else.
_JOINED = {
    "person": gettext_lazy("%(by)s added you to this ticket."),
    "actor": gettext_lazy("You added %(name)s to this ticket."),
    "": gettext_lazy("%(by)s added %(name)s to this ticket."),
}
_REMOVED = {
    "person": gettext_lazy("%(by)s took you off this ticket."),
    "actor": gettext_lazy("You took %(name)s off this ticket."),
    "": gettext_lazy("%(by)s took %(name)s off this ticket."),
}
_WENT = {
    "person": gettext_lazy("You left this ticket."),
    "": gettext_lazy("%(name)s left this ticket."),
}

"""What the lines of a history say: to the requester, to who takes part, and to staff."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import wording
from tickets.parties import participant_wording
from tickets.workflow import CUSTOMERS, REQUESTER_WORDS, SETTLED, Part, ResolutionKind, Status


def event_words(line, part) -> str:
    """A move as one sentence, for the requester ("you") or for staff."""
    if line.data.get("rule") in CLOCK_WORDS:
        return clock_words(line, part)
    sentences = REQUESTER_MOVES if part in CUSTOMERS else STAFF_MOVES
    after = "reopened" if _reopens(line) else Status(line.data["to"])
    mine = part == Part.REQUESTER and line.actor_id == line.ticket.requester_id
    words = MY_MOVES[after] if mine else sentences[after]
    until = line.data.get("until")
    return words % {
        "name": line.actor or _("The registry"),
        "until": wording.day(date.fromisoformat(until)) if until else "",
        "kind": _resolution_words(line),
    }


def _reopens(line) -> bool:
    """See also ``messaging.thread``, which shows these moves, whatever came with them."""
    return line.data["to"] == Status.OPEN and line.data["from"] in SETTLED


def _resolution_words(line) -> str:
    kind = line.data.get("resolution")
    return str(ResolutionKind(kind).label) if kind else ""


def assigned_words(line, part) -> str:
    """Who has the ticket from now on, and for staff by whom or by which rule."""
    if part == Part.REQUESTER:
        sentence = REQUESTER_ASSIGNED[bool(line.agent)]
    elif part == Part.PARTICIPANT:
        sentence = participant_wording.ASSIGNED[bool(line.agent)]
    elif rule := line.data.get("rule"):
        sentence = STAFF_ROUTED[rule]
    else:
        sentence = STAFF_ASSIGNED[bool(line.agent)]
    if line.agent and line.agent == line.actor:
        sentence = gettext_lazy("%(name)s took the ticket.")
    return str(sentence) % {"name": line.agent, "former": line.former, "by": line.actor}


# Whether somebody has it now, or nobody. The rules are those of tickets.automation.routing.
REQUESTER_ASSIGNED = {
    True: gettext_lazy("%(name)s has your ticket now."),
    False: gettext_lazy("%(former)s no longer has your ticket. Somebody else takes it."),
}
STAFF_ASSIGNED = {
    True: gettext_lazy("%(by)s assigned this to %(name)s."),
    False: gettext_lazy("%(former)s no longer has this ticket."),
}
STAFF_ROUTED = {
    # A rule of operators, whose name follows.
    "rule": gettext_lazy("The registry assigned this to %(name)s."),
    "dealt": gettext_lazy("The registry assigned this to %(name)s, who had room. Rule: dealt."),
    "substitute": gettext_lazy(
        "%(former)s is out of office. The registry assigned this to %(name)s, who stands in. "
        "Rule: substitute."
    ),
    "absent": gettext_lazy(
        "%(former)s is out of office. The registry put this back for somebody else to take. "
        "Rule: absent."
    ),
}


def clock_words(line, part) -> str:
    """What time did, and for staff by which rule. See docs/automation.md."""
    rule = line.data["rule"]
    for_requester, for_staff = CLOCK_WORDS[rule]
    if part == Part.PARTICIPANT:
        words = participant_wording.CLOCK_WORDS.get(rule, for_requester)
        return str(words) % {"requester": line.ticket.requester.first_name}
    if part == Part.REQUESTER:
        return str(for_requester)
    names = {"words": for_staff, "rule": rule.replace("_", " ")}
    return _("%(words)s Rule: %(rule)s.") % names


# What requesters read, and staff. Of some the requester never hears.
CLOCK_WORDS = {
    "answer_at_risk": (None, gettext_lazy("The answer that was promised is due soon.")),
    "answer_missed": (None, gettext_lazy("The customer got no answer by the time promised.")),
    "solution_at_risk": (None, gettext_lazy("The solution that was promised is due soon.")),
    "solution_missed": (None, gettext_lazy("It was not solved by the time promised.")),
    "legal_at_risk": (None, gettext_lazy("A day that the law sets for this complaint is near.")),
    "legal_missed": (None, gettext_lazy("A day that the law sets for this complaint is over.")),
    "unassigned": (None, gettext_lazy("Nobody has taken this ticket. Administrators were told.")),
    "waiting_reminder": (
        gettext_lazy("We reminded you that we wait for your answer."),
        gettext_lazy("The customer was reminded that we wait for their answer."),
    ),
    "waiting_over": (
        gettext_lazy("We heard nothing from you, so the registry marked the ticket resolved."),
        gettext_lazy("The customer did not answer, so the registry marked the ticket resolved."),
    ),
    "closing_reminder": (
        gettext_lazy("We reminded you that the ticket closes soon."),
        gettext_lazy("The customer was reminded that the ticket closes soon."),
    ),
    "closing": (
        gettext_lazy("Nobody wrote any more, so the registry closed the ticket."),
        gettext_lazy("Nobody wrote any more, so the registry closed the ticket."),
    ),
    "hold_over": (
        gettext_lazy("The hold has ended. The ticket is in progress."),
        gettext_lazy("The hold has ended. The ticket is in progress."),
    ),
}
MY_MOVES = {
    Status.OPEN: gettext_lazy("The ticket is in progress."),
    "reopened": gettext_lazy("You opened the ticket again."),
    Status.CLOSED: gettext_lazy("You closed the ticket."),
    Status.WITHDRAWN: gettext_lazy("You withdrew the ticket."),
}
REQUESTER_MOVES = {
    Status.OPEN: gettext_lazy("The ticket is in progress."),
    "reopened": gettext_lazy("%(name)s opened the ticket again."),
    Status.WAITING: gettext_lazy("%(name)s waits for your answer."),
    Status.HOLD: gettext_lazy("%(name)s put the ticket on hold until %(until)s."),
    Status.RESOLVED: gettext_lazy("%(name)s marked the ticket resolved: %(kind)s."),
    Status.CLOSED: gettext_lazy("%(name)s closed the ticket."),
    Status.WITHDRAWN: gettext_lazy("%(name)s withdrew the ticket."),
}
STAFF_MOVES = REQUESTER_MOVES | {
    Status.OPEN: gettext_lazy("%(name)s put the ticket in progress."),
    Status.WAITING: gettext_lazy("%(name)s set the ticket to waiting on customer."),
}


def step_words(step, reader) -> str:
    """One step of the customers' timeline."""
    if step.kind == "raised":
        return _("Received")
    if step.kind == "assigned" and step.agent is None:
        return _("%(name)s no longer has it") % {"name": step.former}
    if step.kind == "assigned":
        return _("Assigned to %(name)s") % {"name": step.agent}
    if _reopens(step):
        return _("Opened again")
    after = Status(step.data["to"])
    if after == Status.WAITING:
        return _("Your answer was asked for")
    if after == Status.OPEN and step.data.get("why") == Part.REPLY:
        if step.actor == reader:
            return _("You answered")
        return _("%(name)s answered") % {"name": step.actor}
    return str(REQUESTER_WORDS[after])

"""Where a ticket can stand and who may move it. Nothing here asks the database."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The stored value is the CSS modifier as well; the labels are the staff's words."""

    NEW = "new", _("New")
    OPEN = "open", _("In progress")
    WAITING = "waiting", _("Waiting on customer")
    HOLD = "hold", _("On hold")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")
    WITHDRAWN = "withdrawn", _("Withdrawn")


# What the requester reads for the same states.
REQUESTER_WORDS = {
    Status.NEW: _("Received"),
    Status.OPEN: _("In progress"),
    Status.WAITING: _("Your reply needed"),
    Status.HOLD: _("On hold"),
    Status.RESOLVED: _("Resolved"),
    Status.CLOSED: _("Closed"),
    Status.WITHDRAWN: _("Withdrawn"),
}

LIVE = (Status.NEW, Status.OPEN, Status.WAITING, Status.HOLD)
ENDED = (Status.CLOSED, Status.WITHDRAWN)  # the conversation is shut
SETTLED = (Status.RESOLVED, Status.CLOSED)  # it came to a result
OURS = (Status.NEW, Status.OPEN)  # the next step is ours; elsewhere the clock is stopped


class Part(models.TextChoices):
    """What somebody is to one ticket."""

    REQUESTER = "requester", _("Requester")
    ASSIGNEE = "assignee", _("Assigned agent")
    ADMIN = "admin", _("Administrator")
    POOL = "pool", _("Agent who may take it")
    PARTICIPANT = "participant", _("Participant")
    EARLIER = "earlier", _("Agent of another ticket of this customer")
    # These are no people, but steps that bring a move with them.
    ASSIGNMENT = "assignment", _("By assignment")
    REPLY = "reply", _("By the requester's reply")
    MESSAGE = "message", _("With a message")
    CLOCK = "clock", _("As time passes")
    RULE = "rule", _("By a rule")


HANDLERS = frozenset({Part.ASSIGNEE, Part.ADMIN})
CUSTOMERS = frozenset({Part.REQUESTER, Part.PARTICIPANT})  # whose words are the customer's
ERASURE = "erasure"  # no part, but the step that ends what its requester leaves behind


class ResolutionKind(models.TextChoices):
    ANSWERED = "answered", _("Answered")
    REPLACED = "replaced", _("Replaced")
    REFUNDED = "refunded", _("Refunded")
    REPAIRED = "repaired", _("Repaired")
    COMPENSATED = "compensated", _("Compensated")
    REJECTED = "rejected", _("Rejected")
    NO_FAULT = "no_fault", _("No fault found")
    SOLVED_BY_CUSTOMER = "solved_by_customer", _("Solved by the customer")
    OTHER = "other", _("Other")


# (from any of these, to any of these): by these parts. Read it aloud to an administrator.
_MOVES = [
    ({Status.NEW}, {Status.OPEN}, {Part.ASSIGNMENT}),
    ({Status.WAITING}, {Status.OPEN}, {Part.REPLY}),
    (LIVE, {Status.OPEN, Status.WAITING, Status.HOLD}, HANDLERS),
    (LIVE, {Status.RESOLVED}, HANDLERS | {Part.RULE}),
    ({Status.OPEN, Status.WAITING, Status.HOLD}, {Status.OPEN, Status.WAITING}, {Part.RULE}),
    ((*LIVE, Status.RESOLVED), {Status.CLOSED}, HANDLERS | {Part.REQUESTER}),
    ({Status.HOLD}, {Status.OPEN}, {Part.CLOCK}),
    ({Status.WAITING}, {Status.RESOLVED}, {Part.CLOCK}),
    ({Status.RESOLVED}, {Status.CLOSED}, {Part.CLOCK}),
    (LIVE, {Status.WITHDRAWN}, {Part.REQUESTER, Part.ADMIN, ERASURE}),
    ({Status.RESOLVED, Status.CLOSED}, {Status.OPEN}, HANDLERS | {Part.REQUESTER, Part.REPLY}),
]

TRANSITIONS: dict[tuple[Status, Status], frozenset[Part]] = {}
for _before, _after, _parts in _MOVES:
    for _pair in ((b, a) for b in _before for a in _after if a != b):
        TRANSITIONS[_pair] = TRANSITIONS.get(_pair, frozenset()) | _parts
# A new ticket is opened by giving it to somebody, never by hand.
TRANSITIONS[Status.NEW, Status.OPEN] = frozenset({Part.ASSIGNMENT})


def next_statuses(status: str, part: Part | None) -> list[Status]:
    """Where ``part`` may move a ticket from ``status``, in the order of the states."""
    return [to for to in Status if part in TRANSITIONS.get((Status(status), to), ())]


class TicketRefusal(Exception):
    """What was asked is not possible now. The text is a sentence for the person who asked."""


class TransitionRefused(TicketRefusal):
    """The table has no such move for this person, or somebody else moved the ticket first."""


class AlreadyAssigned(TicketRefusal):
    """Somebody was quicker."""

    def __init__(self, ticket, agent):
        words = _("%(ticket)s is already assigned to %(agent)s.")
        super().__init__(words % {"ticket": ticket, "agent": agent})


class MergedAway(TicketRefusal):
    """Nothing is written to a ticket that goes on in another."""

    def __init__(self, ticket):
        names = {"ticket": ticket, "survivor": ticket.merged_into}
        super().__init__(_("%(ticket)s goes on in %(survivor)s.") % names)


class TooMany(TicketRefusal):
    """A limit on how often this may be done."""

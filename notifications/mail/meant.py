"""Whether what was owed is still meant for its person when it is about to be told."""

from accounts.models import Standing
from tickets.automation.timing import MOMENTS
from tickets.workflow import OURS, Status

from ..models import Notification

Kind = Notification.Kind


class NotMeant(Exception):
    """By now the mail is not meant for its person any more; the text says why."""


def turned_away(person) -> bool:
    """Their request came to nothing, and no later one has changed that."""
    still_customer = person.is_approved and not (person.is_agent or person.is_admin)
    return still_customer or (person.standing == Standing.DECLINED and person.deleted_at is None)


# Who may still get a mail about an account. Mails about a ticket ask ``visible_to``.
STILL_MEANT = {
    Kind.WELCOME: lambda person: person.is_active,
    Kind.APPLICATION_RECEIVED: lambda person: person.is_approved and person.is_admin,
    Kind.APPLICATION_ACCEPTED: lambda person: person.is_approved,
    Kind.APPLICATION_DECLINED: turned_away,
    Kind.APPLICATION_EXPIRED: turned_away,
    Kind.NEW_DEVICE: lambda person: person.is_active,
    Kind.SUSPENDED: lambda person: (
        person.standing == Standing.SUSPENDED and person.deleted_at is None
    ),
    Kind.REACTIVATED: lambda person: person.is_approved,
    Kind.ROLE_CHANGED: lambda person: person.is_approved,
    Kind.EXPORT_READY: lambda person: person.is_active,
    Kind.ERASURE_ASKED: lambda person: person.erase_at is not None,
    Kind.ERASURE_STOPPED: lambda person: person.erase_at is None and person.is_active,
    Kind.CONCERN_SETTLED: lambda person: person.is_approved,
    Kind.WEBHOOK_OFF: lambda person: person.is_admin,
    Kind.MAIL_STOPPED: lambda person: person.is_admin,
    Kind.MAIL_GIVEN_UP: lambda person: person.is_admin,
}


def has_nobody(ticket, rule) -> bool:
    return ticket.status in OURS and ticket.assignee_id is None


# What tickets must still be like, for mails about what time did and about what nobody has.
STILL_SO = {
    Kind.TICKET_UNASSIGNED: has_nobody,
    Kind.REMINDER: lambda ticket, rule: ticket.status in (Status.WAITING, Status.RESOLVED),
    Kind.AT_RISK: lambda ticket, rule: MOMENTS[rule](ticket) is not None,
    Kind.LEFT_ALONE: has_nobody,
}

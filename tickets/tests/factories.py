"""Tickets for tests, made by the product's own actions."""

from itertools import count

from accounts.tests.factories import make_admin, make_user
from tickets import actions
from tickets.models import Category
from tickets.workflow import ResolutionKind, Status

_numbers = count(1)


def make_category(name=None, **fields):
    name = name or f"Category {next(_numbers)}"
    fields.setdefault("team_name", f"{name} team")
    return Category.objects.create(name=name, **fields)


def make_ticket(requester=None, assignee=None, status=None, by=None, **fields):
    """A ticket that stands at ``status`` with ``assignee``, led there by lawful moves.

    ``by`` is the administrator who assigns; one is made when none is given.
    """
    requester = requester or make_user()
    ticket = actions.raise_ticket(
        by=requester,
        category=fields.pop("category", None) or make_category(),
        subject=fields.pop("subject", "Kettle stopped heating"),
        description=fields.pop("description", "The light comes on but the water stays cold."),
        **fields,
    )
    boss = by or (make_admin() if assignee or status not in (None, Status.NEW) else None)
    if assignee:
        actions.assign(ticket, to=assignee, by=boss)
    if status is None or status == ticket.status:
        return ticket
    if status == Status.CLOSED or status == Status.WITHDRAWN:
        actions.change_status(ticket, status, by=requester)
    elif status == Status.RESOLVED:
        actions.change_status(
            ticket, status, by=boss, text="Replaced it.", resolution=ResolutionKind.REPLACED
        )
    else:
        actions.change_status(ticket, status, by=boss)
    return ticket

"""Tickets for tests, made by the product's own actions."""

from datetime import timedelta
from itertools import count

from accounts.tests.factories import make_admin, make_user
from tickets import actions
from tickets.models import (
    Calendar,
    Category,
    CategoryField,
    ComplaintCode,
    ComplaintTrack,
    Problem,
    SlaPolicy,
)
from tickets.promise import sla
from tickets.workflow import ResolutionKind, Status

_numbers = count(1)


def make_category(name=None, **fields):
    name = name or f"Category {next(_numbers)}"
    fields.setdefault("team_name", f"{name} team")
    return Category.objects.create(name=name, **fields)


def make_question(category, label="Serial number", kind="text", **fields):
    """Something ``category`` asks besides."""
    return CategoryField.objects.create(category=category, label=label, kind=kind, **fields)


def make_calendar(time_zone="Europe/London", opens="09:00", closes="17:00", days=range(5)):
    """Open in the week, from nine to five."""
    calendar = Calendar.objects.create(name=f"Office {next(_numbers)}", time_zone=time_zone)
    for day in days:
        calendar.hours.create(weekday=day, opens_at=opens, closes_at=closes)
    return calendar


def make_policy(*, answer=8, solve=None, warn=None, calendar=None, **fields):
    """A service level; lengths are hours."""
    policy = SlaPolicy.objects.create(
        calendar=calendar or make_calendar(),
        answer_within=timedelta(hours=answer),
        resolve_within=solve and timedelta(hours=solve),
        warn_before=warn and timedelta(hours=warn),
        **fields,
    )
    sla.forget()
    return policy


def make_track(category=None, *, acknowledge=3, respond=20, calendar=None, **fields):
    """A procedure for complaints in ``category``; days are working days of an office in London."""
    track = ComplaintTrack.objects.create(
        name=f"Procedure {next(_numbers)}",
        calendar=calendar or make_calendar(),
        acknowledge_within=acknowledge,
        respond_within=respond,
        **{"referral": "Ask the Ombudsman.", "sender": "Acme Ltd\nLeeds"} | fields,
    )
    if category:
        category.track = track
        category.save()
    return track


def make_code(kind, code, name=None, **fields):
    return ComplaintCode.objects.create(kind=kind, code=code, name=name or code.title(), **fields)


def make_problem(owner, title="Batch B-17 stays cold", **facts):
    """What many tickets come from."""
    return Problem.objects.create(title=title, owner=owner, created_by=owner, **facts)


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

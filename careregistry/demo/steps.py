"""The words stories are told in. Every step goes through the product's own actions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from messaging.actions import post_message, post_note
from tickets import actions
from tickets.improvement import feedback
from tickets.models import Priority, Ticket
from tickets.regulated import complaints
from tickets.workflow import Status


def ago(days=0, hours=0, minutes=0) -> timedelta:
    return timedelta(days=days, hours=hours, minutes=minutes)


@dataclass
class Step:
    ago: timedelta
    by: str
    act: Callable  # (ticket, by=person, people)


@dataclass
class Story:
    ago: timedelta
    by: str
    category: str
    subject: str
    description: str
    steps: list[Step] = field(default_factory=list)
    priority: str = Priority.NORMAL
    against: str = ""
    bought: int | None = None  # days ago

    def open(self, *, by, category) -> Ticket:
        return actions.raise_ticket(
            by=by,
            category=category,
            subject=self.subject,
            description=self.description,
            priority=self.priority,
            against=self.against,
            purchased_on=self.bought and timezone.localdate() - timedelta(days=self.bought),
        )


def assigned(when, to, by="ruth"):
    return Step(when, by, lambda ticket, by, people: actions.assign(ticket, to=people[to], by=by))


def taken(when, by):
    return assigned(when, by, by=by)


def said(when, by, body, **move):
    return Step(when, by, lambda ticket, by, people: post_message(ticket, by=by, body=body, **move))


def noted(when, by, body):
    return Step(when, by, lambda ticket, by, people: post_note(ticket, by=by, body=body))


def moved(when, by, to, **words):
    return Step(
        when, by, lambda ticket, by, people: actions.change_status(ticket, to, by=by, **words)
    )


def held(when, by, text, *, days):
    """On hold until ``days`` after the step."""

    def act(ticket, by, people):
        until = timezone.localdate() + timedelta(days=days)
        actions.change_status(ticket, Status.HOLD, by=by, text=text, until=until)

    return Step(when, by, act)


def advanced(when, by, stage, text=""):
    """The next step of a regulated complaint."""
    return Step(
        when, by, lambda ticket, by, people: complaints.advance(ticket, stage, by=by, text=text)
    )


def resolved(when, by, kind, text):
    return moved(when, by, Status.RESOLVED, resolution=kind, text=text)


def rated(when, by, rating, comment="", improvement=""):
    words = {"comment": comment, "improvement": improvement}
    return Step(
        when, by, lambda ticket, by, people: actions.rate(ticket, by=by, rating=rating, **words)
    )


def thanked(when, by, text):
    """The agent answers the rating."""
    return Step(
        when,
        by,
        lambda ticket, by, people: feedback.answer(ticket.newest_feedback, by=by, text=text),
    )

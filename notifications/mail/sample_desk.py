"""Sample people with a sample ticket, and what each kind of mail about them would be about.

To be made inside a transaction that is rolled back.
"""

import secrets
from datetime import timedelta

from django.utils import timezone

from accounts.models import (
    AccountEvent,
    Application,
    DataExport,
    LoginRecord,
    Role,
    Standing,
    User,
)
from tickets import actions
from tickets.history import write
from tickets.models import Category, Concern, Problem, Rule, RuleRun, Ticket, TicketEvent
from tickets.workflow import ResolutionKind, Status

from ..models import Notification, Webhook, WebhookDelivery

Kind = Notification.Kind
Line = TicketEvent.Kind


class Desk:
    """A customer with a new ticket, an agent and an administrator."""

    def __init__(self):
        self.token = secrets.token_hex(4)
        self.customer = self.person("Amara", "Okafor", Role.CUSTOMER)
        self.agent = self.person("Priya", "Raman", Role.AGENT)
        self.admin = self.person("Ruth", "Adler", Role.ADMIN)
        self.category = Category.objects.create(
            name=f"Faulty product {self.token}",
            team_name="Returns team",
            acknowledgement="We answer on working days.",
        )
        self.ticket = self.raised("CCR-1999-00482", "Kettle stopped heating")

    def person(self, first, last, role):
        return User.objects.create(
            email=f"{first.lower()}.{self.token}@sample.invalid",
            first_name=first,
            last_name=last,
            role=role,
            standing=Standing.ACTIVE,
        )

    def raised(self, reference, subject):
        return actions.register(
            reference,
            by=self.customer,
            requester=self.customer,
            category=self.category,
            subject=subject,
            description="The light comes on but the water stays cold.",
            data={"channel": "web"},
        )

    def line(self, kind, by=None, text="", **data) -> TicketEvent:
        return write(self.ticket, kind, by=by, text=text, data=data)

    def assigned(self) -> TicketEvent:
        """Once, however often it is asked for."""
        if self.ticket.assignee is None:
            actions.assign(self.ticket, to=self.agent, by=self.admin)
        return self.ticket.events.filter(kind=Line.ASSIGNED).get()

    def moved(self, to, text="", **more) -> TicketEvent:
        self.assigned()
        return actions.change_status(self.ticket, to, by=self.agent, text=text, **more)

    def account_event(self, kind, reason=""):
        return AccountEvent.objects.create(
            user=self.customer, by=self.admin, kind=kind, reason=reason
        )


# --- What each kind is about ------------------------------------------------------


def _first(desk):
    return {"event": desk.ticket.events.get(number=1)}


def _to_agent(make):
    return lambda desk: {"recipient": desk.agent, "event": make(desk)}


def _to_admin(make):
    return lambda desk: {"recipient": desk.admin, "event": make(desk)}


def _to_customer(make):
    return lambda desk: {"event": make(desk)}


def _row(prefix, row):
    return {"cause": f"{prefix}:{row.pk}"}


def _application(decision=""):
    def make(desk):
        decided = {"decided_at": timezone.now()} if decision else {}
        if decision in ("accepted", "declined"):
            decided |= {"decided_by": desk.admin, "reason": "We know nobody of this name."}
        row = Application.objects.create(
            applicant=desk.customer,
            role=Role.AGENT,
            why="I answer the telephone.",
            decision=decision,
            **decided,
        )
        if decision:
            return _row("application-decision", row)
        return _row("application", row) | {"recipient": desk.admin}

    return make


def _account(kind, **person):
    def make(desk):
        for name, value in person.items():
            setattr(desk.customer, name, value)
        return _row("account-event", desk.account_event(kind, "They asked for it."))

    return make


def _erasure_asked(desk):
    desk.customer.erase_at = timezone.now() + timedelta(days=14)
    return _row("account-event", desk.account_event(AccountEvent.Kind.BINNED))


def _new_device(desk):
    record = LoginRecord.objects.create(
        user=desk.customer,
        kind=LoginRecord.Kind.SIGNED_IN,
        device="Firefox on Windows",
        ip="203.0.113.7",
    )
    return _row("login", record)


def _export(desk):
    now = timezone.now()
    row = DataExport.objects.create(
        user=desk.customer, asked_by=desk.customer, ready_at=now, expires_at=now + timedelta(days=7)
    )
    return _row("export", row)


def _message(desk):
    desk.assigned()
    return desk.line(Line.MESSAGE, desk.agent, "Good news, Amara. A new one is on its way.")


def _warned(desk):
    desk.assigned()
    Ticket.objects.filter(pk=desk.ticket.pk).update(warn_before=timedelta(hours=1))
    return desk.line(Line.WARNED, rule="answer_at_risk")


def _breached(desk):
    desk.assigned()
    return desk.line(Line.BREACHED, rule="answer_missed")


def _silenced(desk):
    desk.assigned()
    return desk.line(Line.SILENCED, person=desk.customer.pk, most=5)


def _waiting(desk):
    desk.moved(Status.WAITING, "Which model is it?")
    return desk.line(Line.REMINDED, rule="waiting_reminder")


def _resolved(desk):
    return desk.moved(
        Status.RESOLVED, "A new kettle comes on Saturday.", resolution=ResolutionKind.REPLACED
    )


def _closed(desk):
    return actions.change_status(desk.ticket, Status.CLOSED, by=desk.customer)


def _joined(desk):
    other = desk.person("Kofi", "Asante", Role.CUSTOMER)
    desk.ticket.participants.create(person=other, added_by=desk.customer)
    line = desk.line(Line.JOINED, desk.customer, person=other.pk)
    return {"recipient": other, "event": line}


def _merged(desk):
    twin = desk.raised("CCR-1999-00483", "Kettle again")
    return desk.line(Line.MERGED, desk.agent, **{"from": twin.pk, "to": desk.ticket.pk})


def _mended(desk):
    problem = Problem.objects.create(
        title="Batch B-17 stays cold", owner=desk.agent, created_by=desk.agent
    )
    Ticket.objects.filter(pk=desk.ticket.pk).update(problem=problem)
    words = "Kettles sold from today on are fine."
    return desk.line(Line.MENDED, desk.agent, words, problem=problem.pk)


def _ruled(desk):
    rule = Rule.objects.create(name=f"Urgent words {desk.token}", trigger="raised")
    run = RuleRun.objects.create(
        rule=rule, ticket=desk.ticket, state="done", answer="priority: Urgent",
        done_at=timezone.now(),
    )  # fmt: skip
    return {"recipient": desk.admin, **_row("rule-run", run), **_first(desk)}


def _concern(desk):
    row = Concern.objects.create(
        author=desk.customer, text="The letters are small.", answer="They are larger now.",
        settled_by=desk.admin, settled_at=timezone.now(),
    )  # fmt: skip
    return _row("concern", row)


def _webhook(desk):
    hook = Webhook.objects.create(
        name=f"CRM {desk.token}", url="https://sample.invalid/", secret=""
    )
    row = WebhookDelivery.objects.create(
        webhook=hook, event="ticket.raised", cause="sample", about="sample",
        last_answer="500 Internal Server Error",
    )  # fmt: skip
    return _row("webhook-off", row) | {"recipient": desk.admin}


def _to_every_admin(desk):
    return {"recipient": desk.admin}


# What a notification of each kind is made with; its person is the customer if none is named.
MADE = {
    Kind.WELCOME: lambda desk: {},
    Kind.APPLICATION_RECEIVED: _application(),
    Kind.APPLICATION_ACCEPTED: _application("accepted"),
    Kind.APPLICATION_DECLINED: _application("declined"),
    Kind.APPLICATION_EXPIRED: _application("expired"),
    Kind.SUSPENDED: _account(AccountEvent.Kind.SUSPENDED, standing=Standing.SUSPENDED),
    Kind.REACTIVATED: _account(AccountEvent.Kind.REACTIVATED),
    Kind.ROLE_CHANGED: _account(AccountEvent.Kind.ROLE_CHANGED),
    Kind.NEW_DEVICE: _new_device,
    Kind.EXPORT_READY: _export,
    Kind.ERASURE_ASKED: _erasure_asked,
    Kind.ERASURE_STOPPED: _account(AccountEvent.Kind.RESTORED),
    Kind.TICKET_RAISED: _first,
    Kind.TICKET_UNASSIGNED: lambda desk: {"recipient": desk.admin} | _first(desk),
    Kind.ASSIGNED: _to_customer(Desk.assigned),
    Kind.ASSIGNED_TO_YOU: _to_agent(Desk.assigned),
    Kind.MESSAGE: _to_customer(_message),
    Kind.STATUS_CHANGED: _to_customer(lambda desk: desk.moved(Status.WAITING, "Which model?")),
    Kind.RESOLVED: _to_customer(_resolved),
    Kind.CLOSED: _to_customer(_closed),
    Kind.CALL_ASKED: _to_admin(lambda desk: desk.line(Line.CALL_ASKED, desk.customer, "Mornings")),
    Kind.CALL_LOGGED: _to_customer(lambda desk: desk.line(Line.CALLED, desk.agent, "We met.")),
    Kind.REMINDER: _to_customer(_waiting),
    Kind.AT_RISK: _to_agent(_warned),
    Kind.MISSED: _to_agent(_breached),
    Kind.JOINED: _joined,
    Kind.MERGED: _to_customer(_merged),
    Kind.CHILDREN_DONE: _to_admin(lambda desk: desk.line(Line.CHILDREN)),
    Kind.MENDED: _to_customer(_mended),
    Kind.STAGED: _to_customer(
        lambda desk: desk.line(Line.STAGED, desk.agent, "We look into it.", stage="investigating")
    ),
    Kind.RULED: _ruled,
    Kind.SILENCED: _to_agent(_silenced),
    Kind.LEFT_ALONE: _to_admin(lambda desk: desk.line(Line.ALARMED, rule="unassigned")),
    Kind.RATING_ANSWERED: _to_customer(
        lambda desk: desk.line(Line.ANSWERED, desk.agent, "We have hired somebody.")
    ),
    Kind.CONCERN_SETTLED: _concern,
    Kind.WEBHOOK_OFF: _webhook,
    Kind.MAIL_STOPPED: _to_every_admin,
    Kind.MAIL_GIVEN_UP: _to_every_admin,
}

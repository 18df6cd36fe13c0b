"""What the bell says of each notification: the headline of its mail, in few queries for many."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Role, User
from tickets.models import Ticket, TicketEvent
from tickets.relations.link_words import others_in

from .mail.envelopes import one_line
from .mail.facts import CAUSES, link_for
from .mail.moves import facts_of_move, ratings_with, reopening_among
from .mail.templates import words_of
from .models import Notification

Kind = Notification.Kind
Line = TicketEvent.Kind

PEOPLE = ("event__actor", "event__ticket__requester", "event__ticket__assignee")


@dataclass(frozen=True)
class Entry:
    """One notification as its person reads it."""

    notification: Notification
    words: str
    ticket: Ticket | None
    leads_to: str  # a path


def entries_of(notifications, person: User) -> list[Entry]:
    """``notifications`` of ``person``, who may see what they are about."""
    news = list(notifications)
    causes = _causes_of(news)
    others = Ticket.objects.in_bulk(_named(news, lambda each: others_in(each.event)))
    agents = User.objects.in_bulk(_named(news, _given_to))
    lines = [each.event for each in news if each.event]
    moves = ratings_with(lines), reopening_among(lines)
    return [_entry(each, person, causes, others, agents, moves) for each in news]


def _named(news, keys_of) -> set[int]:
    return {key for each in news if each.event for key in keys_of(each)}


def _given_to(notification) -> list[int]:
    """The agent an assignment names, who may have given the ticket away since."""
    is_given = notification.kind == Kind.ASSIGNED and notification.event.kind == Line.ASSIGNED
    return [notification.event.data["to"]] if is_given and notification.event.data["to"] else []


def _causes_of(news) -> dict[str, object]:
    """The rows that ``news`` are about besides lines, by their causes."""
    keys = {}
    for each in news:
        kind, _colon, pk = each.cause.partition(":")
        if kind in CAUSES:
            keys.setdefault(kind, set()).add(pk)
    return {
        f"{kind}:{pk}": row
        for kind, pks in keys.items()
        for pk, row in CAUSES[kind][1].in_bulk(pks).items()
    }


def _entry(notification, person, causes, others, agents, moves) -> Entry:
    event = notification.event
    ticket = event and event.ticket
    facts = {"person": person, "site_name": settings.SITE_NAME}
    kind = notification.cause.partition(":")[0]
    row = causes.get(notification.cause)
    if row:
        facts[CAUSES[kind][0]] = row
    if ticket:
        facts |= _ticket_facts(event, person, others, moves)
    if kind in CAUSES and row is None:  # what it was about is gone
        words, path = notification.get_kind_display(), _path_to(ticket, person)
    else:
        words = _headline(notification, facts, agents)
        path = (not ticket and link_for(notification, facts)[1]) or _path_to(ticket, person)
    return Entry(notification, words, ticket, path)


def _ticket_facts(event, person, others, moves) -> dict:
    ticket = event.ticket
    is_requester = person.pk == ticket.requester_id
    is_customer = is_requester or person.role == Role.CUSTOMER
    return facts_of_move(event, is_customer, *moves) | {
        "event": event,
        "ticket": ticket,
        "is_requester": is_requester,
        "takes_part": is_customer and not is_requester,
        "follows": not is_customer and ticket.assignee_id != person.pk,
        "actor_name": event.actor.first_name if event.actor else _("The registry"),
        "other": next((others[pk] for pk in others_in(event) if pk in others), None),
    }


def _headline(notification, facts, agents) -> str:
    if notification.kind == Kind.ASSIGNED:
        named = _given_to(notification)
        agent = agents.get(named[0]) if named else None
        if agent is None:
            return notification.get_kind_display()
        facts |= {"ticket": {"assignee": agent, "requester": facts["ticket"].requester}}
    return one_line(words_of(f"{notification.kind}_subject.txt", facts))


def _path_to(ticket, person) -> str:
    return ticket.url_for(person) if ticket else reverse("home")

"""Doing what was decided about a mail, by the same verbs as the pages."""

from uuid import UUID, uuid5

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import User
from messaging.actions import post_message
from messaging.models import Fate, InboundMail
from tickets import uploads
from tickets.actions import assign, change_status, raise_ticket
from tickets.automation.routing import Rule
from tickets.models import Channel, TicketEvent
from tickets.workflow import CUSTOMERS, Part, Status, TicketRefusal

from .deciding import Decision, Facts
from .facts import addressed
from .parsed import Parsed

KEYS = UUID("1b0e3c5e-2f64-4c2b-9a41-6f0d1d8b6c11")


class NoCategory(Exception):
    """There is none that a mail could be about."""


def act(mail: InboundMail, parsed: Parsed, facts: Facts, decision: Decision) -> TicketEvent | None:
    """Write the ticket's line. Inside the transaction that settles ``mail``."""
    if decision.fate == Fate.APPENDED:
        return _append(mail, parsed, facts, decision)
    if decision.fate == Fate.TICKETED:
        return _raise(mail, parsed, facts, decision)
    return None


def _append(mail, parsed, facts, decision) -> TicketEvent:
    person, ticket = facts.person, facts.ticket
    if decision.reopens:
        change_status(ticket, Status.OPEN, by=person, via=Part.REPLY)
    key, how = _files_and_facts(mail, parsed, person)
    text, how_read = _words(parsed)
    if facts.part not in CUSTOMERS:  # what staff quote may be internal
        text, how_read = text[: how_read.get("new", len(text))], {}
    how |= how_read | {"channel": Channel.EMAIL}
    return post_message(ticket, by=person, body=text, key=key, part=facts.part, how=how)


def _raise(mail, parsed, facts, decision) -> TicketEvent:
    category, agent = addressed(mail, parsed)
    if category is None:
        raise NoCategory
    person = facts.person or customers.meet(mail.sender, first_name=_name_of(mail, parsed))
    key, how = _files_and_facts(mail, parsed, person)
    text, how_read = _words(parsed)
    ticket = raise_ticket(
        by=person,
        category=category,
        subject=parsed.subject or _("No subject"),
        description=text,
        draft_key=key,
        channel=Channel.EMAIL,
        about=facts.ticket.reference if decision.follows_up else "",
        how=how | how_read,
    )
    if agent:
        _give(ticket, agent)
    return ticket.events.get(number=1)


def _give(ticket, agent: User):
    """To whom it was addressed, unless they can't have it: then it is dealt like any other."""
    try:
        assign(ticket, to=agent, by=None, rule=Rule.ADDRESSED)
    except TicketRefusal:
        ticket.refresh_from_db()


def _name_of(mail, parsed) -> str:
    return (parsed.sender_name or mail.sender.partition("@")[0])[:150]


def _words(parsed) -> tuple[str, dict]:
    """All that was written, and where the new part of it ends."""
    text = parsed.text[: settings.MAX_TEXT_LENGTH] or _("This mail has no text.")
    return text, {"new": parsed.new} if 0 < parsed.new < len(text) else {}


def _files_and_facts(mail, parsed, person) -> tuple[UUID, dict]:
    """Keeps the files under the mail's own key: the same mail writes one line only. The rest is
    what the line says of its mail."""
    key = uuid5(KEYS, mail.fingerprint)
    files = [SimpleUploadedFile(file.name or "file", file.content) for file in parsed.files]
    refusals = uploads.keep(files, by=person, draft_key=key, types=uploads.BY_MAIL)
    facts = {"mail": mail.pk}
    if refusals:
        facts["left_out"] = len(refusals)
    if parsed.automatic:
        facts["automatic"] = True
    if parsed.failed_authentication:
        facts["unproved"] = True
    return key, facts

"""Doing what was decided about a mail, by the same verbs as the pages."""

from uuid import UUID, uuid5

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import customers
from accounts.models import User
from messaging.actions import post_message
from messaging.models import Fate, InboundMail
from tickets import uploads
from tickets.actions import assign, change_status, raise_ticket
from tickets.automation.routing import Rule
from tickets.mail_addresses import disarmed, names_a_person
from tickets.models import Channel, TicketEvent
from tickets.workflow import CUSTOMERS, Part, Status, TicketRefusal

from .deciding import Decision, Facts
from .facts import addressed
from .parsed import File, Parsed

KEYS = UUID("1b0e3c5e-2f64-4c2b-9a41-6f0d1d8b6c11")
WHOLE = "whole-mail.txt"
MAILS = (".eml", ".msg", ".mht", ".mbox")
MOST_NAMED = 10  # of the files that were not kept
ROOM_FOR_NAMES = 4_000  # characters: more than their names and what is wrong with them


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
    is_of_staff = facts.part not in CUSTOMERS  # then what they quote may be internal
    text = parsed.own if is_of_staff else parsed.text
    text, key, how = _words_files_and_facts(text, mail, parsed, person, is_of_staff)
    how["channel"] = Channel.EMAIL
    return post_message(ticket, by=person, body=text, key=key, part=facts.part, how=how)


def _raise(mail, parsed, facts, decision) -> TicketEvent:
    category, agent = addressed(mail, parsed)
    if category is None:
        raise NoCategory
    person = facts.person or customers.meet(mail.sender, first_name=_name_of(mail, parsed))
    text, key, how = _words_files_and_facts(parsed.text, mail, parsed, person)
    ticket = raise_ticket(
        by=person,
        category=category,
        subject=parsed.subject or _("No subject"),
        description=text,
        draft_key=key,
        channel=Channel.EMAIL,
        about=facts.ticket.reference if decision.follows_up else "",
        how=how,
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


def _words_files_and_facts(text, mail, parsed, person, is_of_staff=False) -> tuple[str, UUID, dict]:
    """What the line says, what its files are kept under (the mail’s own key: the same mail writes
    one line only), and what is known of its mail. Words that are too many become one more file."""
    key, files, text = uuid5(KEYS, mail.fingerprint), parsed.files, disarmed(text)
    is_cut = len(text) > settings.MAX_TEXT_LENGTH - (ROOM_FOR_NAMES if files else 0)
    if is_cut:
        files = [File(WHOLE, text.encode()), *files]
    told = _named(_keep(files, key, person, is_of_staff))
    facts = {"mail": mail.pk}
    if parsed.automatic:
        facts["automatic"] = True
    if parsed.failed_authentication:
        facts["unproved"] = True
    if is_cut:
        whole = _("This mail is longer. All its words are in %(name)s.") % {"name": WHOLE}
        told = "\n\n".join(["", whole, *told])
        own = disarmed(parsed.own or text)[: settings.MAX_TEXT_LENGTH - len(told)]
        return own.rstrip() + told, key, facts
    if not text:
        return "\n\n".join([_("This mail has no text."), *told]), key, facts
    own, folded = text[: parsed.new], text[parsed.new :]
    if told:
        own, folded = "\n\n".join([own.rstrip(), *told]).lstrip(), f"\n\n{folded}".rstrip()
    if folded:
        facts["new"] = len(own)
    return own + folded, key, facts


def _keep(files, key, person, is_of_staff) -> list[str]:
    """Says of each that was not kept what is wrong with it."""
    problems = []
    for file in dict.fromkeys(files):
        uploaded = SimpleUploadedFile(file.name or "file", file.content)
        name = uploads.clean_name(uploaded.name)
        if why := _why_private(name, file.content, is_of_staff):
            problems.append(f"{name}: {why}")
            continue
        for problem in uploads.keep([uploaded], by=person, draft_key=key, types=uploads.BY_MAIL):
            problems.append(problem if problem.startswith(name) else f"{name}: {problem}")
    return problems


def _why_private(name, content, is_of_staff) -> str:
    """Why a file is not for everybody on the ticket; empty if it is. Programs that attach what they
    answer attach our mail, which may tell staff of a note."""
    if is_of_staff and name.lower().endswith(MAILS):
        return _("mails that staff attach are not passed on")
    if name != WHOLE and names_a_person(content):
        return _("it is a mail of ours, made for its recipient alone")
    return ""


def _named(problems) -> list[str]:
    """Told to whoever reads the line, as one paragraph, if there are any."""
    if not problems:
        return []
    words = ngettext(
        "%(n)s file of this mail was not kept:", "%(n)s files of this mail were not kept:",
        len(problems),
    )  # fmt: skip
    named = [f"- {problem}" for problem in problems[:MOST_NAMED]]
    if len(problems) > MOST_NAMED:
        named.append("- …")
    return ["\n".join([words % {"n": len(problems)}, *named])]

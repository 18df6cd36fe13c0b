"""How a mail reads: checked and written when it is sent, from the rows as they are then."""

import re
import textwrap

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.applications import path_to_apply_again
from accounts.models import AccountEvent, Application, DataExport, LoginRecord, Role, Standing
from accounts.sign_ins import path_to_dispute
from accounts.work import signature_of
from tickets.automation.timing import MOMENTS
from tickets.improvement.feedback import path_to_rate
from tickets.improvement.problems import told_together
from tickets.mail_addresses import reply_address
from tickets.models import Audience, Channel, Concern, RuleRun, Ticket, TicketEvent
from tickets.parties.participant_wording import promise_for
from tickets.relations.link_words import others_in
from tickets.wording import by_when
from tickets.workflow import LIVE, OURS, REQUESTER_WORDS, Part, Status

from .models import Notification, OutgoingMail, WebhookDelivery
from .preferences import is_refused, may_be_refused

Kind = Notification.Kind
Line = TicketEvent.Kind

MAX_SUBJECT = 69
MAX_QUOTE = 4000
# Line ends and other controls, and the marks that turn the direction of what follows.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
# Mail programs load no stylesheets; what depends on the screen stays in a block.
INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


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
}

# What tickets must still be like for mails about what time did.
STILL_SO = {
    Kind.REMINDER: lambda ticket, rule: ticket.status in (Status.WAITING, Status.RESOLVED),
    Kind.AT_RISK: lambda ticket, rule: MOMENTS[rule](ticket) is not None,
    Kind.LEFT_ALONE: lambda ticket, rule: ticket.status in OURS and ticket.assignee_id is None,
}

# What the cause of a mail names besides a line: the templates' word for it, and where it is.
_applications = Application.objects.select_related("applicant")
CAUSES = {
    "application": ("application", _applications),
    "application-decision": ("application", _applications),
    "account-event": ("account_event", AccountEvent.objects.all()),
    "login": ("sign_in", LoginRecord.objects.all()),
    "export": ("export", DataExport.objects.select_related("user")),
    "concern": ("concern", Concern.objects.all()),
    "rule-run": ("rule_run", RuleRun.objects.select_related("rule")),
    "webhook-off": ("delivery", WebhookDelivery.objects.select_related("webhook")),
}


class NotMeant(Exception):
    """By now the mail is not meant for its person any more; the text says why."""


def compose(mail: OutgoingMail) -> EmailMultiAlternatives:
    """``mail`` as it goes out now. Raises NotMeant."""
    if mail.expires_at and mail.expires_at <= timezone.now():
        raise NotMeant(_("It expired before it could be sent."))
    if mail.content:
        return envelope(mail, **mail.content)
    notification = (
        mail.notifications.select_related("recipient").annotate(is_refused=is_refused()).get()
    )
    with timezone.override(notification.recipient.zone):
        return written(mail, notification)


def written(mail, notification) -> EmailMultiAlternatives:
    """The mail of ``notification``, in words."""
    facts = facts_for(notification)
    ticket = facts.get("ticket")
    facts["headline"] = one_line(words_of(f"{notification.kind}_subject.txt", facts))
    facts["body"] = words_of(f"{notification.kind}_message.txt", facts)
    return envelope(
        mail,
        subject=subject_for(facts["headline"], ticket, facts.get("is_neutral")),
        text=words_of("base_message.txt", facts) + "\n",
        html=INLINER.inline(template("base_message.html").render(facts)),
        ticket=ticket,
        reply_to=facts.get("reply_to", ""),
    )


def envelope(mail, *, subject, text, html, ticket=None, reply_to="") -> EmailMultiAlternatives:
    """One mail to one person: nobody learns who else was told."""
    headers = {
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if ticket:
        # All mails about a ticket answer the same root, so mail programs show one thread.
        root = f"<ticket-{ticket.reference.lower()}@{mail.message_id.rpartition('@')[2]}"
        headers |= {"In-Reply-To": root, "References": root}
    reply_to = reply_to or (ticket and one_line(ticket.category.email))
    message = EmailMultiAlternatives(
        one_line(subject),
        text,
        to=[mail.email],
        reply_to=[reply_to] if reply_to else None,
        headers=headers,
    )
    if html:
        message.attach_alternative(html, "text/html")
    return message


def facts_for(notification) -> dict:
    """What the templates of one mail may say. Raises NotMeant."""
    person = notification.recipient
    if notification.is_refused and may_be_refused(notification.kind, person.role):
        raise NotMeant(_("The person chose not to be mailed about this."))
    facts = {"site_name": settings.SITE_NAME, "person": person}
    if notification.event_id:
        facts |= ticket_facts(notification) | cause_facts(notification)
    elif not STILL_MEANT[notification.kind](person):
        raise NotMeant(_("The person’s account has changed."))
    else:
        facts |= cause_facts(notification)
    link_words, path = link_for(notification, facts)
    return facts | {"link_words": link_words, "link": settings.SITE_URL + path}


def cause_facts(notification) -> dict:
    """The row that a mail about an account is about."""
    kind, _colon, pk = notification.cause.partition(":")
    if kind not in CAUSES:
        return {}
    name, rows = CAUSES[kind]
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotMeant(_("What it was about is gone."))
    return {name: row}


def _lines_told_to(person):
    """Somebody known by their address only reads nothing here; what happens to their tickets is
    mailed to them all the same, as they told it by phone or letter."""
    if person.standing == Standing.UNCLAIMED and person.deleted_at is None:
        theirs = TicketEvent.objects.filter(ticket__requester=person, ticket__deleted_at=None)
        return theirs.filter(audience=Audience.EVERYONE)
    return TicketEvent.objects.visible_to(person)


def ticket_facts(notification) -> dict:
    person = notification.recipient
    event = (
        _lines_told_to(person)
        .select_related(
            "actor__agent_profile",
            "ticket__requester",
            "ticket__assignee",
            "ticket__category",
            "ticket__status_event__actor",
        )
        .filter(pk=notification.event_id)
        .first()
    )
    if event is None:
        raise NotMeant(_("The person may no longer see the ticket."))
    ticket = event.ticket
    is_still_so = STILL_SO.get(notification.kind)
    if is_still_so and not is_still_so(ticket, event.data["rule"]):
        raise NotMeant(_("The ticket has moved on."))
    is_requester = person.pk == ticket.requester_id
    takes_part = ticket.part_of(person) == Part.PARTICIPANT
    is_customer = is_requester or takes_part
    is_neutral = is_receipt_of_mail(notification, event)
    words = ticket.description if notification.kind == Kind.ASSIGNED_TO_YOU else event.new_words
    words = "" if is_neutral else words
    quote = cut(words, MAX_QUOTE)
    is_cut = quote != words
    if is_customer and words:
        quote = f"{quote}\n\n{signature_of(event.actor)}".rstrip()
    return {
        "event": event,
        "ticket": ticket,
        "is_requester": is_requester,
        "takes_part": takes_part,
        "follows": not is_customer and ticket.followers.filter(person=person).exists(),
        "actor_name": event.actor.first_name if event.actor else settings.SITE_NAME,
        "new_status": (
            status_words(event.data["to"], is_customer) if event.kind == Line.STATUS else ""
        ),
        "status_words": status_words(ticket.status, is_customer),
        "is_neutral": is_neutral,
        "reply_to": reply_address(ticket, person) if takes_answers(notification) else "",
        "quote": quote,
        "quote_lines": textwrap.indent(quote, "> ", lambda line: True),
        "is_cut": is_cut,
        "file_count": 0 if is_neutral else event.attachments.count(),
        "other": Ticket.objects.filter(pk__in=others_in(event)).first(),
        "told_together": told_together(event) if event.kind == Line.MENDED else (),
        "rate_link": (
            settings.SITE_URL + path_to_rate(ticket)
            if is_requester and person.is_approved and asks_to_rate(event)
            else ""
        ),
        "next": next_step(ticket, event, person) if is_customer else staff_next_step(ticket),
    }


def takes_answers(notification) -> bool:
    """Whether who answers the mail writes to everyone on its ticket: customers always do, staff
    only where somebody wrote to them or it became theirs. Other answers would be for colleagues."""
    event, person = notification.event, notification.recipient
    if event is None or event.audience != Audience.EVERYONE:
        return False
    is_customer = person.role == Role.CUSTOMER or person.pk == event.ticket.requester_id
    return is_customer or notification.kind in (Kind.MESSAGE, Kind.ASSIGNED_TO_YOU)


def is_receipt_of_mail(notification, event) -> bool:
    """Whoever wrote the mail may have given somebody else's address: then the receipt must not
    carry their words there (SEC-D8)."""
    return notification.kind == Kind.TICKET_RAISED and event.channel == Channel.EMAIL


def asks_to_rate(event) -> bool:
    """Whether ``event`` ended its ticket: the closing of what was resolved asks nobody again."""
    if event.kind != Line.STATUS or event.data["from"] not in LIVE:
        return False
    return event.data["to"] in (Status.RESOLVED, Status.CLOSED) and event.ticket.may_be_rated


def status_words(status: str, is_customer: bool) -> str:
    return REQUESTER_WORDS[Status(status)] if is_customer else Status(status).label


def next_step(ticket, event, person) -> str:
    """The promise of the ticket's page, without the words that the mail quotes already."""
    promise = promise_for(ticket, person)
    parts = [promise.strong, promise.rest, promise.sub]
    return " ".join(cut(str(part), 300) for part in parts if part and part != event.text)


def staff_next_step(ticket) -> str:
    if ticket.status not in (Status.NEW, Status.OPEN):
        return ""
    return _("The customer was promised to hear by %(time)s.") % {"time": by_when(ticket.due_at)}


def link_for(notification, facts) -> tuple[str, str]:
    """The one button of the mail: its words and the path it leads to."""
    ticket = facts.get("ticket")
    if notification.kind in (Kind.APPLICATION_DECLINED, Kind.APPLICATION_EXPIRED):
        return _("Ask again"), path_to_apply_again(facts["application"])
    if notification.kind == Kind.NEW_DEVICE:
        return _("This was not me"), path_to_dispute(facts["sign_in"])
    to_console = (Kind.TICKET_UNASSIGNED, Kind.LEFT_ALONE, Kind.APPLICATION_RECEIVED)
    if notification.kind in to_console:
        return _("Open the console"), reverse("admin:index")
    if notification.kind == Kind.EXPORT_READY:
        return _("Go to the download"), reverse("account_privacy")
    if notification.kind == Kind.ERASURE_ASKED:
        return _("Sign in"), reverse("account_login")
    if notification.kind == Kind.CONCERN_SETTLED:
        return _("What you told us"), reverse("tickets:concerns")
    if notification.kind == Kind.WEBHOOK_OFF:
        page = reverse("admin:notifications_webhook_change", args=[facts["delivery"].webhook_id])
        return _("Look at the webhook"), page
    if ticket is None:
        return _("Go to the registry"), reverse("home")
    if notification.recipient.standing == Standing.UNCLAIMED:
        return _("Create your account and follow it"), reverse("account_signup")
    words = _("Open the ticket") if facts["takes_part"] else _("Open your ticket")
    return words, ticket.url_for(notification.recipient)


def subject_for(headline: str, ticket, is_neutral: bool = False) -> str:
    """[CCR-2026-00482] Priya wrote to you: Kettle stopped heating, cut between words."""
    words = f"[{ticket.reference}] {headline}" if ticket else headline
    if ticket and not is_neutral:
        words += f": {ticket.subject}"
    return textwrap.shorten(one_line(words), MAX_SUBJECT, placeholder="...")


def one_line(words: str) -> str:
    """Fit for a header, whatever people typed: also no encoded word, which readers would decode."""
    return " ".join(CONTROLS.sub(" ", words).replace("=?", "= ?").split())


def cut(words: str, limit: int) -> str:
    """``words``, or as many of them as fit into ``limit`` characters."""
    if len(words) <= limit:
        return words
    return words[: limit - 1].rsplit(maxsplit=1)[0] + "…"


def template(name: str):
    return get_template(f"notifications/email/{name}")


def words_of(name: str, facts: dict) -> str:
    """A text template with nothing escaped. ``strip`` also makes it plain words again, not
    "safe" ones, so that the HTML frame escapes them."""
    return template(name).template.render(Context(facts, autoescape=False)).strip()

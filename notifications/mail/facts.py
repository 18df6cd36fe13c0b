"""What the templates of one mail may say, read when it is sent, and whether it is still meant."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _

from accounts.applications import path_to_apply_again
from accounts.models import AccountEvent, Application, DataExport, LoginRecord, Role, Standing
from accounts.sign_ins import path_to_dispute
from accounts.work import signature_of
from messaging.thread import reads_notes
from tickets.improvement.feedback import path_to_rate
from tickets.improvement.problems import told_together
from tickets.mail_addresses import reply_address
from tickets.models import Audience, Channel, Concern, RuleRun, Ticket, TicketEvent
from tickets.parties.participant_wording import promise_for
from tickets.promise import away
from tickets.promise.promises import IN_CONVERSATION
from tickets.relations.link_words import others_in
from tickets.wording import by_when
from tickets.workflow import LIVE, Part, Status

from ..models import Notification, WebhookDelivery
from ..preferences import may_be_refused
from .meant import STILL_MEANT, STILL_SO, NotMeant
from .moves import facts_of_move, ratings_with, reopening_among, status_words
from .quoting import cut, quoted
from .unsubscribing import path_to_stop

Kind = Notification.Kind
Line = TicketEvent.Kind

MAX_QUOTE = 4000
MAX_SIGNATURE = 500
# What a notification is loaded with for its mail.
WITH_ALL = (
    "recipient",
    "event__actor__agent_profile",
    "event__ticket__requester",
    "event__ticket__assignee",
    "event__ticket__category",
    "event__ticket__status_event__actor",
)


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


def facts_for(notification) -> dict:
    """Of a notification loaded ``WITH_ALL``, with what ``told_by`` or ``unasked`` adds to it.
    Raises NotMeant."""
    person = notification.recipient
    if notification.is_refused and may_be_refused(notification.kind, person.role):
        raise NotMeant(_("The person chose not to be mailed about this."))
    facts = basics(person) | {"kind": notification.kind}
    if notification.event_id:
        facts |= ticket_facts(notification) | cause_facts(notification)
    elif not STILL_MEANT[notification.kind](person):
        raise NotMeant(_("The person’s account has changed."))
    else:
        facts |= cause_facts(notification)
    link_words, path = link_for(notification, facts)
    stop = path_to_stop(person, notification.kind)
    if stop and facts["is_staff"]:
        facts["choose_link"] = settings.SITE_URL + reverse("notifications:preferences")
    return facts | {
        "link_words": link_words,
        "link": path and settings.SITE_URL + path,
        "stop_link": stop and settings.SITE_URL + stop,
    }


def unasked(notification) -> None:
    """For who is not about to mail it: it has no files, and answers nothing."""
    notification.is_refused, notification.their_mail, notification.file_count = False, "", 0


def lives_in_mailbox(person) -> bool:
    """Whether they have no account: what no mail tells them, nobody does."""
    return person is not None and person.standing == Standing.UNCLAIMED


def basics(person) -> dict:
    """What every mail may say, in the language that is active."""
    has_no_page = lives_in_mailbox(person)
    return {
        "site_name": settings.SITE_NAME,
        "person": person,
        "signup_link": settings.SITE_URL + reverse("account_signup") if has_no_page else "",
        # A link that needs no sign-in must not stand in what they may publish by answering.
        "is_staff": person is not None and person.role != Role.CUSTOMER,
        "language": get_language(),
        "direction": "rtl" if get_language_bidi() else "ltr",
    }


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


def _check(notification, event, part) -> None:
    """Raises NotMeant. The first is ``TicketEventQuerySet.visible_to`` for one line."""
    is_readable = part and (event.audience == Audience.EVERYONE or reads_notes(part))
    if not (is_readable or has_lost_it(notification)):
        raise NotMeant(_("The person may no longer see the ticket."))
    is_still_so = STILL_SO.get(notification.kind)
    if is_still_so and not is_still_so(event.ticket, event.data.get("rule")):
        raise NotMeant(_("The ticket has moved on."))


def has_lost_it(notification) -> bool:
    """Whether the ticket of its person, of the staff, was merged into a colleague's. They hear that
    it has left their list and where it went, but read nothing there."""
    event, person = notification.event, notification.recipient
    if notification.kind != Kind.MERGED or event.kind != Line.MERGED:
        return False
    return Ticket.objects.filter(pk=event.data["from"], assignee=person).exists()


def ticket_facts(notification) -> dict:
    person = notification.recipient
    event, ticket = notification.event, notification.event.ticket
    part = ticket.part_by_mail(person)
    _check(notification, event, part)
    is_requester = person.pk == ticket.requester_id
    takes_part = part == Part.PARTICIPANT
    is_customer = is_requester or takes_part
    lost = has_lost_it(notification)
    is_neutral = lost or (is_customer and may_be_a_strangers(notification, event))
    is_receipt = notification.kind == Kind.TICKET_RAISED and is_requester
    move = facts_of_move(event, is_customer, ratings_with([event]), reopening_among([event]))
    told = move | words_of_line(notification, event, is_customer, is_neutral)
    return told | {
        "event": event,
        "ticket": ticket,
        "is_requester": is_requester,
        "has_lost_it": lost,
        "takes_part": takes_part,
        "follows": not is_customer and ticket.followers.filter(person=person).exists(),
        "actor_name": event.actor.first_name if event.actor else _("The registry"),
        "status_words": status_words(ticket.status, is_customer),
        "is_neutral": is_neutral,
        "acknowledgement": words_of_receipt(event) if is_receipt else "",
        "is_answer": answers_a_mail(event, is_receipt),
        "their_mail": notification.their_mail,
        "reply_to": reply_address(ticket, person) if takes_answers(notification) else "",
        "answer_reopens": is_requester and ticket.may_be_reopened,
        "other": _other_ticket(event),
        "told_together": told_together(event) if event.kind == Line.MENDED else (),
        "rate_link": (
            settings.SITE_URL + path_to_rate(ticket) if is_requester and asks_to_rate(event) else ""
        ),
        "next": next_step(ticket, event, person) if is_customer else staff_next_step(ticket, lost),
    }


def _other_ticket(event) -> Ticket | None:
    others = others_in(event)
    return Ticket.objects.filter(pk__in=others).first() if others else None


def words_of_line(notification, event, is_customer, is_neutral) -> dict:
    """What somebody wrote, as far as it fits, with their signature under it for customers."""
    given = notification.kind == Kind.ASSIGNED_TO_YOU
    words = event.ticket.description if given else event.new_words
    words = "" if is_neutral and event.actor_id else words
    is_all_they_read = lives_in_mailbox(notification.recipient)
    quote = cut(words, settings.MAX_TEXT_LENGTH if is_all_they_read else MAX_QUOTE)
    is_cut = quote != words or (not is_neutral and forwards(event))
    if is_customer and words:
        quote = f"{quote}\n\n{signature_of(event.actor)}".rstrip()
    return {
        "quote": quote,
        "quote_lines": quoted(quote),
        "is_cut": is_cut,
        "file_count": 0 if is_neutral else notification.file_count,
    }


def forwards(event) -> bool:
    """Whether the mail it came by quotes, in its folded part, something else than our mails."""
    words = event.folded_words
    is_signature = words.split("\n")[0].rstrip() == "--" and len(words) <= MAX_SIGNATURE
    is_ours = settings.SITE_URL in words or event.ticket.reference in words
    return bool(words) and not (is_signature or is_ours)


def takes_answers(notification) -> bool:
    """Whether who answers the mail writes to everyone on its ticket: customers always do, staff
    only where somebody wrote to them or it became theirs. Other answers would be for colleagues."""
    event, person = notification.event, notification.recipient
    if event is None or event.audience != Audience.EVERYONE:
        return False
    is_customer = person.role == Role.CUSTOMER or person.pk == event.ticket.requester_id
    return is_customer or notification.kind in (Kind.MESSAGE, Kind.ASSIGNED_TO_YOU)


def may_be_a_strangers(notification, event) -> bool:
    """Whoever began a ticket by mail may have given somebody else's address: then neither the
    receipt nor anything else that nobody wrote may carry their words there (SEC-D8), until a
    person has answered."""
    if notification.kind == Kind.TICKET_RAISED:
        return event.channel == Channel.EMAIL
    if event.actor_id or event.ticket.first_responded_at:
        return False
    return event.ticket.events.get(number=1).channel == Channel.EMAIL


def answers_a_mail(event, is_receipt) -> bool:
    """Whether nobody wrote it, but in answer to what somebody wrote to us."""
    is_receipt_of_mail = is_receipt and event.channel == Channel.EMAIL
    is_opened_by_mail = event.data.get("why") == Part.REPLY  # of which only its writer hears
    is_said_by_rule = event.data.get("rule") == away.OUT_OF_HOURS
    return is_receipt_of_mail or is_opened_by_mail or is_said_by_rule


def words_of_receipt(event) -> str:
    """What operators say to whoever raises a ticket, also that nobody is there (see
    ``messaging.away``)."""
    words = [event.ticket.category.acknowledgement]
    if away.words_for(event.ticket):
        said = event.ticket.events.filter(number__gt=event.number, data__with_receipt=True)
        words += said.order_by("number").values_list("text", flat=True)[:1]
    return "\n\n".join(filter(None, words))


def asks_to_rate(event) -> bool:
    """Whether ``event`` ended its ticket: the closing of what was resolved asks nobody again."""
    if event.kind != Line.STATUS or event.data["from"] not in LIVE:
        return False
    return event.data["to"] in (Status.RESOLVED, Status.CLOSED) and event.ticket.may_be_rated


def next_step(ticket, event, person) -> str:
    """The promise of the ticket's page, without the words that the mail quotes already."""
    promise = promise_for(ticket, person)
    has_happened = promise.mood == "done" and event.pk == ticket.status_event_id
    parts = ["" if has_happened else promise.strong, promise.rest, promise.sub, promise.until]
    said = ("", event.text, IN_CONVERSATION)
    return " ".join(cut(str(part), 300) for part in parts if part not in said)


def staff_next_step(ticket, is_lost) -> str:
    if is_lost or ticket.status not in (Status.NEW, Status.OPEN):
        return ""
    return _("The customer was promised to hear by %(time)s.") % {"time": by_when(ticket.due_at)}


def link_for(notification, facts) -> tuple[str, str]:
    """The one button of the mail: its words and the path it leads to. None where its person can do
    nothing, as an administrator shut them out."""
    ticket, person = facts.get("ticket"), notification.recipient
    if notification.kind in (Kind.APPLICATION_DECLINED, Kind.APPLICATION_EXPIRED):
        return _("Ask again"), path_to_apply_again(facts["application"])
    if notification.kind == Kind.NEW_DEVICE:
        return _("This was not me"), path_to_dispute(facts["sign_in"])
    if notification.kind == Kind.APPLICATION_RECEIVED:
        return _("Open the console"), reverse("admin:index")
    if notification.kind == Kind.EXPORT_READY:
        return _("Go to the download"), reverse("account_privacy")
    if notification.kind == Kind.ERASURE_ASKED and facts["account_event"].by_id == person.pk:
        return _("Sign in"), reverse("account_login")
    if notification.kind in (Kind.ERASURE_ASKED, Kind.SUSPENDED):
        return "", ""
    if notification.kind == Kind.CONCERN_SETTLED:
        return _("What you told us"), reverse("tickets:concerns")
    if notification.kind == Kind.WEBHOOK_OFF:
        page = reverse("admin:notifications_webhook_change", args=[facts["delivery"].webhook_id])
        return _("Look at the webhook"), page
    if notification.kind in (Kind.MAIL_STOPPED, Kind.MAIL_GIVEN_UP):
        page = reverse("admin:notifications_outgoingmail_changelist")
        return _("Open the outbox"), f"{page}?state=failed"
    if ticket is None:
        return _("Go to the registry"), reverse("home")
    if facts["has_lost_it"]:
        return _("Open your list"), reverse("tickets:workspace")
    if lives_in_mailbox(person) and facts["rate_link"]:
        return _("Say how we handled it"), path_to_rate(ticket)
    if lives_in_mailbox(person):
        return _("Create your account and follow it"), reverse("account_signup")
    words = _("Open your ticket") if facts["is_requester"] else _("Open the ticket")
    return words, ticket.url_for(person)

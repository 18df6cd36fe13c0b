"""Who hears of what. Receivers only write down what is owed; the worker renders and sends.

Each runs inside the transaction of its cause, so a rollback takes the mail with it.
"""

from datetime import timedelta

from django.dispatch import receiver
from django.utils.translation import gettext as _

from accounts.bells import ring
from accounts.models import User
from accounts.signals import (
    account_mail_composed,
    application_decided,
    application_received,
    email_changed,
    erasure_asked,
    erasure_stopped,
    export_ready,
    role_changed,
    signed_in_from_new_device,
    user_confirmed,
    user_reactivated,
    user_suspended,
)
from messaging import budgets
from messaging.signals import message_posted
from tickets.belongings import belongings_of
from tickets.models import Routing, Ticket, TicketEvent
from tickets.signals import (
    call_asked,
    call_logged,
    children_done,
    complaint_moved,
    concern_settled,
    line_written,
    participant_added,
    problem_mended,
    promise_moved,
    rating_answered,
    requester_corrected,
    rule_tells,
    ticket_assigned,
    ticket_clocked,
    ticket_raised,
    ticket_removing,
    ticket_status_changed,
    tickets_rejoined,
)
from tickets.workflow import SETTLED, Part, Status

from .mail import letters
from .models import Notification, OutgoingMail
from .owed import SEND_MAIL
from .owing import owe

Kind = Notification.Kind
Line = TicketEvent.Kind


def owe_ticket_mail(kind: str, *people: User | None, event, not_before=None) -> None:
    cause = f"ticket-event:{event.pk}"
    owe(kind, *people, cause=cause, event=event, not_before=not_before)


@receiver(user_confirmed)
def owe_welcome(sender, user, **kwargs):
    owe(Kind.WELCOME, user, cause=f"user:{user.pk}")


@receiver(application_received)
def owe_admins_an_application(sender, application, **kwargs):
    owe(Kind.APPLICATION_RECEIVED, *User.objects.admins(), cause=f"application:{application.pk}")


@receiver(application_decided)
def owe_applicant_the_decision(sender, application, **kwargs):
    kind = Kind(f"application_{application.decision}")
    owe(kind, application.applicant, cause=f"application-decision:{application.pk}")


@receiver(signed_in_from_new_device)
def owe_an_alert(sender, record, **kwargs):
    """Whatever they chose to hear: it may be a stranger who chose."""
    owe(Kind.NEW_DEVICE, record.user, cause=f"login:{record.pk}")


def owe_word_of(kind, signal) -> None:
    """Whoever this was done to hears of it."""

    @receiver(signal, weak=False)
    def owe_word(sender, user, event, **kwargs):
        owe(kind, user, cause=f"account-event:{event.pk}")


owe_word_of(Kind.SUSPENDED, user_suspended)
owe_word_of(Kind.REACTIVATED, user_reactivated)
owe_word_of(Kind.ROLE_CHANGED, role_changed)
owe_word_of(Kind.ERASURE_ASKED, erasure_asked)
owe_word_of(Kind.ERASURE_STOPPED, erasure_stopped)


@receiver(export_ready)
def owe_word_of_the_download(sender, export, **kwargs):
    owe(Kind.EXPORT_READY, export.asked_by, cause=f"export:{export.pk}")


def customers_of(ticket, *, but: User | None = None) -> list[User]:
    """The requester and who takes part: each gets a mail of their own, ``but`` who did it."""
    takers = ()
    if "participants" in belongings_of(ticket):
        takers = User.objects.customers().filter(participations__ticket=ticket)
    return [person for person in (ticket.requester, *takers) if person != but]


@receiver(ticket_raised)
def owe_receipt_and_call_admins(sender, ticket, event, **kwargs):
    if budgets.is_answerable(event):
        if letters.is_receipt_too_many(event):
            budgets.stop(ticket, person=ticket.requester, most=letters.RECEIPTS_PER_HOUR)
        else:
            owe_ticket_mail(Kind.TICKET_RAISED, ticket.requester, event=event)
    if ticket.assignee is None and ticket.category.routing != Routing.AUTOMATIC:
        admins = User.objects.admins().exclude(pk=ticket.requester_id)
        owe_ticket_mail(Kind.TICKET_UNASSIGNED, *admins, event=event)


@receiver(ticket_assigned)
def owe_news_of_assignment(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.ASSIGNED, *customers_of(ticket, but=event.actor), event=event)
    if event.actor_id != ticket.assignee_id:
        owe_ticket_mail(Kind.ASSIGNED_TO_YOU, ticket.assignee, event=event)


@receiver(message_posted)
def owe_message_to_other_side(sender, ticket, event, **kwargs):
    if "with_receipt" in event.data:
        return  # one mail tells that it arrived, and that nobody is there
    customers = customers_of(ticket)
    others = [person for person in customers if person != event.actor]
    owe_ticket_mail(Kind.MESSAGE, *others, event=event)
    if event.actor_id in (None, ticket.assignee_id):
        return
    if ticket.assignee:
        owe_ticket_mail(Kind.MESSAGE, ticket.assignee, event=event)
    elif event.actor in customers:
        owe_message_to_who_assigns(ticket, event)


def owe_message_to_who_assigns(ticket, event) -> None:
    """Nobody has the ticket yet. Their bells ring each time; the first words that each hears
    within an hour are mailed at once, the others together when it is over."""
    admins = User.objects.admins().exclude(pk=ticket.requester_id)
    if "followers" in belongings_of(ticket):  # who follows it hears anyway
        admins = admins.exclude(pk__in=ticket.followers.values("person"))
    hour = event.at.replace(minute=0, second=0, microsecond=0)
    heard = Notification.objects.filter(
        kind=Kind.MESSAGE,
        recipient__in=admins,
        event__ticket=ticket,
        event__kind=Line.MESSAGE,
        created_at__gte=hour,
    )
    told = set(heard.order_by().values_list("recipient", flat=True))
    at_once = [admin for admin in admins if admin.pk not in told]
    later = [admin for admin in admins if admin.pk in told]
    owe_ticket_mail(Kind.MESSAGE, *at_once, event=event)
    owe_ticket_mail(Kind.MESSAGE, *later, event=event, not_before=hour + timedelta(hours=1))


@receiver(ticket_status_changed)
def owe_status_mail(sender, ticket, event, **kwargs):
    """Both sides hear of a move by others. Of resolving and closing customers always hear."""
    why = event.data.get("why")
    is_opened_by_mail = why == Part.REPLY and event.data["from"] in SETTLED
    if is_opened_by_mail and not budgets.is_spent(event):  # no page says so to them
        owe_ticket_mail(Kind.STATUS_CHANGED, event.actor, event=event)
    if why in (Part.ASSIGNMENT, Part.REPLY):
        return  # the mail about the assignment or the message tells it
    to = event.data["to"]
    is_filed = event.actor is None and to == Status.CLOSED  # what the agent settled long ago
    is_told = why == Part.MESSAGE or is_filed
    if event.actor_id != ticket.assignee_id and not is_told:
        owe_ticket_mail(Kind.STATUS_CHANGED, ticket.assignee, event=event)
    if to in (Status.RESOLVED, Status.CLOSED):
        owe_ticket_mail(Kind(to), *customers_of(ticket), event=event)
    elif why != Part.MESSAGE:
        others = customers_of(ticket, but=event.actor)
        owe_ticket_mail(Kind.STATUS_CHANGED, *others, event=event)


@receiver(tickets_rejoined)
def owe_word_of_where_it_goes_on(sender, ticket, event, **kwargs):
    """Of a split the receipt of the new ticket tells."""
    if event.kind in (Line.MERGED, Line.UNMERGED):
        owe_ticket_mail(Kind.MERGED, *customers_of(ticket), event=event)
    if event.kind == Line.MERGED:
        owe_word_to_who_had_it(ticket, event)


def owe_word_to_who_had_it(ticket, event) -> None:
    """A ticket that went on in a colleague's has left its agent's list."""
    merged = Ticket.objects.select_related("assignee").get(pk=event.data["from"])
    if merged.is_live and merged.assignee_id not in (event.actor_id, ticket.assignee_id):
        owe_ticket_mail(Kind.MERGED, merged.assignee, event=event)


@receiver(children_done)
def owe_word_that_nothing_is_waited_for(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.CHILDREN_DONE, ticket.assignee, event=event)


@receiver(requester_corrected)
def owe_the_receipt_to_whose_ticket_it_is(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.TICKET_RAISED, ticket.requester, event=ticket.events.get(number=1))


@receiver(call_asked)
def owe_the_wish_for_a_call(sender, ticket, event, **kwargs):
    admins = User.objects.admins().exclude(pk=ticket.requester_id)
    people = [ticket.assignee] if ticket.assignee else admins
    owe_ticket_mail(Kind.CALL_ASKED, *people, event=event)


@receiver(call_logged)
def owe_what_was_said_on_the_phone(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.CALL_LOGGED, ticket.requester, event=event)


@receiver(complaint_moved)
def owe_the_step_of_a_complaint(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.STAGED, *customers_of(ticket), event=event)


@receiver(ticket_removing)
def remove_what_was_owed(sender, ticket, **kwargs):
    """Also what was to be about several tickets, if all it tells came to be of this one."""
    told = Notification.objects.filter(event__ticket=ticket)
    mails = set(told.filter(mail__isnull=False).values_list("mail", flat=True))
    told.delete()
    OutgoingMail.objects.filter(ticket=ticket).delete()
    OutgoingMail.objects.filter(pk__in=mails, notifications=None).delete()


@receiver(rating_answered)
def owe_the_answer_to_a_rating(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.RATING_ANSWERED, ticket.requester, event=event)


@receiver(problem_mended)
def owe_word_that_it_is_mended(sender, ticket, event, **kwargs):
    """D0-27: one mail to each customer, which names all tickets they had with it."""
    owe(Kind.MENDED, ticket.requester, cause=f"mended:{event.key}", event=event)


@receiver(concern_settled)
def owe_the_answer_to_a_concern(sender, concern, **kwargs):
    owe(Kind.CONCERN_SETTLED, concern.author, cause=f"concern:{concern.pk}")


@receiver(ticket_clocked)
def owe_word_of_what_time_did(sender, ticket, event, **kwargs):
    """Warnings are for who can still keep the promise; of a missed one its administrators hear."""
    admins = User.objects.admins().exclude(pk=ticket.requester_id)
    match event.kind:
        case Line.REMINDED:
            owe_ticket_mail(Kind.REMINDER, ticket.requester, event=event)
        case Line.WARNED:
            people = [ticket.assignee] if ticket.assignee else admins
            owe_ticket_mail(Kind.AT_RISK, *people, event=event)
        case Line.BREACHED:
            owe_ticket_mail(Kind.MISSED, ticket.assignee, *admins, event=event)
        case Line.ALARMED:
            owe_ticket_mail(Kind.LEFT_ALONE, *admins, event=event)


@receiver(line_written)
def owe_word_of_stopped_answers(sender, ticket, event, **kwargs):
    """Once an hour for one who gets no more, however many tickets they write."""
    if event.kind == Line.SILENCED:
        admins = User.objects.admins().exclude(pk=ticket.requester_id)
        people = [ticket.assignee] if ticket.assignee else admins
        cause = f"silenced:{event.data['person']}:{event.at:%Y%m%d%H}"
        owe(Kind.SILENCED, *people, cause=cause, event=event)


@receiver(rule_tells)
def owe_word_of_a_rule(sender, run, people, **kwargs):
    """What time sets off has no line of its own: the one that says where the ticket stands."""
    event = run.event or run.ticket.status_event
    owe(Kind.RULED, *people, cause=f"rule-run:{run.pk}", event=event)


@receiver(promise_moved)
def owe_word_of_another_time(sender, ticket, event, **kwargs):
    """D1-15: who moves a promise tells the customers why."""
    owe_ticket_mail(Kind.STATUS_CHANGED, *customers_of(ticket), event=event)


@receiver(participant_added)
def owe_word_to_who_joins(sender, ticket, event, **kwargs):
    owe_ticket_mail(Kind.JOINED, User.objects.get(pk=event.data["person"]), event=event)


# What followers hear of, and as what kind of mail.
FOLLOWED = {
    Line.MESSAGE: Kind.MESSAGE,
    Line.NOTE: Kind.MESSAGE,
    Line.STATUS: Kind.STATUS_CHANGED,
    Line.BREACHED: Kind.MISSED,
}


@receiver(line_written)
def owe_followers_the_line(sender, ticket, event, **kwargs):
    """Whether they may still see it is asked when the mail is sent."""
    is_told = event.kind in FOLLOWED and not event.data.get("why")  # that tells another line
    if is_told and "followers" in belongings_of(ticket):
        followers = User.objects.filter(followed__ticket=ticket).exclude(pk=event.actor_id)
        owe_ticket_mail(FOLLOWED[event.kind], *followers, event=event)


@receiver(line_written)
def owe_agent_the_note(sender, ticket, event, **kwargs):
    """A colleague wrote it on a ticket that is theirs. Notes of a rule wait on its page."""
    if event.kind == Line.NOTE and event.actor and event.actor_id != ticket.assignee_id:
        owe_ticket_mail(Kind.MESSAGE, ticket.assignee, event=event)


@receiver(email_changed)
def forward_what_is_owed(sender, user, old, **kwargs):
    """Mail on its way follows to the new address. Codes that went to the old one are worth nothing
    any more."""
    owed = OutgoingMail.objects.filter(recipient=user, state=OutgoingMail.State.OWED)
    owed.filter(content={}).update(email=user.email)
    owed.filter(email=old, expires_at__isnull=False).update(
        state=OutgoingMail.State.DROPPED,
        content={},
        last_answer=_("The person has another address."),
    )


@receiver(account_mail_composed)
def owe_composed_mail(sender, user, kind, email, subject, text, html, expires_at, **kwargs):
    """Keep a mail that is written already, like a code. Its subject may hold the code, so the
    outbox shows only its kind."""
    OutgoingMail.objects.create(
        recipient=user,
        email=email,
        subject=kind.rpartition("/")[2].replace("_", " ").capitalize(),
        content={"subject": subject, "text": text, "html": html},
        expires_at=expires_at,
    )
    ring(SEND_MAIL)

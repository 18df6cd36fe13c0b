"""The out-of-hours answer: who writes while nobody is there reads at once when somebody will be.

Inside the transaction of what it answers. ``docs/automatic-answers.md`` tells it to operators.
"""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.models import Ticket, TicketEvent
from tickets.promise import away
from tickets.promise.away import OUT_OF_HOURS
from tickets.wording import clock

from . import budgets
from .actions import post_message


def answer(ticket: Ticket, event: TicketEvent) -> None:
    """Say on ``ticket`` that nobody is there, if so: once until somebody is.

    Neither a machine's mail is answered, nor a forged one, nor what staff write. Whoever has just
    raised the ticket gets a receipt anyway, which carries these words as well.
    """
    words = away.words_for(ticket)
    if not words or not _may_be_answered(ticket, event):
        return
    back_at = away.back_at(ticket, event.at)
    if back_at is None or _was_said(ticket, back_at):
        return
    if budgets.is_spent(event):
        budgets.stop(ticket, person=event.actor, most=settings.AUTOMATIC_ANSWERS_PER_HOUR)
        return
    how = {"until": back_at.isoformat()}
    if event.kind == TicketEvent.Kind.RAISED:
        how["with_receipt"] = True
    body = f"{words}\n\n{_back_words(ticket, back_at)}"
    post_message(ticket, by=None, body=body, rule=OUT_OF_HOURS, how=how)


def _may_be_answered(ticket, event) -> bool:
    may_be = budgets.is_answerable(event) and budgets.is_by_customer(event)
    return ticket.is_chat_open and may_be


def _was_said(ticket, back_at) -> bool:
    said = ticket.events.filter(actor=None, kind=TicketEvent.Kind.MESSAGE)
    return said.filter(data__rule=OUT_OF_HOURS, data__until=back_at.isoformat()).exists()


def _back_words(ticket, back_at: datetime) -> str:
    """The words stay, so they name no "today"; the times are the requester's."""
    with timezone.override(ticket.requester.zone):
        day = date_format(timezone.localtime(back_at), "l j F")
        return _("We are back %(day)s at %(time)s.") % {"day": day, "time": clock(back_at)}

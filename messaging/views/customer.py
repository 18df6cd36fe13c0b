"""The customers' side of a ticket's page: the requester's, and of who takes part."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tickets import actions as ticket_actions
from tickets import uploads
from tickets.asking import find_own
from tickets.belongings import LINKED
from tickets.improvement.feedback_forms import FeedbackForm
from tickets.parties import participants
from tickets.parties.participant_wording import promise_for
from tickets.promise.deadlines import outlook_of
from tickets.relations.links import links_for_requester
from tickets.workflow import CUSTOMERS, Part, Status, TicketRefusal, TransitionRefused

from .. import actions
from ..forms import MessageForm
from ..thread import timeline_of
from . import conversation

REQUESTER_LINES = 10


@require_GET
@permission_required("messaging.add_message", raise_exception=True)
def ticket(request, reference):
    """D1-19, D3-2: what was said, where it stands, who has it and what comes next."""
    found, part = conversation.find(request, reference)
    if found.merged_into_id or part not in CUSTOMERS:
        return redirect(found.home.url_for(request.user))
    return _customer_page(request, found, part)


def _customer_page(
    request, ticket, part, form=None, *, status=200, feedback_form=None, file_problems=()
):
    form = form or MessageForm(initial={"key": uuid.uuid4()})
    context = _customer_context(request, ticket, part)
    context |= {
        "thread": conversation.opening(request, ticket, part, REQUESTER_LINES, context["merged"]),
        "form": form,
        "section": "tickets",
        **conversation.waiting_files(request, form, file_problems),
    }
    if feedback_form:
        context["feedback_form"] = feedback_form
    return render(request, "messaging/ticket.html", context, status=status)


def _customer_context(request, ticket, part):
    """What changes with the ticket's lines, on the page and in the stream alike."""
    is_requester = part == Part.REQUESTER
    context, has = conversation.shared_context(ticket, part)
    return context | {
        "is_customer": True,
        "page_url": ticket.get_absolute_url(),
        "promise": promise_for(ticket, request.user),
        "may_choose": is_requester and participants.may_choose(ticket, request.user),
        "call": context["call"] if is_requester else None,
        "outlook": outlook_of(ticket),
        "links": links_for_requester(ticket) if is_requester and has & LINKED else [],
        "timeline": timeline_of(ticket),
        "may_rate": is_requester and ticket.may_be_rated,
        "feedback_form": FeedbackForm(),
        "form": MessageForm(initial={"key": uuid.uuid4()}),
        "closed_words": actions.chat_closed_words(ticket, request.user),
        **uploads.offer(),
    }


@require_GET
@permission_required("messaging.add_message", raise_exception=True)
def lines(request, reference):
    """The lines after ``?after=N`` (or before ``?before=N``) as the page shows them."""
    found, part = conversation.find(request, reference)
    if part not in CUSTOMERS:
        raise PermissionDenied
    return conversation.stream(request, found, part, "messaging/_stream.html", _customer_context)


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def reply(request, reference):
    """D4-4: the customer's words and files."""
    found, part = conversation.find(request, reference)
    if part not in CUSTOMERS:
        raise PermissionDenied
    typed = conversation.typed(request)
    problems, files = conversation.take_files(request, typed)
    form = MessageForm(typed, has_files=files)

    def say():
        actions.post_message(
            found, by=request.user, body=form.cleaned_data["body"], key=form.cleaned_data["key"]
        )

    def page(status):
        home = found.home
        return _customer_page(request, home, part, form, status=status, file_problems=problems)

    return conversation.said(request, found, form, problems, say, page)


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def close(request, reference):
    """D1-9, D0-T10: the requester says it is solved."""
    words = _("%(ticket)s is closed. Thank you for telling us.")
    return _requester_move(request, reference, Status.CLOSED, words)


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def withdraw(request, reference):
    """D0-T11: dismissed, gone from the open list, kept in the records."""
    return _requester_move(request, reference, Status.WITHDRAWN, _("%(ticket)s is withdrawn."))


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def reopen(request, reference):
    return _requester_move(request, reference, Status.OPEN, _("%(ticket)s is open again."))


def _requester_move(request, reference, to, message):
    def move(found):
        try:
            ticket_actions.change_status(found, to, by=request.user)
        except TransitionRefused:
            if found.status != to:  # otherwise this was the second of two clicks
                raise

    return _requester_act(request, reference, move, message)


@require_POST
@permission_required("tickets.rate_ticket", raise_exception=True)
def rate(request, reference):
    """D0-13, D4-6: how it was handled. A rating closes what was resolved."""
    found = find_own(request, reference)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _customer_page(request, found, Part.REQUESTER, status=422, feedback_form=form)

    def keep(ticket):
        ticket_actions.rate(ticket, by=request.user, **form.cleaned_data)

    words = _("Thank you. Your rating of %(ticket)s is kept.")
    return _requester_act(request, reference, keep, words)


def _requester_act(request, reference, act, message):
    found = find_own(request, reference)
    try:
        act(found)
        messages.success(request, message % {"ticket": found})
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    return redirect("tickets:list" if not found.is_chat_open else found)

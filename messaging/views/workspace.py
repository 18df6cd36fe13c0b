"""The staff's side of a ticket's page: one conversation, one panel of facts."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tickets import actions as ticket_actions
from tickets import uploads
from tickets.belongings import LINKED
from tickets.forms.handling import MoveForm
from tickets.models import Ticket
from tickets.queues import queues_for
from tickets.relations.links import links_of
from tickets.workflow import ENDED, HANDLERS, Part, TicketRefusal

from .. import actions
from ..forms import StaffMessageForm
from ..inbound.ledger import held_mails
from ..thread import reads_notes
from . import conversation

STAFF_LINES = 20
EARLIER_SHOWN = 5
EARLIER = ("reference", "subject", "status", "last_event_at")


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def ticket(request, reference):
    """D2-6: one conversation, one panel of facts."""
    found, part = conversation.find(request, reference)
    if found.merged_into_id or part == Part.REQUESTER:
        return redirect(found.home.url_for(request.user))
    return _workspace_page(request, found, part)


def _workspace_page(
    request, ticket, part, form=None, *, status=200, move_form=None, file_problems=()
):
    form = form or _blank_staff_form(request, ticket)
    context = _staff_context(request, ticket, part, form)
    context |= {
        "thread": conversation.opening(request, ticket, part, STAFF_LINES, context["merged"]),
        "move_form": move_form or MoveForm(ticket=ticket, by=request.user, auto_id="move_%s"),
        "queues": queues_for(request.user).values(),
        "earlier": _earlier_of(ticket, part),
        "held": held_mails(ticket),
        "links": links_of(ticket, request.user) if context["is_linked"] else [],
        **conversation.waiting_files(request, form, file_problems),
    }
    return render(request, "messaging/workspace_ticket.html", context, status=status)


def _staff_context(request, ticket, part, form=None):
    context, has = conversation.shared_context(ticket, part)
    followers = list(ticket.followers.select_related("person")) if "followers" in has else ()
    return context | {
        "page_url": ticket.workspace_url,
        "form": form or _blank_staff_form(request, ticket),
        "handles": part in HANDLERS,
        "sees_all": reads_notes(part),
        "is_linked": bool(has & LINKED) and reads_notes(part),
        "tags": ticket.tags.all() if "tags" in has else (),
        "followers": followers,
        "is_following": request.user.pk in {each.person_id for each in followers},
        "rating": ticket.newest_feedback,
        "closed_words": actions.chat_closed_words(ticket, request.user),
        **uploads.offer(),
    }


def _blank_staff_form(request, ticket):
    initial = {"key": uuid.uuid4(), "seen": ticket.event_count, "kind": "reply"}
    return StaffMessageForm(initial=initial, ticket=ticket, by=request.user)


def _earlier_of(ticket, part):
    """D0-21: what else its customer has told, for who answers for it now."""
    if part == Part.ADMIN or (part == Part.ASSIGNEE and ticket.status not in ENDED):
        return Ticket.objects.of_customer(ticket).only(*EARLIER)[:EARLIER_SHOWN]
    return []


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def lines(request, reference):
    found, part = conversation.find(request, reference)
    if part == Part.REQUESTER:
        raise PermissionDenied
    return conversation.stream(
        request, found, part, "messaging/_workspace_stream.html", _staff_context
    )


@require_POST
@permission_required("tickets.move_ticket", raise_exception=True)
def write(request, reference):
    """A reply, with a move of the ticket if wanted, or an internal note."""
    found, part = conversation.find(request, reference)
    if part not in HANDLERS:
        raise PermissionDenied
    typed = conversation.typed(request)
    problems, files = conversation.take_files(request, typed)
    form = StaffMessageForm(typed, has_files=files, ticket=found, by=request.user)

    def say():
        words = {name: form.cleaned_data[name] for name in ("body", "key")}
        if form.is_note:
            actions.post_note(found, by=request.user, **words)
        else:
            actions.post_message(
                found,
                by=request.user,
                seen=form.cleaned_data["seen"],
                then=form.cleaned_data["then"],
                resolution=form.cleaned_data["resolution"],
                answers=form.answers,
                **words,
            )

    def page(status):
        # The new lines are on this page now: sending again sends.
        home = found.home
        form.data["seen"] = str(home.event_count)
        return _workspace_page(request, home, part, form, status=status, file_problems=problems)

    return conversation.said(request, found, form, problems, say, page)


@require_POST
@permission_required("tickets.move_ticket", raise_exception=True)
def move(request, reference):
    """A move of the ticket with the words it needs."""
    found, part = conversation.find(request, reference)
    if part not in HANDLERS:
        raise PermissionDenied
    form = MoveForm(request.POST, ticket=found, by=request.user, auto_id="move_%s")
    if form.is_valid():
        try:
            ticket_actions.change_status(
                found, form.cleaned_data["status"], by=request.user, **form.move
            )
            messages.success(request, _("Saved"))
            return redirect(found.workspace_url)
        except TicketRefusal as refusal:
            form.refuse(refusal)
    return _workspace_page(request, found.home, part, status=422, move_form=form)

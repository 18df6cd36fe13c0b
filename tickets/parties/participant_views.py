"""Who takes part in a ticket, and who follows it."""

from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits

from ..asking import act_on, ask, find_handled, find_own, posted
from ..models import Ticket
from ..workflow import Part, TicketRefusal
from . import participants
from .participant_forms import ParticipantForm


@require_http_methods(["GET", "POST"])
@permission_required("tickets.add_participant", raise_exception=True)
def share(request, reference):
    """The requester's page, where the desk lets them choose."""
    if not settings.REQUESTERS_ADD_PARTICIPANTS:
        raise PermissionDenied
    ticket = find_own(request, reference)
    return _choose(request, ticket, partial(_requester_page, request, ticket))


def _requester_page(request, ticket, form):
    context = {
        "ticket": ticket,
        "form": form,
        "participants": ticket.participants.named(),
        "section": "tickets",
    }
    status = 422 if form.is_bound else 200
    return render(request, "tickets/share.html", context, status=status)


@require_http_methods(["GET", "POST"])
@permission_required(["tickets.use_workspace", "tickets.add_participant"], raise_exception=True)
def add_participant(request, reference):
    ticket = find_handled(request, reference)
    ticket.takers = ticket.participants.named()
    title, fragment = _("People who take part"), "workspace/_participants.html"
    return _choose(request, ticket, lambda form: ask(request, ticket, form, title, fragment))


def _choose(request, ticket, page):
    """Adds whom the form names. ``page`` makes the answer that shows the form."""
    form = ParticipantForm(posted(request), auto_id="participant_%s")
    if form.is_valid() and _is_added(request, ticket, form):
        return redirect(ticket.url_for(request.user))
    return limits.answer(page(form), form)


def _is_added(request, ticket, form) -> bool:
    try:
        limits.take(limits.bucket("participant", request.user.pk))
        added = participants.add(ticket, form.cleaned_data["email"], by=request.user)
    except limits.Limited as limited:
        form.add_error(None, limited)
    except TicketRefusal as refusal:
        form.add_error("email", str(refusal))
    else:
        words = _("%(name)s takes part now and is told by email.")
        messages.success(request, words % {"name": added})
        return True
    return False


@require_POST
@permission_required("tickets.add_participant", raise_exception=True)
def remove_participant(request, reference, participant_id):
    """By whoever may choose who takes part, on either side."""
    is_staff = request.user.has_perm("tickets.use_workspace")
    if not (is_staff or settings.REQUESTERS_ADD_PARTICIPANTS):
        raise PermissionDenied
    _ticket, part = Ticket.objects.seen_by(request.user, reference)
    if part in (None, Part.PARTICIPANT):
        raise Http404

    def act(ticket):
        participants.remove(ticket, person=participant_id, by=request.user)
        return _("They see this ticket no more.")

    return act_on(request, reference, act)


@require_POST
@permission_required("tickets.add_participant", raise_exception=True)
def leave(request, reference):
    ticket, part = Ticket.objects.seen_by(request.user, reference)
    if part is None:
        raise Http404
    try:
        participants.remove(ticket, person=request.user.pk, by=request.user)
        words = _("You take part in %(ticket)s no more.")
        messages.success(request, words % {"ticket": ticket})
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
    return redirect("tickets:list")


@require_POST
@permission_required("tickets.follow_ticket", raise_exception=True)
def follow(request, reference):
    def act(ticket):
        participants.follow(ticket, by=request.user)
        return _("You hear of %(ticket)s by email from now on.") % {"ticket": ticket}

    return act_on(request, reference, act)


@require_POST
@permission_required("tickets.follow_ticket", raise_exception=True)
def unfollow(request, reference):
    def act(ticket):
        participants.unfollow(ticket, by=request.user)
        return _("You follow %(ticket)s no more.") % {"ticket": ticket}

    return act_on(request, reference, act)

"""What the forms of the workspace have in common: find, ask, act, and say how it went."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render

from .models import Ticket
from .queues import queues_for
from .workflow import HANDLERS, Part, TicketRefusal


def act_on(request, reference, act):
    """Find the ticket, act on it, say how it went, and go back to it if it is still theirs."""
    ticket, part = Ticket.objects.seen_by(request.user, reference)
    if part is None:
        raise Http404
    try:
        messages.success(request, act(ticket))
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
    is_still_theirs = ticket.part_of(request.user)
    return redirect(ticket.url_for(request.user) if is_still_theirs else "tickets:workspace")


def find_handled(request, reference):
    """The ticket, for those who work on it: 404 to whom it does not exist, 403 to the others."""
    ticket, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part is None:
        raise Http404
    if part not in HANDLERS:
        raise PermissionDenied
    return ticket


def find_own(request, reference):
    """The ticket, for its requester: what only they may do is not there for who takes part, and
    403 for staff."""
    ticket, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part in (None, Part.PARTICIPANT):
        raise Http404
    if part != Part.REQUESTER:
        raise PermissionDenied
    return ticket


def ask(request, ticket, form, title, fragment):
    """A form the ticket's page asks for when it is wanted; a page of its own without scripts."""
    context = {
        "ticket": ticket,
        "form": form,
        "title": title,
        "fragment": fragment,
        "queues": queues_for(request.user).values(),
    }
    template = fragment if request.htmx else "workspace/ask.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def posted(request):
    return request.POST if request.method == "POST" else None

"""What is promised, shown: the deadline to staff, the place in line, the services to everybody."""

from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from .. import actions
from ..asking import act_on, ask, find_handled, posted
from ..models import Ticket
from ..workflow import CUSTOMERS
from . import deadlines, services
from .promise_forms import PromiseForm


@require_http_methods(["GET", "POST"])
@permission_required("tickets.classify_ticket", raise_exception=True)
def deadline(request, reference):
    """D1-15: why the answer is due when it is, and another time for it, with the reason."""
    ticket = find_handled(request, reference)
    ticket.why = deadlines.why(ticket)
    form = PromiseForm(posted(request), initial={"to": ticket.due_at}, auto_id="deadline_%s")
    if not form.is_valid():
        return ask(request, ticket, form, _("Deadline"), "workspace/_deadline.html")

    def act(ticket):
        actions.move_promise(ticket, by=request.user, **form.cleaned_data)
        return _("Saved. %(name)s is told.") % {"name": ticket.requester.get_short_name()}

    return act_on(request, reference, act)


@require_safe
@permission_required("tickets.add_ticket", raise_exception=True)
def place(request, reference):
    """Where a ticket that nobody has stands in line: its page asks each minute (htmx)."""
    ticket, part = Ticket.objects.seen_by(request.user, reference)
    if part is None:
        raise Http404
    if part not in CUSTOMERS:
        raise PermissionDenied
    context = {"ticket": ticket, "place": deadlines.place_of(ticket)}
    return render(request, "tickets/_place.html", context)


@login_not_required
@require_safe
def list_services(request):
    """D0-23: what can be complained about here, and how long an answer takes."""
    context = {"services": services.offered(), "section": "services"}
    return render(request, "tickets/services.html", context)

"""What handlers do with a ticket besides talking."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from .. import actions, fields
from ..asking import act_on, ask, find_handled, posted
from ..forms.details import DetailsForm
from ..forms.handling import ClassifyForm, HandOverForm
from ..improvement import feedback
from ..improvement.feedback_forms import SuggestionForm
from ..models import Ticket
from ..workflow import AlreadyAssigned


@require_POST
@permission_required("tickets.assign_ticket", raise_exception=True)
def take(request, reference):
    def act(ticket):
        actions.assign(ticket, to=request.user, by=request.user)
        return _("%(ticket)s is yours.") % {"ticket": ticket}

    try:
        return act_on(request, reference, act)
    except (Http404, PermissionDenied):  # perhaps a colleague was quicker: it is no more theirs
        colleagues = Ticket.objects.live().of_team(request.user).exclude(assignee=None)
        taken = colleagues.select_related("assignee").filter(reference=reference).first()
        if taken is None:
            raise
        messages.error(request, str(AlreadyAssigned(taken, taken.assignee)))
        return redirect("tickets:workspace")


@require_http_methods(["GET", "POST"])
@permission_required("tickets.assign_ticket", raise_exception=True)
def hand_over(request, reference):
    """To whom, with every agent's load, and what they should know."""
    ticket = find_handled(request, reference)
    form = HandOverForm(posted(request), tickets=[ticket])
    if not form.is_valid():
        return ask(request, ticket, form, _("Hand over"), "workspace/_hand_over.html")

    def act(ticket):
        agent, note = form.cleaned_data["agent"].agent, form.cleaned_data["note"]
        actions.assign(ticket, to=agent, by=request.user, note=note)
        return _("%(ticket)s is with %(agent)s now.") % {"ticket": ticket, "agent": agent}

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.classify_ticket", raise_exception=True)
def classify(request, reference):
    ticket = find_handled(request, reference)
    form = ClassifyForm(posted(request), instance=ticket)
    if not form.is_valid():
        title = _("Kind, priority, category, tags")
        return ask(request, ticket, form, title, "workspace/_classify.html")

    def act(ticket):
        actions.classify(ticket, by=request.user, **form.cleaned_data)
        return _("Saved")

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.classify_ticket", raise_exception=True)
def details(request, reference):
    """The answers to what the category asks besides."""
    ticket = find_handled(request, reference)
    form = DetailsForm(posted(request), ticket=ticket, auto_id="detail_%s")
    if not form.is_valid():
        return ask(request, ticket, form, _("Details"), "workspace/_details.html")

    def act(ticket):
        fields.answer(ticket, by=request.user, answers=form.answers)
        return _("Saved")

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.record_suggestion", raise_exception=True)
def suggest(request, reference):
    """D3-4: what the customer suggested in the talk, for the administrators."""
    ticket = find_handled(request, reference)
    form = SuggestionForm(posted(request))
    if not form.is_valid():
        return ask(request, ticket, form, _("Suggestion"), "workspace/_suggest.html")

    def act(ticket):
        feedback.raise_concern(by=request.user, ticket=ticket, text=form.cleaned_data["text"])
        return _("Kept. The administrators read it.")

    return act_on(request, reference, act)

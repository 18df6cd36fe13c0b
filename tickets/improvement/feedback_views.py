"""Ratings: by the link in a mail, and as the agent reads them. Concerns about the registry."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import limits

from .. import actions
from ..models import Concern, Feedback
from ..paging import page_after
from ..queues import queues_for
from ..workflow import Part, TicketRefusal
from . import feedback
from .feedback_forms import AnswerForm, ConcernForm, FeedbackForm

NEWEST_FIRST = ["-created_at", "-pk"]
PAGE_SIZE = 20


# --- By the link in the mail --------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate_by_link(request, ending):
    """D0-13: who holds the link rates this one ending. Looking at it records nothing."""
    found = feedback.ending_by_link(ending)
    if found is None:
        return _link_page(request, "over", status=404)
    if request.method == "POST":
        return _rate_by_link(request, found)
    if found.is_rated:
        return _link_page(request, "rated", ticket=found.ticket)
    return _link_page(request, "form", ticket=found.ticket, form=FeedbackForm())


def _rate_by_link(request, ending):
    ticket = ending.ticket
    form = FeedbackForm(request.POST)
    try:
        limits.take(limits.bucket("rating_address", limits.address_of(request)))
        if form.is_valid():
            given = form.cleaned_data | {"round": ending.round, "part": Part.REQUESTER}
            actions.rate(ticket, by=ticket.requester, **given)
            return redirect(request.path)
    except limits.Limited as limited:
        form.add_error(None, limited)
    except TicketRefusal:
        return _link_page(request, "rated", status=409, ticket=ticket)
    page = _link_page(request, "form", status=422, ticket=ticket, form=form)
    return limits.answer(page, form)


def _link_page(request, state, status=200, **context):
    """Nothing here is for search engines, or says more than the mail with the link did."""
    context |= {"state": state, "takes_mail": bool(settings.REPLY_ADDRESS)}
    page = render(request, "tickets/rate.html", context, status=status)
    page.headers["X-Robots-Tag"] = "noindex"
    return page


# --- What agents hear ---------------------------------------------------------


@require_GET
@permission_required("tickets.answer_rating", raise_exception=True)
def ratings(request):
    """D4-6, D4-9: how requesters found this agent's work."""
    given = Feedback.objects.filter(agent=request.user, ticket__deleted_at=None)
    rows = given.select_related("ticket")
    context = {
        "page": page_after(rows, NEWEST_FIRST, request.GET.get("after", ""), PAGE_SIZE),
        "average": feedback.average_of(request.user),
        "days": feedback.AVERAGED_DAYS,
        "queues": queues_for(request.user).values(),
    }
    return render(request, "workspace/ratings.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.answer_rating", raise_exception=True)
def answer(request, rating_id):
    """D4-9: once, on a ticket the agent still has."""
    own = Feedback.objects.filter(agent=request.user, ticket__assignee=request.user)
    rating = get_object_or_404(
        own.filter(ticket__deleted_at=None).select_related("ticket"), pk=rating_id
    )
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        queues = queues_for(request.user).values()
        context = {"rating": rating, "ticket": rating.ticket, "form": form, "queues": queues}
        status = 422 if form.is_bound else 200
        return render(request, "workspace/answer_rating.html", context, status=status)
    try:
        feedback.answer(rating, by=request.user, text=form.cleaned_data["text"])
        messages.success(request, _("Your answer is on its way to the customer."))
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
    return redirect("tickets:ratings")


# --- Concerns -----------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@permission_required("tickets.raise_concern", raise_exception=True)
def concerns(request):
    """D4-11: what the person finds wrong with the registry, and what became of it."""
    form = ConcernForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            limits.take(limits.bucket("concern", request.user.pk))
            feedback.raise_concern(by=request.user, text=form.cleaned_data["text"])
            messages.success(request, _("Thank you. An administrator reads it and answers you."))
            return redirect("tickets:concerns")
        except limits.Limited as limited:
            form.add_error(None, limited)
    own = Concern.objects.filter(author=request.user).select_related("ticket")
    context = {
        "form": form,
        "page": page_after(own, NEWEST_FIRST, request.GET.get("after", ""), PAGE_SIZE),
    }
    page = render(request, "tickets/concerns.html", context, status=422 if form.is_bound else 200)
    return limits.answer(page, form)

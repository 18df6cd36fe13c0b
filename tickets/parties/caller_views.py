"""Customers on the phone: tickets raised for them, whose they are, and calling back."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.people import AccountRefusal

from ..asking import act_on, ask, find_handled, find_own, posted
from ..queues import queues_for
from ..workflow import TicketRefusal
from . import calls, requesters
from .caller_forms import CallForm, CustomerForm, LogCallForm, OnBehalfForm


@require_http_methods(["GET", "POST"])
@permission_required("tickets.raise_for_others", raise_exception=True)
def new_for_customer(request):
    """D1-14, D2-5: what somebody told on the phone, at the counter or in a letter."""
    form = OnBehalfForm(posted(request), by=request.user)
    if form.is_valid():
        try:
            ticket = requesters.raise_for(by=request.user, **form.told)
        except (AccountRefusal, TicketRefusal) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(ticket)s is raised.") % {"ticket": ticket})
            is_theirs = ticket.part_of(request.user)
            return redirect(ticket.workspace_url if is_theirs else "tickets:workspace")
    context = {"form": form, "queues": queues_for(request.user).values()}
    return render(request, "workspace/new.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.correct_requester", raise_exception=True)
def correct_requester(request, reference):
    ticket = find_handled(request, reference)
    form = CustomerForm(posted(request), by=request.user, auto_id="customer_%s")
    if not form.is_valid():
        return ask(request, ticket, form, _("Correct the customer"), "workspace/_requester.html")

    def act(ticket):
        try:
            requesters.correct_requester(ticket, by=request.user, **form.cleaned_data)
        except AccountRefusal as refusal:  # since the form looked
            raise TicketRefusal(str(refusal)) from refusal
        return _("%(ticket)s is %(customer)s’s now.") % {
            "ticket": ticket,
            "customer": ticket.requester,
        }

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.log_call", raise_exception=True)
def log_call(request, reference):
    ticket = find_handled(request, reference)
    form = LogCallForm(posted(request), auto_id="call_%s")
    if not form.is_valid():
        return ask(request, ticket, form, _("Log a call"), "workspace/_log_call.html")

    def act(ticket):
        calls.log_call(ticket, by=request.user, **form.cleaned_data)
        return _("The call is in the conversation.")

    return act_on(request, reference, act)


# --- The requester's side -----------------------------------------------------


@require_http_methods(["GET", "POST"])
@permission_required("messaging.add_message", raise_exception=True)
def ask_for_call(request, reference):
    ticket = find_own(request, reference)
    phone = ticket.contact_phone or request.user.phone
    form = CallForm(posted(request), initial={"phone": phone})
    if not form.is_valid():
        context = {"ticket": ticket, "form": form, "section": "tickets"}
        return render(request, "tickets/call.html", context, status=422 if form.is_bound else 200)

    def wish_for_one(ticket):
        calls.ask_for_call(ticket, by=request.user, **form.cleaned_data)
        return _("We call you. You find it on your ticket.")

    return act_on(request, reference, wish_for_one)


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def drop_call(request, reference):
    find_own(request, reference)

    def drop(ticket):
        calls.drop_call(ticket, by=request.user)
        return _("We will not call you.")

    return act_on(request, reference, drop)

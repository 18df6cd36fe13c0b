"""What is done about a regulated complaint, on the page of its ticket."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ..asking import act_on, ask, find_handled, posted
from ..forms.keys import KeyForm
from ..models import TicketEvent
from . import complaints, letters
from .complaint_forms import CodesForm, LevelForm, ResponseForm, StepForm


def _find_case(request, reference):
    ticket = find_handled(request, reference)
    case = complaints.case_of(ticket)
    if case is None:
        raise Http404
    case.ticket = ticket
    return case


def _clicked_twice(request, case):
    """The way back to the ticket, if the first click was heard already; otherwise None."""
    key = KeyForm(request.POST).key
    if not complaints.stepped_before(case.ticket, key, request.user):
        return None
    return _stands_at(request, case, case.get_stage_display())


def _escalated_twice(request, case):
    """The same for a level, whose form has no key: the last one was this, in these words."""
    last = case.ticket.events.filter(kind=TicketEvent.Kind.ESCALATED).last()
    said = (request.POST.get("level"), request.POST.get("text", "").strip())
    if last is None or last.actor != request.user or said != (str(last.data["to"]), last.text):
        return None
    return _stands_at(request, case, case.get_level_display())


def _stands_at(request, case, where):
    messages.info(
        request, _("Saved already. The complaint stands at: %(where)s.") % {"where": where}
    )
    return redirect(case.ticket.workspace_url)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.grade_complaint", raise_exception=True)
def step(request, reference):
    case = _find_case(request, reference)
    if again := _clicked_twice(request, case):
        return again
    form = StepForm(posted(request), case=case, auto_id="step_%s")
    if not form.is_valid():
        return ask(request, case.ticket, form, _("Next step"), "workspace/_complaint_step.html")

    def act(ticket):
        told = form.cleaned_data
        complaints.advance(
            ticket, told["stage"], by=request.user, text=told["text"], key=told["key"]
        )
        return _("Saved. %(name)s is told.") % {"name": ticket.requester.get_short_name()}

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.grade_complaint", raise_exception=True)
def response(request, reference):
    """The final response; its letter can be looked at before it is given."""
    case = _find_case(request, reference)
    if again := _clicked_twice(request, case):
        return again
    form = ResponseForm(posted(request), case=case, auto_id="response_%s")
    if not form.is_valid():
        return _ask_for_response(request, case, form)

    def act(ticket):
        complaints.respond(ticket, by=request.user, **form.cleaned_data)
        return _("The final response is given. The letter stands in the conversation.")

    try:
        if "preview" in request.POST:
            return _preview(request, case, form.cleaned_data)
        return act_on(request, reference, act)
    except letters.TakesTooLong as refusal:
        form.add_error("text", str(refusal))
        return _ask_for_response(request, case, form)


def _ask_for_response(request, case, form):
    fragment = "workspace/_complaint_response.html"
    return ask(request, case.ticket, form, _("Final response"), fragment)


def _preview(request, case, told):
    case.cause, case.remedy = told["cause"], told["remedy"]
    pdf = letters.letter(case, by=request.user, text=told["text"])
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{case.ticket.reference}-preview.pdf"'
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_http_methods(["GET", "POST"])
@permission_required("tickets.grade_complaint", raise_exception=True)
def codes(request, reference):
    case = _find_case(request, reference)
    form = CodesForm(posted(request), case=case, auto_id="codes_%s")
    if not form.is_valid():
        return ask(request, case.ticket, form, _("Codes"), "workspace/_complaint_codes.html")

    def act(ticket):
        complaints.code(ticket, by=request.user, **form.cleaned_data)
        return _("Saved")

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.grade_complaint", raise_exception=True)
def level(request, reference):
    case = _find_case(request, reference)
    if again := _escalated_twice(request, case):
        return again
    form = LevelForm(posted(request), case=case, auto_id="level_%s")
    if not form.is_valid():
        return ask(request, case.ticket, form, _("Escalate"), "workspace/_complaint_level.html")

    def act(ticket):
        told = form.cleaned_data
        complaints.escalate(ticket, told["level"], by=request.user, text=told["text"])
        return _("Saved. %(name)s is told.") % {"name": ticket.requester.get_short_name()}

    return act_on(request, reference, act)

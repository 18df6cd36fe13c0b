"""The ticket page of both sides, its lines as they come, and what is said there.

One page, one stream of lines, one way to say something for each side: the requester's under
``/tickets/``, the staff's under ``/workspace/``. Content always comes over plain HTTP with its
check; the sockets only ring.
"""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tickets import actions as ticket_actions
from tickets import uploads
from tickets.deadlines import outlook_of
from tickets.forms import FeedbackForm, KeyForm, MoveForm
from tickets.models import Attachment, Ticket
from tickets.promises import promise_of
from tickets.queues import queues_for
from tickets.workflow import ENDED, HANDLERS, Part, Status, TicketRefusal, TransitionRefused

from . import actions
from .forms import MessageForm, StaffMessageForm
from .thread import Kind, thread_of, timeline_of

REQUESTER_LINES = 10
STAFF_LINES = 20


def _find(request, reference):
    """The ticket and what the reader is to it, or 404."""
    found, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part is None:
        raise Http404
    return found, part


def _opening(request, ticket, part, newest):
    """The thread as its page opens: the newest lines, or all if that is asked for."""
    return thread_of(ticket, part, request.user, newest=None if "all" in request.GET else newest)


def _number(request, name) -> int:
    value = request.GET.get(name, "")[:10]
    return min(int(value), 2**31 - 1) if value.isdecimal() else 0


# --- The requester's side -----------------------------------------------------


@require_GET
@permission_required("messaging.add_message", raise_exception=True)
def ticket(request, reference):
    """D1-19, D3-2: what was said, where it stands, who has it and what comes next."""
    found, part = _find(request, reference)
    if part != Part.REQUESTER:
        return redirect(found.workspace_url)
    return _requester_page(request, found)


def _requester_page(
    request, ticket, form=None, *, status=200, feedback_form=None, file_problems=()
):
    form = form or MessageForm(initial={"key": uuid.uuid4()})
    context = _requester_context(request, ticket) | {
        "thread": _opening(request, ticket, Part.REQUESTER, REQUESTER_LINES),
        "form": form,
        "section": "tickets",
        **_waiting_files(request, form, file_problems),
    }
    if feedback_form:
        context["feedback_form"] = feedback_form
    return render(request, "messaging/ticket.html", context, status=status)


def _requester_context(request, ticket):
    """What changes with the ticket's lines, on the page and in the stream alike."""
    return {
        "ticket": ticket,
        "part": Part.REQUESTER,
        "page_url": ticket.get_absolute_url(),
        "promise": promise_of(ticket),
        "call": ticket.waiting_call(),
        "outlook": outlook_of(ticket),
        "timeline": timeline_of(ticket),
        "may_rate": ticket.may_be_rated,
        "feedback_form": FeedbackForm(),
        "form": MessageForm(initial={"key": uuid.uuid4()}),
        "closed_words": actions.chat_closed_words(ticket, request.user),
        **uploads.offer(),
    }


def _waiting_files(request, form, problems=()):
    key = form["key"].value()
    return {
        "files": Attachment.objects.waiting_in(key, request.user) if form.is_bound else [],
        "file_problems": problems,
    }


@require_GET
@permission_required("messaging.add_message", raise_exception=True)
def lines(request, reference):
    """The lines after ``?after=N`` (or before ``?before=N``) as the page shows them."""
    found, part = _find(request, reference)
    if part != Part.REQUESTER:
        raise PermissionDenied
    return _stream(request, found, part, "messaging/_stream.html", _requester_context)


def _stream(request, ticket, part, template, context_of):
    before = _number(request, "before")
    if before:
        thread = thread_of(ticket, part, request.user, before=before)
        context = {"thread": thread, "part": part, "ticket": ticket}
        return render(request, "messaging/_lines.html", context)
    after = _number(request, "after")
    if after >= ticket.event_count:
        return HttpResponse(status=204)
    thread = thread_of(ticket, part, request.user, after=after)
    if not thread.lines:  # nothing this reader may know of
        return HttpResponse(status=204)
    moves = [line for line in thread.lines if line.kind in (Kind.STATUS, Kind.RATED)]
    context = context_of(request, ticket) | {
        "thread": thread,
        "moved": bool(moves),
        # Only then is the composer replaced: somebody may be writing in it.
        "flips_chat": any(
            (move.data.get("from") in ENDED) != (move.data.get("to") in ENDED) for move in moves
        ),
    }
    response = render(request, template, context)
    response["X-Last-Line"] = str(ticket.event_count)
    return response


@require_POST
@permission_required("messaging.add_message", raise_exception=True)
def reply(request, reference):
    """D4-4: the requester's words and files."""
    found, part = _find(request, reference)
    if part != Part.REQUESTER:
        raise PermissionDenied
    typed = _typed(request)
    problems, files = _take_files(request, typed)
    form = MessageForm(typed, has_files=files)

    def say():
        actions.post_message(
            found, by=request.user, body=form.cleaned_data["body"], key=form.cleaned_data["key"]
        )

    def page(status):
        return _requester_page(request, found, form, status=status, file_problems=problems)

    return _said(request, found, form, problems, say, page)


def _typed(request):
    """What was posted, with a one-time key if it came without a usable one."""
    typed = request.POST.copy()
    if KeyForm(typed).key is None:
        typed["key"] = str(uuid.uuid4())
    return typed


def _take_files(request, typed):
    """Keeps what came, or takes one away: the refusals, and whether any file waits now."""
    key = KeyForm(typed).key
    if remove := KeyForm({"key": request.POST.get("remove")}).key:
        uploads.remove(remove, by=request.user, draft_key=key)
    problems = uploads.keep(request.FILES.getlist("files"), by=request.user, draft_key=key)
    return problems, Attachment.objects.waiting_in(key, request.user).exists()


def _said(request, ticket, form, problems, say, page):
    """Says it if all is well; otherwise the page again, with the words and the reasons."""
    if "remove" in request.POST or problems or not form.is_valid():
        return page(422)
    try:
        say()
    except TicketRefusal as refusal:
        ticket.refresh_from_db()  # the transaction was undone, what it did to the object was not
        form.refuse(refusal)
        return page(403 if isinstance(refusal, actions.ChatClosed) else 409)
    if request.htmx:  # the open page asks for the lines itself
        return HttpResponse(status=204)
    return redirect(f"{ticket.url_for(request.user)}#latest")


def _requester_act(request, reference, act, message):
    found, part = _find(request, reference)
    if part != Part.REQUESTER:
        raise PermissionDenied
    try:
        act(found)
        messages.success(request, message % {"ticket": found})
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    return redirect("tickets:list" if not found.is_chat_open else found)


def _requester_move(request, reference, to, message):
    def move(found):
        try:
            ticket_actions.change_status(found, to, by=request.user)
        except TransitionRefused:
            if found.status != to:  # otherwise this was the second of two clicks
                raise

    return _requester_act(request, reference, move, message)


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


@require_POST
@permission_required("tickets.rate_ticket", raise_exception=True)
def rate(request, reference):
    """D0-13, D4-6: how it was handled. A rating closes what was resolved."""
    found, part = _find(request, reference)
    if part != Part.REQUESTER:
        raise PermissionDenied
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _requester_page(request, found, status=422, feedback_form=form)

    def keep(ticket):
        ticket_actions.rate(ticket, by=request.user, **form.cleaned_data)

    words = _("Thank you. Your rating of %(ticket)s is kept.")
    return _requester_act(request, reference, keep, words)


# --- The staff's side ---------------------------------------------------------


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def workspace_ticket(request, reference):
    """D2-6: one conversation, one panel of facts."""
    found, part = _find(request, reference)
    if part == Part.REQUESTER:
        return redirect(found)
    return _workspace_page(request, found, part)


def _blank_staff_form(request, ticket):
    initial = {"key": uuid.uuid4(), "seen": ticket.event_count, "kind": "reply"}
    return StaffMessageForm(initial=initial, ticket=ticket, by=request.user)


def _workspace_page(
    request, ticket, part, form=None, *, status=200, move_form=None, file_problems=()
):
    form = form or _blank_staff_form(request, ticket)
    context = _staff_context(request, ticket, part, form) | {
        "thread": _opening(request, ticket, part, STAFF_LINES),
        "move_form": move_form or MoveForm(ticket=ticket, by=request.user, auto_id="move_%s"),
        "queues": queues_for(request.user).values(),
        **_waiting_files(request, form, file_problems),
    }
    return render(request, "messaging/workspace_ticket.html", context, status=status)


def _staff_context(request, ticket, part=None, form=None):
    part = part or ticket.part_of(request.user)
    return {
        "ticket": ticket,
        "part": part,
        "page_url": ticket.workspace_url,
        "form": form or _blank_staff_form(request, ticket),
        "handles": part in HANDLERS,
        "rating": ticket.newest_feedback,
        "call": ticket.waiting_call(),
        "closed_words": actions.chat_closed_words(ticket, request.user),
        **uploads.offer(),
    }


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def workspace_lines(request, reference):
    found, part = _find(request, reference)
    if part == Part.REQUESTER:
        raise PermissionDenied
    return _stream(request, found, part, "messaging/_workspace_stream.html", _staff_context)


@require_POST
@permission_required("tickets.move_ticket", raise_exception=True)
def write(request, reference):
    """A reply, with a move of the ticket if wanted, or an internal note."""
    found, part = _find(request, reference)
    if part not in HANDLERS:
        raise PermissionDenied
    typed = _typed(request)
    problems, files = _take_files(request, typed)
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
        form.data["seen"] = str(found.event_count)
        return _workspace_page(request, found, part, form, status=status, file_problems=problems)

    return _said(request, found, form, problems, say, page)


@require_POST
@permission_required("tickets.move_ticket", raise_exception=True)
def move(request, reference):
    """A move of the ticket with the words it needs."""
    found, part = _find(request, reference)
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
    return _workspace_page(request, found, part, status=422, move_form=form)

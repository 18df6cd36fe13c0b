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
from tickets.asking import find_own
from tickets.belongings import LINKED, belongings_of
from tickets.forms import FeedbackForm, KeyForm, MoveForm
from tickets.models import Attachment, Ticket
from tickets.parties import participants
from tickets.parties.participant_wording import promise_for
from tickets.promise.deadlines import outlook_of
from tickets.queues import queues_for
from tickets.regulated.complaint_words import procedure_of
from tickets.relations.links import links_for_requester, links_of
from tickets.workflow import (
    CUSTOMERS,
    ENDED,
    HANDLERS,
    MergedAway,
    Part,
    Status,
    TicketRefusal,
    TransitionRefused,
)

from . import actions
from .forms import MessageForm, StaffMessageForm
from .thread import Kind, Place, reads_notes, thread_after, thread_of, timeline_of

REQUESTER_LINES = 10
STAFF_LINES = 20
EARLIER_SHOWN = 5
EARLIER = ("reference", "subject", "status", "last_event_at")


def _find(request, reference):
    """The ticket and what the reader is to it, or 404."""
    found, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part is None:
        raise Http404
    return found, part


def _opening(request, ticket, part, newest, merged):
    """The thread as its page opens: the newest lines, or all if that is asked for."""
    newest = None if "all" in request.GET else newest
    return thread_of(ticket, part, request.user, newest=newest, merged=merged)


def _number(value) -> int:
    return min(int(value[:10]), 2**31 - 1) if value[:10].isdecimal() else 0


def _before(request, ticket) -> Place | None:
    """The line whose anchor ``?before=`` names; without a ticket it is one of ``ticket``."""
    reference, dash, number = request.GET.get("before", "").rpartition("-")
    if dash and not reference:
        return None
    number = _number(number)
    return Place(reference or ticket.reference, number) if number else None


# --- The customers' side: the requester's, and of who takes part ---------------


@require_GET
@permission_required("messaging.add_message", raise_exception=True)
def ticket(request, reference):
    """D1-19, D3-2: what was said, where it stands, who has it and what comes next."""
    found, part = _find(request, reference)
    if found.merged_into_id or part not in CUSTOMERS:
        return redirect(found.home.url_for(request.user))
    return _customer_page(request, found, part)


def _customer_page(
    request, ticket, part, form=None, *, status=200, feedback_form=None, file_problems=()
):
    form = form or MessageForm(initial={"key": uuid.uuid4()})
    context = _customer_context(request, ticket, part)
    context |= {
        "thread": _opening(request, ticket, part, REQUESTER_LINES, context["merged"]),
        "form": form,
        "section": "tickets",
        **_waiting_files(request, form, file_problems),
    }
    if feedback_form:
        context["feedback_form"] = feedback_form
    return render(request, "messaging/ticket.html", context, status=status)


def _customer_context(request, ticket, part):
    """What changes with the ticket's lines, on the page and in the stream alike."""
    is_requester = part == Part.REQUESTER
    context, has = _shared_context(ticket, part)
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


def _shared_context(ticket, part):
    """What both sides' pages show of what hangs on ``ticket``; and what that is."""
    has = belongings_of(ticket)
    if not has & {"answers", "questions"}:
        ticket.details = []  # known without asking
    context = {
        "ticket": ticket,
        "part": part,
        "merged": list(ticket.merged.all()) if "merged" in has else (),
        "participants": list(ticket.participants.named()) if "participants" in has else (),
        "call": ticket.waiting_call() if has & {"call", "merged"} else None,
    }
    if "case" in has and part != Part.EARLIER:
        context |= procedure_of(ticket)
    return context, has


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
    if part not in CUSTOMERS:
        raise PermissionDenied
    return _stream(request, found, part, "messaging/_stream.html", _customer_context)


def _stream(request, ticket, part, template, context_of):
    if ticket.merged_into_id:
        raise Http404  # so that an open page asks for itself, and is led to where it goes on
    if before := _before(request, ticket):
        thread = thread_of(ticket, part, request.user, before=before, merged=ticket.merged.all())
        context = {
            "thread": thread,
            "part": part,
            "is_customer": part in CUSTOMERS,
            "ticket": ticket,
        }
        return render(request, "messaging/_lines.html", context)
    after = _number(request.GET.get("after", ""))
    if after >= ticket.event_count:
        return HttpResponse(status=204)
    thread = thread_after(ticket, part, request.user, after)
    if not thread.lines:  # nothing this reader may know of
        return HttpResponse(status=204)
    moves = [line for line in thread.lines if line.kind in (Kind.STATUS, Kind.RATED)]
    context = context_of(request, ticket, part) | {
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
    """D4-4: the customer's words and files."""
    found, part = _find(request, reference)
    if part not in CUSTOMERS:
        raise PermissionDenied
    typed = _typed(request)
    problems, files = _take_files(request, typed)
    form = MessageForm(typed, has_files=files)

    def say():
        actions.post_message(
            found, by=request.user, body=form.cleaned_data["body"], key=form.cleaned_data["key"]
        )

    def page(status):
        home = found.home
        return _customer_page(request, home, part, form, status=status, file_problems=problems)

    return _said(request, found, form, problems, say, page)


def _typed(request):
    """What was posted, with a one-time key if it came without a usable one."""
    typed = request.POST.copy()
    if KeyForm(typed).key is None:
        typed["key"] = str(uuid.uuid4())
    return typed


def _take_files(request, typed):
    """Keeps what came, or takes one away: the refusals, and the files that wait now."""
    key = KeyForm(typed).key
    if remove := KeyForm({"key": request.POST.get("remove")}).key:
        uploads.remove(remove, by=request.user, draft_key=key)
    problems = uploads.keep(request.FILES.getlist("files"), by=request.user, draft_key=key)
    return problems, Attachment.objects.waiting_in(key, request.user)


def _said(request, ticket, form, problems, say, page):
    """Says it if all is well; otherwise the page again, with the words and the reasons."""
    if "remove" in request.POST or problems or not form.is_valid():
        return page(422)
    try:
        if ticket.merged_into_id:
            raise MergedAway(ticket)
        say()
    except TicketRefusal as refusal:
        ticket.refresh_from_db()  # the transaction was undone, what it did to the object was not
        form.refuse(refusal)
        return page(403 if isinstance(refusal, actions.ChatClosed) else 409)
    if request.htmx:  # the open page asks for the lines itself
        return HttpResponse(status=204)
    return redirect(f"{ticket.url_for(request.user)}#latest")


def _requester_act(request, reference, act, message):
    found = find_own(request, reference)
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
    found = find_own(request, reference)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _customer_page(request, found, Part.REQUESTER, status=422, feedback_form=form)

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
    if found.merged_into_id or part == Part.REQUESTER:
        return redirect(found.home.url_for(request.user))
    return _workspace_page(request, found, part)


def _earlier_of(ticket, part):
    """D0-21: what else its customer has told, for who answers for it now."""
    if part == Part.ADMIN or (part == Part.ASSIGNEE and ticket.status not in ENDED):
        return Ticket.objects.of_customer(ticket).only(*EARLIER)[:EARLIER_SHOWN]
    return []


def _blank_staff_form(request, ticket):
    initial = {"key": uuid.uuid4(), "seen": ticket.event_count, "kind": "reply"}
    return StaffMessageForm(initial=initial, ticket=ticket, by=request.user)


def _workspace_page(
    request, ticket, part, form=None, *, status=200, move_form=None, file_problems=()
):
    form = form or _blank_staff_form(request, ticket)
    context = _staff_context(request, ticket, part, form)
    context |= {
        "thread": _opening(request, ticket, part, STAFF_LINES, context["merged"]),
        "move_form": move_form or MoveForm(ticket=ticket, by=request.user, auto_id="move_%s"),
        "queues": queues_for(request.user).values(),
        "earlier": _earlier_of(ticket, part),
        "links": links_of(ticket, request.user) if context["is_linked"] else [],
        **_waiting_files(request, form, file_problems),
    }
    return render(request, "messaging/workspace_ticket.html", context, status=status)


def _staff_context(request, ticket, part, form=None):
    context, has = _shared_context(ticket, part)
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
        home = found.home
        form.data["seen"] = str(home.event_count)
        return _workspace_page(request, home, part, form, status=status, file_problems=problems)

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
    return _workspace_page(request, found.home, part, status=422, move_form=form)

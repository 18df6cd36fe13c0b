"""What both sides' pages of a ticket share: its lines as they come, and how words are sent.

One page, one stream of lines, one way to say something for each side: the requester's under
``/tickets/``, the staff's under ``/workspace/``. Content always comes over plain HTTP with its
check; the sockets only ring.
"""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from tickets import uploads
from tickets.belongings import belongings_of
from tickets.forms.keys import KeyForm
from tickets.models import Attachment, Ticket
from tickets.regulated.complaint_words import procedure_of
from tickets.workflow import CUSTOMERS, ENDED, MergedAway, Part, TicketRefusal

from ..actions import ChatClosed
from ..thread import Kind, Place, thread_after, thread_of


def find(request, reference):
    """The ticket and what the reader is to it, or 404."""
    found, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part is None:
        raise Http404
    return found, part


def opening(request, ticket, part, newest, merged):
    """The thread as its page opens: the newest lines, or all if that is asked for."""
    newest = None if "all" in request.GET else newest
    return thread_of(ticket, part, request.user, newest=newest, merged=merged)


def shared_context(ticket, part):
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


def waiting_files(request, form, problems=()):
    key = form["key"].value()
    return {
        "files": Attachment.objects.waiting_in(key, request.user) if form.is_bound else [],
        "file_problems": problems,
    }


def stream(request, ticket, part, template, context_of):
    """The lines after ``?after=N`` or before ``?before=N``; 204 if the reader may know of none."""
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


def _before(request, ticket) -> Place | None:
    """The line whose anchor ``?before=`` names; without a ticket it is one of ``ticket``."""
    reference, dash, number = request.GET.get("before", "").rpartition("-")
    if dash and not reference:
        return None
    number = _number(number)
    return Place(reference or ticket.reference, number) if number else None


def _number(value) -> int:
    return min(int(value[:10]), 2**31 - 1) if value[:10].isdecimal() else 0


def typed(request):
    """What was posted, with a one-time key if it came without a usable one."""
    posted = request.POST.copy()
    if KeyForm(posted).key is None:
        posted["key"] = str(uuid.uuid4())
    return posted


def take_files(request, typed):
    """Keeps what came, or takes one away: the refusals, and the files that wait now."""
    key = KeyForm(typed).key
    if remove := KeyForm({"key": request.POST.get("remove")}).key:
        uploads.remove(remove, by=request.user, draft_key=key)
    problems = uploads.keep(request.FILES.getlist("files"), by=request.user, draft_key=key)
    return problems, Attachment.objects.waiting_in(key, request.user)


def said(request, ticket, form, problems, say, page):
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
        return page(403 if isinstance(refusal, ChatClosed) else 409)
    if request.htmx:  # the open page asks for the lines itself
        return HttpResponse(status=204)
    return redirect(f"{ticket.url_for(request.user)}#latest")

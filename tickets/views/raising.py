"""Raising a ticket: the form with its draft, the review, the confirmation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits

from .. import actions, drafts, uploads
from ..forms.keys import KeyForm
from ..forms.raising import TicketForm
from ..likeness import tickets_like
from ..models import Attachment, Ticket
from ..promise.deadlines import outlook_of
from ..promise.promises import promise_of
from ..relations.links import ended_ticket_of
from ..wording import clock
from ..workflow import TicketRefusal


def _require_writer(request):
    """Visitors may write a ticket up to the sending; somebody who waits for approval may not."""
    if request.user.is_authenticated and not request.user.has_perm("tickets.add_ticket"):
        raise PermissionDenied


def _keep_words(draft, form):
    draft.fields = form.typed()
    draft.save()


def _keep_files(request, draft) -> list[str]:
    """Takes a waiting file away, keeps the new ones; the refusals."""
    if not request.user.is_authenticated:
        return []
    if attachment_id := KeyForm({"key": request.POST.get("remove")}).key:
        uploads.remove(attachment_id, by=request.user, draft_key=draft.key)
    return uploads.keep(request.FILES.getlist("attachments"), by=request.user, draft_key=draft.key)


def _files_context(request, draft, problems=()):
    signed_in = draft and request.user.is_authenticated
    files = Attachment.objects.waiting_in(draft.key, request.user) if signed_in else []
    return {"files": files, "file_problems": problems, **uploads.offer()}


def _new_page(request, form, draft, problems=()):
    context = _files_context(request, draft, problems) | {"form": form, "section": "new"}
    return render(request, "tickets/new.html", context)


@login_not_required
@never_cache  # it holds what was typed, by visitors too
@require_http_methods(["GET", "POST"])
def new(request):
    """The form. Whatever it is worth, what was typed goes into the draft."""
    _require_writer(request)
    if request.method == "GET":
        draft = drafts.current(request)
        judged = draft and "check" in request.GET
        form = TicketForm(draft.fields) if judged else TicketForm.resume(draft, _about(request))
        return _new_page(request, form, draft)
    form = TicketForm(request.POST)
    try:
        draft = drafts.start(request)
    except limits.Limited as limited:
        messages.error(request, limited.message)
        return limits.too_many(_new_page(request, form, None), limited)
    _keep_words(draft, form)
    problems = _keep_files(request, draft)
    if "remove" in request.POST:
        return _new_page(request, TicketForm.resume(draft), draft, problems)
    if "later" in request.POST and not problems:
        messages.success(request, _("Your ticket is saved. Nothing has been sent yet."))
        return redirect("tickets:list" if request.user.is_authenticated else "home")
    if problems or form.errors:
        return _new_page(request, form, draft, problems)
    return redirect("tickets:review" if form.is_valid() else _new_url(form))


def _about(request) -> Ticket | None:
    """The ticket of theirs that somebody wants to follow up."""
    reference = request.GET.get("about", "").replace("\0", "")
    return ended_ticket_of(request.user, reference) if request.user.is_authenticated else None


@login_not_required
@require_GET
def questions(request):
    """What the chosen category asks besides (htmx). Without scripts the next page asks it."""
    _require_writer(request)
    form = TicketForm(initial={"category": request.GET.get("category")})
    return render(request, "tickets/_questions.html", {"form": form})


@login_not_required
@require_POST
def save_draft(request):
    """Saves in the background while somebody types (htmx)."""
    _require_writer(request)
    try:
        _keep_words(drafts.start(request), TicketForm(request.POST))
    except limits.Limited as limited:
        return limits.too_many(HttpResponse(limited.message, content_type="text/plain"), limited)
    return render(request, "tickets/_draft_saved.html", {"at": clock(timezone.now())})


@require_POST
@permission_required("tickets.add_ticket", raise_exception=True)
def draft_files(request):
    """Takes files as they are chosen, or one away, and answers the list (htmx)."""
    try:
        draft = drafts.start(request)
    except limits.Limited as limited:
        context = _files_context(request, None, [limited.message])
        return limits.too_many(render(request, "tickets/_files.html", context), limited)
    context = _files_context(request, draft, _keep_files(request, draft))
    return render(request, "tickets/_files.html", context)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def review(request):
    """Everything once more before it is sent; sending asks visitors to sign in."""
    _require_writer(request)
    if request.method == "POST":
        return _send(request)
    draft = drafts.current(request)
    form = TicketForm(draft.fields) if draft else None
    if form is None or not form.is_valid():
        return redirect(_new_url(form))
    context = {"form": form, "draft": draft, "version": draft.version(), "section": "new"}
    if request.user.is_authenticated:
        context["about"] = ended_ticket_of(request.user, form.cleaned_data["about"])
        context["address"] = request.user.addresses.first()  # the default stands first
        context["told_before"] = tickets_like(
            request.user,
            **{name: form.cleaned_data[name] for name in ("category", "subject", "description")},
        )
    return render(request, "tickets/review.html", context | _files_context(request, draft))


def _new_url(form) -> str:
    """Back to the form: to what was not asked yet, or with its errors if there are any."""
    if form is None:
        return reverse("tickets:new")
    return reverse("tickets:new") + ("#questions" if form.has_new_questions else "?check=1")


def _send(request):
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    key = KeyForm(request.POST).key
    if key is None:
        return redirect("tickets:review")
    draft = request.user.ticket_drafts.filter(key=key).first()
    if draft is None:  # sent already: the second of two clicks, or the way back in the browser
        return _confirm(request, get_object_or_404(Ticket, requester=request.user, draft_key=key))
    form = TicketForm(draft.fields)
    if not form.is_valid():
        return redirect(_new_url(form))
    if request.POST.get("version") != draft.version():
        messages.warning(request, _("It was changed since, perhaps in another window. Check it."))
        return redirect("tickets:review")
    try:
        ticket = actions.raise_ticket(by=request.user, draft_key=draft.key, **form.told)
    except TicketRefusal as refusal:
        messages.error(request, str(refusal))
        return redirect("tickets:review")
    return _confirm(request, ticket)


def _confirm(request, ticket):
    """Of two clicks the browser drops the first answer, and with it may drop what that said: so
    both say it, unless it waits to be shown already."""
    words, waiting = _("Ticket created"), messages.get_messages(request)
    if words not in [each.message for each in waiting]:
        messages.success(request, words)
    waiting.used = False  # they were looked at, not shown
    return redirect("tickets:done", ticket.reference)


@require_GET
@permission_required("tickets.add_ticket", raise_exception=True)
def done(request, reference):
    """The confirmation; it can be reloaded and bookmarked."""
    tickets = Ticket.objects.filter(requester=request.user, deleted_at=None)
    ticket = get_object_or_404(tickets.with_promise(), reference=reference)
    if ticket.merged_into_id:
        return redirect(ticket.home)
    context = {
        "ticket": ticket,
        "promise": promise_of(ticket),
        "outlook": outlook_of(ticket),
        "section": "new",
    }
    return render(request, "tickets/done.html", context)

"""Lists, raising a ticket, files, and what handlers do besides talking."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits
from accounts.applications import ApplicationRefused, may_join

from . import actions, drafts, fields, uploads
from .asking import act_on, ask, find_handled, posted
from .counting import capped_counts
from .detail_forms import DetailsForm
from .expertise import may_offer, offer
from .filters import QueueFilter
from .forms import (
    ClassifyForm,
    ExpertiseForm,
    HandOverForm,
    KeyForm,
    SuggestionForm,
    TicketForm,
)
from .improvement import feedback
from .likeness import tickets_like
from .models import Attachment, Ticket
from .paging import page_after
from .promise.deadlines import outlook_of
from .promise.promises import promise_of
from .queues import counts_of, queues_for
from .relations.links import ended_ticket_of
from .wording import clock
from .workflow import LIVE, AlreadyAssigned, Status, TicketRefusal

TABS = {
    "open": (gettext_lazy("Open"), LIVE),
    "resolved": (gettext_lazy("Resolved"), (Status.RESOLVED, Status.CLOSED, Status.WITHDRAWN)),
    "all": (gettext_lazy("All"), tuple(Status)),
}
PAGE_SIZE = 10
QUEUE_SIZE = 25


@require_GET
@permission_required("tickets.add_ticket", raise_exception=True)
def ticket_list(request):
    """D1-4: what the person has raised, what needs their reply first."""
    mine = Ticket.objects.visible_to(request.user).filter(requester=request.user)
    tab = request.GET.get("tab") if request.GET.get("tab") in TABS else "open"
    shared = Ticket.objects.shared_with(request.user)
    if request.GET.get("tab") == "shared":
        tab, rows, ordering = "shared", shared.for_shared_rows(), ["-pk"]
    else:
        rows = mine.filter(status__in=TABS[tab][1]).for_requester_rows()
        ordering = ["-needs_requester", "-last_event_at", "-pk"]
    page = page_after(rows, ordering, request.GET.get("after", ""), PAGE_SIZE)
    counts = capped_counts(
        request.user,
        shared=shared,
        turns=mine.live().filter(needs_requester=True),
        **{name: mine.filter(status__in=states) for name, (_title, states) in TABS.items()},
    )
    context = {
        "page": page,
        "has_any": counts["all"] != "0",
        "shared": counts["shared"],
        "tab": tab,
        "tabs": [(name, title, counts[name]) for name, (title, _states) in TABS.items()],
        "turns": int(counts["turns"].rstrip("+")),
        "draft": drafts.current(request),
        "section": "tickets",
    }
    if tab == "open":
        context["recent"] = mine.lately_resolved().with_rating()[:3]
    part = "_ticket_list" if _wants_fragment(request) else "ticket_list"
    return render(request, f"tickets/{part}.html", context)


def _wants_fragment(request) -> bool:
    """The way back in the browser's history asks by htmx as well, but for the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


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
        first = get_object_or_404(Ticket, requester=request.user, draft_key=key)
        return redirect("tickets:done", first.reference)
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
    messages.success(request, _("Ticket created"))
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


@require_GET
def attachment(request, pk):
    """A file, for whoever may read the line it came with. Never shown on our own pages' origin
    as anything a browser would run."""
    found = get_object_or_404(Attachment.objects.visible_to(request.user), pk=pk)
    response = FileResponse(found.file.open("rb"), content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


# --- The workspace ------------------------------------------------------------


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def workspace(request):
    """D1-5: the agent's list."""
    queues = queues_for(request.user)
    queue = queues.get(request.GET.get("view")) or next(iter(queues.values()))
    narrowed = QueueFilter(
        request.GET, queryset=queue.tickets(request.user).for_rows(), request=request
    )
    page = page_after(narrowed.qs, list(queue.ordering), request.GET.get("after", ""), QUEUE_SIZE)
    context = {
        "queue": queue,
        "queues": queues.values(),
        "counts": counts_of(queues.values(), request.user),
        "filter": narrowed,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.filters),
        "page": page,
    }
    part = "_queue" if _wants_fragment(request) else "queue"
    return render(request, f"workspace/{part}.html", context)


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


# --- What an agent knows ------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def offer_expertise(request):
    """Who asks to become an agent says what they know; who is one reads it."""
    person = request.user
    known = person.expertise.by_category()
    if person.is_approved and not may_join(person):
        if person.is_admin or request.method == "POST":
            raise PermissionDenied  # administrators write it, in the console
        return render(request, "tickets/expertise.html", {"known": known, "section": "work"})
    waiting_page = "account_apply" if person.is_approved else "account_waiting"
    if not may_offer(person):
        return redirect(waiting_page)
    form = ExpertiseForm(posted(request), known=dict(known.values_list("category", "level")))
    if not form.is_valid():
        context = {"form": form, "back": reverse(waiting_page)}
        return render(request, "tickets/offer_expertise.html", context)
    try:
        offer(person, form.levels)
        messages.success(request, _("Saved"))
    except ApplicationRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(waiting_page)

"""Problems: one cause behind many complaints, for the staff."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.console import capped

from ..asking import act_on, ask, find_handled, posted
from ..counting import LIMIT, CappedCount
from ..models import Problem, Ticket
from ..paging import page_after
from ..queues import queues_for
from ..workflow import TicketRefusal
from . import problems
from .problem_forms import LinkForm, MendedForm, ProblemForm

TABS = {"open": gettext_lazy("Open"), "mended": gettext_lazy("Mended")}
PAGE_SIZE = 25
MOST_COUNTED = 1_000


def _page(request, name, status=200, **context):
    context["queues"] = queues_for(request.user).values()
    return render(request, f"workspace/{name}.html", context, status=status)


@require_safe
@permission_required("tickets.view_problem", raise_exception=True)
def problem_list(request):
    """D0-27: what many complain about, the newest first."""
    tab = request.GET.get("tab") if request.GET.get("tab") in TABS else "open"
    have_it = Ticket.objects.present().filter(problem=OuterRef("pk")).order_by()
    rows = (
        Problem.objects.filter(mended_at__isnull=tab == "open")
        .select_related("owner", "category")
        .annotate(ticket_count=CappedCount(have_it.values("pk")[:LIMIT]))
    )
    page = page_after(rows, ["-pk"], request.GET.get("after", ""), PAGE_SIZE)
    for problem in page.rows:
        problem.tickets_shown = capped(problem.ticket_count, LIMIT - 1)
    return _page(request, "problems", page=page, tabs=TABS.items(), tab=tab)


@require_safe
@permission_required("tickets.view_problem", raise_exception=True)
def problem(request, problem_id):
    """What is known of it, and those of its tickets that the reader works with.

    Of the others they read how many there are: that a cause is shared is why it is written down.
    """
    found = _find(problem_id)
    theirs = problems.tickets_for(request.user, found)
    present = Ticket.objects.present().filter(problem=found)
    others = present.exclude(pk__in=theirs.values("pk")).order_by()
    return _page(
        request,
        "problem",
        problem=found,
        page=page_after(theirs.for_rows(), ["-pk"], request.GET.get("after", ""), PAGE_SIZE),
        others=_counted(others.values("pk")),
    )


def _find(problem_id):
    people = Problem.objects.select_related("owner", "category", "created_by", "mended_by")
    return get_object_or_404(people, pk=problem_id)


def _counted(rows) -> str:
    return capped(rows[: MOST_COUNTED + 1].count(), MOST_COUNTED)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("tickets.change_problem", raise_exception=True)
def edit(request, problem_id):
    found = _find(problem_id)
    form = ProblemForm(posted(request), instance=found)
    if form.is_valid():
        problems.change(found, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved"))
        return redirect("tickets:problem", found.pk)
    status = 422 if form.is_bound else 200
    return _page(request, "problem_form", status, problem=found, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("tickets.mend_problem", raise_exception=True)
def mend(request, problem_id):
    """What the customers are told, and how many of them."""
    found = _find(problem_id)
    form = MendedForm(posted(request))
    if form.is_valid():
        try:
            problems.mend(found, by=request.user, **form.cleaned_data)
            messages.success(request, _("Mended. Its customers are being told."))
        except TicketRefusal as refusal:
            messages.error(request, str(refusal))
        return redirect("tickets:problem", found.pk)
    people = problems.to_be_told(found).order_by().values("requester").distinct()
    status = 422 if form.is_bound else 200
    return _page(request, "problem_mend", status, problem=found, form=form, people=_counted(people))


@require_POST
@permission_required("tickets.mend_problem", raise_exception=True)
def reopen(request, problem_id):
    problems.reopen(_find(problem_id), by=request.user)
    messages.success(request, _("Open again. Mend it once more to tell the customers."))
    return redirect("tickets:problem", problem_id)


# --- From a ticket ------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@permission_required("tickets.change_problem", raise_exception=True)
def link(request, reference):
    """The problem behind a ticket: found among the open ones, or the way to a new one."""
    ticket = find_handled(request, reference)
    form = LinkForm(posted(request), auto_id="problem_%s")
    if not form.is_valid():
        return ask(request, ticket, form, _("Problem"), "workspace/_problem.html")

    def act(ticket):
        found = form.cleaned_data["problem"]
        problems.link(ticket, found, by=request.user)
        return _("Linked to “%(problem)s”.") % {"problem": found}

    return act_on(request, reference, act)


@require_POST
@permission_required("tickets.change_problem", raise_exception=True)
def unlink(request, reference):
    find_handled(request, reference)

    def act(ticket):
        problems.unlink(ticket, by=request.user)
        return _("It has nothing to do with the problem any more.")

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.add_problem", raise_exception=True)
def open_new(request, reference):
    ticket = find_handled(request, reference)
    # Not its subject: a problem stays when the words of a customer are erased.
    known = {"category": ticket.category, "owner": request.user}
    form = ProblemForm(posted(request), initial=known)
    if not form.is_valid():
        return ask(request, ticket, form, _("A new problem"), "workspace/_new_problem.html")

    def act(ticket):
        opened = problems.open_problem(ticket, by=request.user, **form.cleaned_data)
        return _("Problem %(number)s is open: “%(problem)s”.") % {
            "number": opened.pk,
            "problem": opened,
        }

    return act_on(request, reference, act)

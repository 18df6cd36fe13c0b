"""The requester's list and the workspace's queues."""

from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from .. import drafts
from ..counting import capped_counts
from ..filters import QueueFilter
from ..models import Ticket
from ..paging import page_after
from ..queues import counts_of, queues_for
from ..workflow import LIVE, Status

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


def _wants_fragment(request) -> bool:
    """The way back in the browser's history asks by htmx as well, but for the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request

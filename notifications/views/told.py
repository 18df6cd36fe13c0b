from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from messaging.thread import reads_notes
from tickets.models import Ticket
from tickets.paging import page_after
from tickets.queues import queues_for
from tickets.workflow import Part

from ..told import how_far, told_about

PAGE_SIZE = 30


@require_GET
@permission_required("tickets.use_workspace", raise_exception=True)
def told(request, reference):
    """Who was told of this ticket, and how far it got; the newest first."""
    ticket, part = Ticket.objects.with_people().seen_by(request.user, reference)
    if part is None:
        raise Http404
    if part == Part.REQUESTER:
        return redirect(ticket.home.url_for(request.user))
    home = ticket.home
    rows = told_about(home, with_notes=reads_notes(part))
    page = page_after(rows, ["-pk"], request.GET.get("after", ""), PAGE_SIZE)
    context = {
        "ticket": home,
        "page": page,
        "told": how_far(page.rows, shows_addresses=part == Part.ADMIN),
        "queues": queues_for(request.user).values(),
    }
    template = "notifications/_told.html" if request.htmx else "notifications/told.html"
    return render(request, template, context)

"""What the reader was told. Looking changes nothing: only what is sent marks something as read."""

from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe

from tickets.models import Ticket
from tickets.paging import page_after

from .. import bell
from ..headlines import PEOPLE, entries_of

PAGE_SIZE = 20


@require_safe
def notifications(request):
    """Everything, the newest first."""
    told = bell.shown_to(request.user).select_related(*PEOPLE)
    page = page_after(told, ["-pk"], request.GET.get("after", ""), PAGE_SIZE)
    context = {"page": page, "entries": entries_of(page.rows, request.user)}
    return render(request, "notifications/bell.html", context)


@require_POST
def follow(request, notification_id):
    """Marks it as read and leads to what it is about."""
    told = bell.shown_to(request.user)
    found = get_object_or_404(told.select_related(*PEOPLE), pk=notification_id)
    bell.read(found)
    (entry,) = entries_of([found], request.user)
    return redirect(entry.leads_to)


@require_POST
def read_all(request):
    bell.read_all(request.user)
    return redirect("notifications:bell")


@require_GET
def count(request):
    """For open pages, whose bell rang or who ask once in a while."""
    return JsonResponse(bell.facts_of(request.user))


@require_POST
def seen(request, reference):
    """The page of a ticket was looked at; asked by that page, so it gets the new count."""
    ticket, part = Ticket.objects.seen_by(request.user, reference)
    if part is None:
        raise Http404
    bell.read_about(ticket.home, request.user)
    return JsonResponse(bell.facts_of(request.user))

"""What any Django page must do, and nothing more. The product's pages are measured against it."""

from functools import cache

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.views.decorators.http import require_GET, require_POST

from tickets.models import Ticket

ROWS = 25
PAGE = engines["django"].from_string(
    """<!doctype html><title>Yardstick</title><p>{{ request.user }}</p>
<form method="post" action="write/">{% csrf_token %}<button>Write</button></form>
<table>{% for ticket in tickets %}
<tr><td>{{ ticket.reference }}<td>{{ ticket.subject }}<td>{{ ticket.status }}
<td>{{ ticket.priority }}<td>{{ ticket.created_at }}<td>{{ ticket.due_at }}<td>{{ filler }}</tr>
{% endfor %}</table>"""
)
PLAIN_SIZE = 6000  # of the page without filler, roughly


@cache
def filler(size: int) -> str:
    """What each row adds to make the page about ``size`` bytes long."""
    return "x" * max(0, (size - PLAIN_SIZE) // ROWS)


@require_GET
def page(request):
    """Session, user, one indexed query for 25 rows, and a page of ``?size=N`` bytes."""
    tickets = Ticket.objects.order_by("-pk")[:ROWS]
    context = {"tickets": tickets, "filler": filler(int(request.GET.get("size", 0)))}
    return HttpResponse(PAGE.render(context, request))


@login_not_required
@require_GET
def public_page(request):
    return page(request)


@require_POST
def write(request):
    """Session, user, one row, and off to another page."""
    LogEntry.objects.create(
        user=request.user, object_repr="Yardstick", action_flag=CHANGE, change_message="Measured"
    )
    return redirect("/yardstick/")

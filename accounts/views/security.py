"""How somebody gets in and who did: the security page, sessions and the record of sign-ins."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import sign_ins as records
from accounts import signed_in

PAGE_SIZE = 50

# What the rows of the security page need: each answers with its part of the context.
ROWS: list[Callable[[HttpRequest], dict]] = []


@require_safe
def show(request):
    context = {
        "section": "security",
        "places": signed_in.places_of(request),
        "erasure_days": settings.ERASURE_DAYS,
    }
    for row in ROWS:
        context |= row(request)
    return render(request, "account/security.html", context)


@require_POST
def end_session(request, session_id):
    session = get_object_or_404(signed_in.elsewhere(request), pk=session_id)
    signed_in.end([session])
    messages.success(request, _("That device is signed out."))
    return redirect("account_security")


@require_POST
def end_other_sessions(request):
    signed_in.end(signed_in.elsewhere(request))
    messages.success(request, _("Every other device is signed out."))
    return redirect("account_security")


@require_safe
def sign_ins(request):
    """D0-8: the newest, and from there page by page to the oldest."""
    before = request.GET.get("before", "")
    mine = request.user.login_records
    start = get_object_or_404(mine, pk=before) if before.isdecimal() else None
    found = records.newest_of(request.user, size=PAGE_SIZE + 1, before=start)
    shown = found[:PAGE_SIZE]
    context = {
        "section": "sign_ins",
        "records": records.with_disputes(shown),
        "older": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "is_first": start is None,
    }
    return render(request, "account/sign_ins.html", context)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request, dispute):
    """Who holds the link owns the mailbox, or came here from their own list."""
    try:
        record = records.disputed(dispute)
    except BadSignature as forged:
        raise Http404 from forged
    if record is None:
        return render(request, "account/not_me_over.html")
    if request.method == "POST":
        records.throw_out(record, request)
        return redirect("account_confirm_password_reset_code")
    return render(request, "account/not_me.html", {"record": record})

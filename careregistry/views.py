"""The front door, the switch of the theme, and what is said when something is wrong."""

from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpResponseServerError
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.adapter import home_of

from .context_processors import THEMES

YEAR = 365 * 24 * 60 * 60


@login_not_required
@require_safe
def home(request):
    if request.user.is_authenticated:
        return redirect(home_of(request.user))
    return render(request, "landing.html")


@login_not_required
@require_POST
def theme(request):
    """Remember light or dark in this browser, and go back to the page it was asked from."""
    choice = request.POST.get("theme")
    if choice not in THEMES:
        raise BadRequest
    response = redirect(own_path(request.POST.get("next", "")))
    response.set_cookie(
        "theme",
        choice,
        max_age=YEAR,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
    return response


def own_path(url: str) -> str:
    """``url`` if it is a path of this site, else the start page."""
    is_ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_ours else "/"


def bad_request(request, exception):
    return render(request, "400.html", status=400)


def permission_denied(request, exception):
    return render(request, "403.html", status=403)


def csrf_failure(request, reason=""):
    return render(request, "csrf_failure.html", status=403)


def page_not_found(request, exception):
    return render(request, "404.html", status=404)


def too_many_requests(request):
    response = render(request, "429.html", status=429)
    response.headers["Retry-After"] = "60"
    return response


def server_error(request):
    return HttpResponseServerError(bare_page("500.html"))


def bare_page(template: str) -> str:
    """A page written without the request: the session or the database may be what failed."""
    return render_to_string(
        template,
        {
            "site": {"name": settings.SITE_NAME, "theme": "auto"},
            "care_address": parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
            "megabytes": settings.MAX_UPLOAD_BYTES // 1024**2,
        },
    )

"""The documents everybody can read, and the page that asks again when one has changed."""

from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import consents
from accounts.adapter import home_of
from accounts.models import Consent


@login_not_required
@require_safe
def document(request, name):
    """``name``: which of ``Consent.Document``."""
    context = {
        "document": Consent.Document(name),
        "version": consents.versions()[name],
        "contact": parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "keeps": settings.RETENTION_DAYS,
        "erasure_days": settings.ERASURE_DAYS,
        "export_days": settings.EXPORT_DAYS,
    }
    return render(request, f"legal/{name}.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def agree(request):
    if request.method == "POST":
        consents.agree(request.user, consents.versions())
        consents.remember(request.session)
    missing = consents.missing(request.user)
    if not missing:
        return redirect(home_of(request.user))
    return render(request, "account/consent.html", {"missing": missing})

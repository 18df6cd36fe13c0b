"""What is mine: taking it along, and leaving."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import FileResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import erasure, exports, limits
from accounts.forms.privacy import DownloadForm, OwnerForm
from accounts.people import AccountRefusal


@require_http_methods(["GET", "POST"])
def show(request):
    form = OwnerForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            exports.ask_for(request.user, by=request.user)
        except AccountRefusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("We’re making your download. We’ll email when it’s ready."))
        return redirect("account_privacy")
    context = {
        "form": form,
        "section": "privacy",
        "last": request.user.data_exports.filter(asked_by=request.user).last(),
        "erasure_days": settings.ERASURE_DAYS,
        "ready": exports.ready_for(request.user),
    }
    return limits.answer(render(request, "account/privacy.html", context), form)


@require_POST
def download(request):
    form = DownloadForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("That download is gone. Make a new one."))
        return redirect("account_privacy")
    export = form.cleaned_data["export"]
    name = f"my-data-{export.created_at:%Y-%m-%d}.zip"
    response = FileResponse(
        exports.take(export, by=request.user),
        as_attachment=True,
        filename=name,
        content_type="application/zip",
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "POST"])
def delete(request):
    form = OwnerForm(request.POST or None, request=request)
    context = {
        "form": form,
        "section": "privacy",
        "erasure_days": settings.ERASURE_DAYS,
        "refusal": erasure.refusal_for(request.user),
        "open_requests": erasure.open_requests_of(request.user),
    }
    if request.method == "POST" and form.is_valid():
        try:
            erasure.ask(request.user, by=request.user)
        except AccountRefusal as refusal:
            context["refusal"] = str(refusal)
        else:
            return _goodbye(request)
    return limits.answer(render(request, "account/delete.html", context), form)


def _goodbye(request):
    day = request.user.erase_at
    logout(request)
    words = _("Your account will be deleted after %(day)s. Sign in before then to keep it.")
    messages.success(request, words % {"day": f"{day:%-d %B %Y}"})
    return redirect("account_login")

"""Asking to work here: the page of the waiting, joining as a customer, asking once more."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import applications
from accounts.applications import ApplicationRefused
from accounts.forms.applications import WhyForm
from accounts.models import Application

read_or_post = require_http_methods(["GET", "HEAD", "POST"])


def _posted(request):
    return request.POST if request.method == "POST" else None


def _why_form(request, application, button):
    initial = {"why": application.why if application else ""}
    return WhyForm(_posted(request), initial=initial, button=button)


def _is_kept(request, words, act, *args, **kwargs) -> bool:
    """Do ``act``, and say how it went."""
    try:
        act(*args, **kwargs)
    except ApplicationRefused as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, words)
    return True


@read_or_post
def waiting(request):
    """All that somebody sees who waits for approval, besides what is their own."""
    if request.user.is_approved:
        return redirect("home")
    application = Application.objects.open_of(request.user)
    form = _why_form(request, application, _("Save")) if application else None
    if form and form.is_valid():
        _is_kept(request, _("Saved"), applications.explain, application, **form.cleaned_data)
        return redirect("account_waiting")
    return render(request, "account/waiting.html", {"application": application, "form": form})


@read_or_post
def apply(request):
    """A customer asks to become an agent; while that waits, they may find better words."""
    if not applications.may_join(request.user):
        raise PermissionDenied
    newest = Application.objects.newest_of(request.user)
    waits = newest if newest and newest.is_open else None
    form = _why_form(request, waits, _("Save") if waits else _("Ask to join"))
    if form.is_valid():
        if waits:
            _is_kept(request, _("Saved"), applications.explain, waits, **form.cleaned_data)
        else:
            words = _("Your request is with the administrators.")
            _is_kept(request, words, applications.join, request.user, **form.cleaned_data)
        return redirect("account_apply")
    context = {"application": newest, "form": form, "refusal": applications.why_not_now(newest)}
    return render(request, "account/apply.html", context)


@login_not_required
@never_cache
@read_or_post
def apply_again(request, signed):
    """By the link in the mail, as whoever was declined can't sign in. A look changes nothing."""
    application = applications.find_by_link(signed)
    if application is None:
        raise Http404
    form = _why_form(request, None, _("Ask again"))
    refusal = applications.why_not_again(application)
    if not refusal and form.is_valid():
        words = _("Your request is with the administrators. Sign in to follow it.")
        again = applications.apply_again
        if _is_kept(request, words, again, application, **form.cleaned_data):
            return redirect("account_login")
        refusal = applications.why_not_again(application)
    context = {"application": application, "form": form, "refusal": refusal}
    return render(request, "account/apply_again.html", context)

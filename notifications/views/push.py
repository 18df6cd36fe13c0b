"""Notifications that a browser shows, also while no page of ours is open."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.devices import device_in_words

from ..short_messages import browsers, push
from ..short_messages.forms import BrowserForm


@require_POST
def subscribe(request):
    """Sent by static/js/push.js once the browser’s person has allowed it."""
    form = BrowserForm(request.POST)
    if not push.is_on():
        messages.error(request, _("Push is switched off here."))
    elif form.is_valid():
        browsers.subscribe(request.user, request.session.session_key, **_facts_in(request, form))
        messages.success(request, _("This device shows notifications now."))
    else:
        messages.error(request, _("This browser could not be added. Try again, or use another."))
    return redirect("notifications:preferences")


@require_POST
def renew(request):
    """Sent by static/js/push-again.js when they have signed in anew."""
    form = BrowserForm(request.POST)
    if not (push.is_on() and form.is_valid()):
        return HttpResponse(status=400)
    before, session_key = request.POST.get("before", ""), request.session.session_key
    facts = _facts_in(request, form)
    is_known = browsers.renew(request.user, session_key, before=before, **facts)
    return HttpResponse(status=204 if is_known else 404)


def _facts_in(request, form) -> dict:
    browser = device_in_words(request.META.get("HTTP_USER_AGENT", ""))
    return form.cleaned_data | {"browser": browser}


@require_POST
def unsubscribe(request, browser_id):
    get_object_or_404(request.user.push_subscriptions, pk=browser_id).delete()
    messages.success(request, _("That device shows no more notifications."))
    return redirect("notifications:preferences")


@login_not_required
@require_safe
def service_worker(request):
    """From the root: a worker may only look after what lies below its own address."""
    response = render(request, "notifications/sw.js", content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response

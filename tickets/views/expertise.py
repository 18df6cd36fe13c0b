"""What an agent knows."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.applications import ApplicationRefused, may_join

from ..asking import posted
from ..expertise import may_offer, offer
from ..forms.expertise import ExpertiseForm


@require_http_methods(["GET", "HEAD", "POST"])
def offer_expertise(request):
    """Who asks to become an agent says what they know; who is one reads it."""
    person = request.user
    known = person.expertise.by_category()
    if person.is_approved and not may_join(person):
        if person.is_admin or request.method == "POST":
            raise PermissionDenied  # administrators write it, in the console
        return render(request, "tickets/expertise.html", {"known": known, "section": "work"})
    waiting_page = "account_apply" if person.is_approved else "account_waiting"
    if not may_offer(person):
        return redirect(waiting_page)
    form = ExpertiseForm(posted(request), known=dict(known.values_list("category", "level")))
    if not form.is_valid():
        context = {"form": form, "back": reverse(waiting_page)}
        return render(request, "tickets/offer_expertise.html", context)
    try:
        offer(person, form.levels)
        messages.success(request, _("Saved"))
    except ApplicationRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(waiting_page)

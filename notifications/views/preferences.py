from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ..forms import PreferencesForm
from ..short_messages.offers import offered


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request):
    """By which ways the reader hears of what, and when."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your choice is saved."))
        return redirect("notifications:preferences")
    context = {
        "form": form,
        "hours": [form["quiet_from"], form["quiet_until"], form["digest_at"]],
        "zone": str(request.user.zone).replace("_", " "),
        "section": "notifications",
        **offered(request),
    }
    status = 422 if form.is_bound else 200
    return render(request, "notifications/preferences.html", context, status=status)

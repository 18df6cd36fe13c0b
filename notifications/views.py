from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from .forms import PreferencesForm


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request):
    """What the reader is mailed about."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your choice is saved."))
        return redirect("notifications:preferences")
    context = {"form": form, "section": "notifications"}
    return render(request, "notifications/preferences.html", context)

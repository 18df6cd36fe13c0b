"""How an agent works: shown and changed on one page, and switched from the menu."""

from functools import wraps

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import work
from accounts.forms.work import WorkForm


def agents_only(view):
    """By role, not by right: a superuser has every right, and no tickets to work on."""

    @wraps(view)
    def wrapped(request):
        if not request.user.is_agent:
            raise PermissionDenied
        return view(request)

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@agents_only
def edit(request):
    form = WorkForm(request.POST or None, instance=work.profile_of(request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. Whoever gives out tickets sees it."))
        return redirect("account_work")
    # Which categories they know is the desk's to keep; here it is only shown.
    expertise = request.user.expertise.by_category()
    context = {"form": form, "expertise": expertise, "section": "work"}
    return render(request, "account/work.html", context)


SAID = {
    work.Availability.ONLINE: gettext_lazy("You’re online now."),
    work.Availability.AWAY: gettext_lazy("You’re away now."),
}


@require_POST
@agents_only
def availability(request):
    """One click in the menu: online, or away."""
    to = request.POST.get("availability")
    if to not in SAID:
        raise BadRequest
    work.set_availability(request.user, work.Availability(to))
    messages.success(request, str(SAID[to]))
    back = request.POST.get("next", "")
    return redirect(back if get_adapter().is_safe_url(back) else "account_work")

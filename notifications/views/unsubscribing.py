from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from ..mail import unsubscribing


# Mail programs post here from their own servers (RFC 8058), so no form of ours has been before it.
# The signed link says all there is to say, and what it does is taken back on the person's page.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request, choice):
    """Who holds the link stops the mails about some choices of one person, or has them come again.
    Looking at it changes nothing, and it says no more of the person than the mail with the link."""
    named = unsubscribing.named_in(choice)
    if named is None:
        raise Http404
    person, choices = named
    if request.method == "POST":
        unsubscribing.want(person, choices, is_wanted="again" in request.POST)
    context = {
        "choices": choices,
        "is_stopped": unsubscribing.is_stopped(person, choices),
        "has_account": person.is_active,
        "are_all_they_read": unsubscribing.are_all_they_read(person, choices),
    }
    page = render(request, "notifications/stop.html", context)
    page.headers["X-Robots-Tag"] = "noindex"
    return page

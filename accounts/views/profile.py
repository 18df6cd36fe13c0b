"""Somebody's own profile, and the photos of the people one may see."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms.profile import ProfileForm
from accounts.models import Role, User
from accounts.models.people import languages


@require_safe
def profile(request):
    """D4-8"""
    language = dict(languages()).get(request.user.language, _("English"))
    context = {"section": "profile", "language": language}
    return render(request, "account/profile.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request):
    """D4-8, D1-14: names, telephone, photo, language and time zone."""
    # A second copy: what is refused must not show in the page's head as if it were so.
    person = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, request.FILES or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return redirect("account_profile")
    context = {"form": form, "section": "profile"}
    return render(request, "account/profile_form.html", context)


@require_safe
def photo(request, person_id, photo_key):
    """Their own for everybody, agents' for everybody let in, customers' for staff."""
    person = get_object_or_404(User, pk=person_id)
    path = f"photos/{photo_key[:2]}/{photo_key[2:]}"
    if person.photo.name != path or not _may_see(request.user, person):
        raise Http404
    try:
        with person.photo.open("rb") as file:
            response = HttpResponse(file.read(), content_type="image/webp")
    except FileNotFoundError as gone:
        raise Http404 from gone
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "no-store"  # SEC-H5: nothing personal stays after the sign-out
    return response


def _may_see(reader, person) -> bool:
    if reader.pk == person.pk:
        return True
    return reader.is_approved and (reader.role != Role.CUSTOMER or person.role != Role.CUSTOMER)

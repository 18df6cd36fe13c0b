"""The way in for somebody who was invited."""

from allauth.account.utils import perform_login
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import invitations
from accounts.forms.invitations import AcceptForm

SESSION_KEY = "invitation"  # the hash of the token this browser came with


@login_not_required
@never_cache
@require_safe
def follow(request, token):
    """The link in the mail. The token leaves the address at once, and no page shows it."""
    token_hash = invitations.hash_of(token)
    if invitations.find(token_hash) is None:
        return _gone(request)
    request.session[SESSION_KEY] = token_hash
    return redirect("account_accept_invitation")


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request):
    invitation = invitations.find(request.session.get(SESSION_KEY, ""))
    if invitation is None:
        return _gone(request)
    posted = request.POST if request.method == "POST" else None
    form = AcceptForm(posted, invitation=invitation)
    if not form.is_valid():
        context = {"form": form, "invitation": invitation}
        return render(request, "account/invitation.html", context)
    password = form.cleaned_data["password1"]
    try:
        person = invitations.accept(invitation, **form.names, password=password)
    except invitations.InvitationRefused:
        return _gone(request)
    request.session.pop(SESSION_KEY)
    return perform_login(request, person)


def _gone(request):
    """One page for a link that was used, has run out, was taken back or never was."""
    return render(request, "account/invitation_gone.html", status=404)

"""Coming in with Google, and connecting it to an account. Nothing of it exists until configured."""

from functools import wraps

from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits, social
from accounts.forms.google import GoogleForm

from . import security


def _if_configured(view):
    @wraps(view)
    def checked(request, *args, **kwargs):
        if not social.is_configured():
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def _to_google(request, process, after):
    provider = get_adapter().get_provider(request, social.PROVIDER)
    provider.oauth2_adapter_class = social.Google
    nonce = get_random_string(32)
    params = provider.get_auth_params() | {"nonce": nonce}
    return provider.redirect(request, process, next_url=after, auth_params=params, nonce=nonce)


@login_not_required
@require_POST
@never_cache
@_if_configured
def login(request):
    return _to_google(request, AuthProcess.LOGIN, get_next_redirect_url(request))


_receive = OAuth2CallbackView.adapter_view(social.Google)


@login_not_required
@require_GET
@never_cache
@_if_configured
def callback(request):
    return _receive(request)


# --- Connecting ---------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
@_if_configured
def connection(request):
    """Connect Google, or take it away again. Either asks for the password."""
    account = social.account_of(request.user)
    answer = request.POST if request.method == "POST" else None
    form = GoogleForm(answer, request=request, account=account)
    if form.is_valid():
        reauthenticate_by_password(request)
        if account is None:
            return _to_google(request, AuthProcess.CONNECT, None)
        social.disconnect(request, account)
        messages.success(request, _("Google is disconnected."))
        return redirect("account_security")
    context = {"form": form, "google": account, "section": "security"}
    return limits.answer(render(request, "account/google.html", context), form)


def _row(request):
    return {"google": social.account_of(request.user) if social.is_configured() else None}


security.ROWS.append(_row)

"""Second factors: the step after the password, passkeys instead of it, and looking after them."""

import base64
import json

from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import views as library
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import factors, limits, sign_ins
from accounts.forms.factors import AppForm, PasskeyForm, SignInPasskeyForm
from accounts.forms.privacy import OwnerForm
from accounts.models import LoginRecord
from accounts.people import AccountRefusal

from . import security
from .doors import Page

NEW_APP = "new_authenticator_app"  # its key in the session, encrypted, until it is set up
HAS_NEW_CODES = "has_new_recovery_codes"  # in the one session that may still see them

can_post = require_http_methods(["GET", "HEAD", "POST"])


# --- Signing in -----------------------------------------------------------------


@method_decorator([sensitive_post_parameters("code"), login_not_required], name="dispatch")
class AuthenticateView(Page, library.AuthenticateView):
    def form_valid(self, form):
        with transaction.atomic():
            return super().form_valid(form)

    def form_invalid(self, form):
        if "credential" in form.fields:
            sign_ins.note_refusal(self.request, self.stage.login.user, LoginRecord.Method.PASSKEY)
        return limits.answer(super().form_invalid(form), form)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        own = factors.of(self.stage.login.user)
        kinds = set(own.values_list("type", flat=True))
        return context | {
            "form": self.form or context["form"],
            "code_form": context["form"],
            "has_app": factors.Type.TOTP in kinds,
            "has_passkey": factors.Type.WEBAUTHN in kinds,
            "options": json.dumps(context["js_data"]["request_options"]["publicKey"]),
        }


@login_not_required
@require_POST
@never_cache
def passkey_login(request):
    """Asked twice: first without a key, for the challenge that the key has to answer."""
    if request.user.is_authenticated:
        return redirect("home")
    if not request.POST.get("credential"):
        return _challenge(request)
    form = SignInPasskeyForm(request.POST)
    if not form.is_valid():
        sign_ins.note_refusal(request, None, LoginRecord.Method.PASSKEY)
        messages.error(request, form.non_field_errors()[0])
        return redirect("account_login")
    request.session.set_expiry(0)
    login = Login(user=form.user, redirect_url=get_next_redirect_url(request))
    with transaction.atomic():
        return perform_passwordless_login(request, form.authenticator, login)


def _challenge(request):
    try:
        limits.take(limits.bucket("passkey_address", limits.address_of(request)))
    except limits.Limited as limited:
        return limits.too_many(JsonResponse({}), limited)
    return JsonResponse(webauthn.begin_authentication()["publicKey"])


# --- Looking after them -----------------------------------------------------------


@require_safe
def show(request):
    context = {
        "section": "security",
        "app": factors.app_of(request.user),
        "passkeys": [each.wrap() for each in factors.of(request.user).filter(type="webauthn")],
        "codes_left": factors.count_codes(request.user),
        "is_demanded": factors.is_demanded_from(request.user),
        "is_owed": request.user.is_approved and factors.is_owed(request),
    }
    return render(request, "mfa/index.html", context)


@can_post
@never_cache
@sensitive_post_parameters("code", "password")
def add_app(request):
    if factors.app_of(request.user):
        return redirect("account_second_factor")
    secret = _secret_in(request.session)
    form = AppForm(_posted(request), request=request, secret=secret)
    if form.is_valid():
        has_new = factors.add_app(request.user, secret, form.cleaned_data["code"])
        del request.session[NEW_APP]
        return _set_up(request, has_new, _("Your authenticator app is set up."))
    url = get_adapter().build_totp_url(request.user, secret)
    picture = get_adapter().build_totp_svg(url).encode()
    context = {
        "form": form,
        "secret": secret,
        "url": url,
        "picture": f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}",
    }
    return _answer(request, "mfa/app.html", form, context)


def _secret_in(session) -> str:
    """The same for every page of this session, until it is used."""
    if NEW_APP not in session:
        session[NEW_APP] = encrypt(generate_totp_secret())
    return decrypt(session[NEW_APP])


@can_post
@never_cache
@sensitive_post_parameters("password")
def add_passkey(request):
    if factors.of(request.user).count() > factors.MOST_PASSKEYS:
        messages.error(request, _("These are many passkeys. Remove one first."))
        return redirect("account_second_factor")
    form = PasskeyForm(_posted(request), request=request)
    if form.is_valid():
        name, credential = form.cleaned_data["name"], form.cleaned_data["credential"]
        has_new = factors.add_passkey(request.user, name, credential)
        return _set_up(request, has_new, _("Your passkey is set up."))
    options = webauthn.begin_registration(request.user, passwordless=True)["publicKey"]
    return _answer(request, "mfa/passkey.html", form, {"options": json.dumps(options)})


def _set_up(request, has_new_codes, words):
    messages.success(request, words)
    if not has_new_codes:
        return redirect("account_second_factor")
    request.session[HAS_NEW_CODES] = True
    return redirect("account_recovery_codes")


@can_post
@never_cache
@sensitive_post_parameters("password")
def remove(request, factor_id):
    factor = get_object_or_404(factors.of(request.user), pk=factor_id)
    form = OwnerForm(_posted(request), request=request)
    if form.is_valid():
        try:
            factors.remove(factor)
        except AccountRefusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("It is removed."))
        return redirect("account_second_factor")
    context = {
        "name": factors.name_of(factor),
        "is_last": factors.of(request.user).count() == 1,
    }
    return _answer(request, "mfa/remove.html", form, context)


# --- Recovery codes -----------------------------------------------------------------


@can_post
@never_cache
def recovery_codes(request):
    """Shown in the session that made them, until its person says that they are kept."""
    if not request.session.get(HAS_NEW_CODES):
        return redirect("account_second_factor")
    if request.method == "POST":
        del request.session[HAS_NEW_CODES]
        messages.success(request, _("A second factor protects your account now."))
        return redirect("account_second_factor")
    context = {"section": "security", "codes": factors.codes_of(request.user)}
    return render(request, "mfa/recovery_codes.html", context)


@require_safe
@never_cache
def download_codes(request):
    if not request.session.get(HAS_NEW_CODES):
        return redirect("account_second_factor")
    codes = {"codes": factors.codes_of(request.user)}
    answer = render(request, "mfa/recovery_codes.txt", codes, content_type="text/plain")
    answer.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return answer


@can_post
@never_cache
@sensitive_post_parameters("password")
def renew_codes(request):
    if not factors.of(request.user).exists():
        return redirect("account_second_factor")
    form = OwnerForm(_posted(request), request=request)
    if form.is_valid():
        factors.renew_codes(request.user)
        request.session[HAS_NEW_CODES] = True
        return redirect("account_recovery_codes")
    left = {"codes_left": factors.count_codes(request.user)}
    return _answer(request, "mfa/renew_codes.html", form, left)


def _posted(request):
    return request.POST if request.method == "POST" else None


def _answer(request, template, form, context):
    page = render(request, template, {"section": "security", "form": form, **context})
    return limits.answer(page, form)


def _row(request):
    return {"factors": [factors.name_of(each) for each in factors.of(request.user)]}


security.ROWS.append(_row)

"""Creating an account, and the page that waits for the proof of the address."""

from allauth.account.utils import (
    get_next_redirect_url,
    passthrough_next_redirect_url,
    perform_login,
)
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import limits, signups
from accounts.adapter import home_of
from accounts.forms.signup import SignUpCodeForm, SignupForm, SignUpLinkForm
from accounts.models import Role, SignUp

SESSION_KEY = "sign_up"
WAITING_PAGE = "account_email_verification_sent"


def _waiting(request) -> SignUp | None:
    """The sign-up that this browser began and has not finished."""
    state = request.session.get(SESSION_KEY)
    return SignUp.objects.open().filter(pk=state["id"]).first() if state else None


# --- Asking -------------------------------------------------------------------


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request):
    if request.user.is_authenticated:
        return redirect(home_of(request.user))
    if _waiting(request):
        return redirect(WAITING_PAGE)
    form = SignupForm(request.POST if request.method == "POST" else None, initial=_role(request))
    if form.is_valid() and (response := _ask(request, form)):
        return response
    context = {
        "form": form,
        "login_url": passthrough_next_redirect_url(request, reverse("account_login"), "next"),
        "redirect_field_value": get_next_redirect_url(request),
    }
    return limits.answer(render(request, "account/signup.html", context), form)


def _role(request) -> dict:
    """The choice that a link like "Join as an agent" has made already."""
    role = request.GET.get("role")
    return {"role": role} if role in Role.values else {}


def _ask(request, form):
    """The next page, or None with an error on ``form``."""
    wishes, after = form.wishes(), get_next_redirect_url(request)
    try:
        limits.take(*limits.code_mail(request, wishes["email"]))
        if not signups.needs_proof(wishes["email"]):
            return _let_in(request, signups.join_unproved(**wishes), after)
    except limits.Limited as limited:
        form.add_error(None, limited)
        return None
    except signups.Taken:
        form.add_error("email", _("This address has an account already. Sign in instead"))
        return None
    request.session[SESSION_KEY] = {"id": str(signups.ask(**wishes).pk), "next": after}
    return redirect(WAITING_PAGE)


def _let_in(request, person, after):
    return perform_login(request, person, redirect_url=after, signup=True)


# --- Proving ------------------------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request):
    """Waits for the code from the mail, or for somebody to follow its link."""
    if request.user.is_authenticated:
        return redirect("home")
    sign_up = _waiting(request)
    if sign_up is None:
        return redirect("account_login")
    match request.POST.get("action"):
        case "resend":
            return _send_again(request, sign_up)
        case "restart":
            return _start_again(request, sign_up)
    if request.method == "POST" and not signups.by_link():
        return _try_code(request, sign_up)
    return _waiting_page(request, sign_up)


def _waiting_page(request, sign_up, form=None):
    if signups.by_link():
        return render(request, "account/confirm_link_sent.html", {"email": sign_up.email})
    pause = limits.code_mail(request, sign_up.email)[0]
    context = {
        "form": form or SignUpCodeForm(sign_up=sign_up),
        "email": sign_up.email,
        "wait": limits.seconds(pause.wait(timezone.now())),
    }
    return render(request, "account/confirm_email_verification_code.html", context)


def _try_code(request, sign_up):
    if not sign_up.lives_for(signups.secret_life()):
        messages.error(request, _("That code has expired. Ask for a new one"))
        return redirect(WAITING_PAGE)
    form = SignUpCodeForm(request.POST, sign_up=sign_up)
    is_counted = sign_up.count_try()
    if is_counted and form.is_valid():
        return _finish(request, sign_up)
    if sign_up.is_used_up:
        messages.error(request, _("Too many tries. Ask for a new code"))
        return redirect(WAITING_PAGE)
    return _waiting_page(request, sign_up, form)


def _send_again(request, sign_up):
    try:
        limits.take(*limits.code_mail(request, sign_up.email))
    except limits.Limited as limited:
        messages.error(request, limited.message)
        return limits.too_many(_waiting_page(request, sign_up), limited)
    signups.send_secret(sign_up, again=True)
    messages.success(request, _("Another email is on its way. Use the newest one"))
    return redirect(WAITING_PAGE)


def _start_again(request, sign_up):
    del request.session[SESSION_KEY]
    sign_up.delete()
    return redirect("account_signup")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_by_link(request, token):
    """Opening the link changes nothing, as programs that look for viruses open links too."""
    sign_up = signups.find_by_link(token)
    is_own_browser = sign_up is not None and sign_up == _waiting(request)
    is_answer = request.method == "POST"
    if sign_up is None or (is_answer and not is_own_browser and not sign_up.count_try()):
        return render(request, "account/confirm_link_gone.html", status=404)
    form = SignUpLinkForm(
        request.POST if is_answer else None, sign_up=sign_up, is_own_browser=is_own_browser
    )
    if form.is_valid():
        return _finish(request, sign_up)
    context = {"form": form, "email": sign_up.email, "is_own_browser": is_own_browser}
    return render(request, "account/confirm_link.html", context)


def _finish(request, sign_up):
    after = request.session.pop(SESSION_KEY, {}).get("next")
    try:
        person = signups.finish(sign_up)
    except signups.Taken:
        messages.error(request, _("This address has an account already. Sign in to it"))
        return redirect("account_login")
    messages.success(request, _("Your email address is confirmed"))
    return _let_in(request, person, after)

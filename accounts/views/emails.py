"""The two steps to another email address (SEC-C11)."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import emails, limits, signed_in
from accounts.forms.profile import NewEmailCodeForm, NewEmailForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change(request):
    """The current password and the new address, where a code goes."""
    form = NewEmailForm(request.POST or None, user=request.user)
    if request.method == "POST" and _is_good(request, form):
        with transaction.atomic():
            emails.NewEmail.start(request, email=form.cleaned_data["email"])
        return redirect("account_confirm_new_email")
    context = {"form": form, "section": "profile"}
    return limits.answer(render(request, "account/email_change.html", context), form)


def _is_good(request, form) -> bool:
    """Limited twice: a stolen session must not guess the password, and nobody makes us write to
    strangers all day."""
    try:
        tries = limits.take(limits.bucket("password_asked", request.user.pk))
        if "password" not in form.errors:
            limits.give_back(tries)
        if form.is_valid():
            limits.take(*limits.code_mail(request, form.cleaned_data["email"]))
    except limits.Limited as limited:
        form.add_error(None, limited)
    return form.is_valid()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request):
    """The code that was mailed to the new address. It can be tried five times."""
    proof = emails.NewEmail.resume(request)
    if proof is None:
        return _ask_again(request, _("That code has expired. Ask for a new one"))
    form = NewEmailCodeForm(request.POST or None, proof=proof)
    try:
        if request.method == "POST" and proof.is_given(form):
            return _finish(request, proof)
    except limits.Limited:
        return _ask_again(request, _("Too many tries. Ask for a new code"))
    context = {"form": form, "email": proof.email, "section": "profile"}
    return render(request, "account/email_change_code.html", context)


def _ask_again(request, words):
    messages.error(request, words)
    return redirect("account_change_email")


def _finish(request, proof):
    proof.end()
    try:
        with transaction.atomic():
            emails.change_email(request.user, proof.email)
            signed_in.end(signed_in.elsewhere(request))
    except emails.AddressTaken:
        return _ask_again(request, _("That address can’t be used any more. Choose another"))
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Your email address is changed."))
    return redirect("account_profile")

"""The number somebody gets SMS at: typed, proved by a code, removed."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import limits

from ..short_messages import numbers, sms
from ..short_messages.forms import NumberCodeForm, NumberForm

SECTION = {"section": "notifications"}


def _only_where_sms_go():
    if not sms.is_on():
        raise Http404


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_number(request):
    _only_where_sms_go()
    known = numbers.number_of(request.user) or request.user.phone
    form = NumberForm(request.POST or None, initial={"number": known})
    if request.method == "POST" and form.is_valid():
        try:
            numbers.NewNumber.start(request, number=form.cleaned_data["number"])
        except limits.Limited as limited:
            form.add_error(None, limited)
        else:
            return redirect("notifications:confirm_number")
    context = {"form": form, "number": numbers.number_of(request.user)} | SECTION
    status = 422 if form.is_bound else 200
    page = render(request, "notifications/number.html", context, status=status)
    return limits.answer(page, form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_number(request):
    """The code that was sent there. It can be tried five times."""
    _only_where_sms_go()
    proof = numbers.NewNumber.resume(request)
    if proof is None:
        return _ask_again(request, _("That code has expired. Ask for a new one"))
    form = NumberCodeForm(request.POST or None, proof=proof)
    try:
        if request.method == "POST" and proof.is_given(form):
            return _finish(request, proof)
    except limits.Limited:
        return _ask_again(request, _("Too many tries. Ask for a new code"))
    context = {"form": form, "number": proof.number} | SECTION
    status = 422 if form.is_bound else 200
    return render(request, "notifications/number_code.html", context, status=status)


def _ask_again(request, words):
    messages.error(request, words)
    return redirect("notifications:change_number")


def _finish(request, proof):
    proof.end()
    numbers.keep(request.user, proof.number)
    messages.success(request, _("You get SMS there now. Choose below what about."))
    return redirect("notifications:preferences")


@require_POST
def remove_number(request):
    numbers.remove(request.user)
    messages.success(request, _("The number is removed. You get no SMS any more."))
    return redirect("notifications:preferences")

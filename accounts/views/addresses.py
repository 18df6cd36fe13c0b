"""Somebody's own addresses. Another's do not exist for them."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import addresses
from accounts.forms.profile import AddressForm
from accounts.models import Address


@require_safe
def show(request):
    """D4-8"""
    kept = list(request.user.addresses.all())
    context = {
        "addresses": kept,
        "is_full": len(kept) >= addresses.MAX_ADDRESSES,
        "section": "addresses",
    }
    return render(request, "account/addresses.html", context)


def _form_page(request, form):
    context = {"form": form, "section": "addresses"}
    return render(request, "account/address_form.html", context)


def _own(request, address_id) -> Address:
    return get_object_or_404(request.user.addresses, pk=address_id)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request):
    form = AddressForm(request.POST or None, instance=Address(user=request.user))
    if request.method == "POST" and form.is_valid():
        try:
            addresses.add(form.instance)
        except addresses.TooManyAddresses as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The address is added."))
        return redirect("account_addresses")
    return _form_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request, address_id):
    form = AddressForm(request.POST or None, instance=_own(request, address_id))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The address is saved."))
        return redirect("account_addresses")
    return _form_page(request, form)


@require_POST
def make_default(request, address_id):
    address = _own(request, address_id)
    addresses.make_default(address)
    words = _("%(name)s is used by default now.") % {"name": address.label}
    messages.success(request, words)
    return redirect("account_addresses")


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request, address_id):
    """Asks first."""
    address = _own(request, address_id)
    if request.method == "POST":
        addresses.remove(address)
        messages.success(request, _("The address is removed."))
        return redirect("account_addresses")
    context = {"address": address, "section": "addresses"}
    return render(request, "account/address_remove.html", context)

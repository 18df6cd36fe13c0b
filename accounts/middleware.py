from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.middleware import (
    LoginRequiredMiddleware as DjangoLoginRequiredMiddleware,
)
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from . import sessions
from .gates import first_shut

OPEN_TO_THE_WAITING = {
    "account_waiting",
    "account_security",
    "account_google",
    "account_end_session",
    "account_end_other_sessions",
    "account_second_factor",
    "account_add_app",
    "account_add_passkey",
    "account_remove_factor",
    "account_recovery_codes",
    "account_download_codes",
    "account_renew_codes",
    "account_sign_ins",
    "tickets:offer_expertise",
    "account_change_password",
    "account_profile",
    "account_edit_profile",
    "account_photo",
    "account_change_email",
    "account_confirm_new_email",
    "account_addresses",
    "account_add_address",
    "account_edit_address",
    "account_default_address",
    "account_remove_address",
    "notifications:preferences",
    "notifications:subscribe_browser",
    "notifications:renew_browser",
    "notifications:unsubscribe_browser",
    "notifications:change_number",
    "notifications:confirm_number",
    "notifications:remove_number",
    "notifications:bell",
    "notifications:count",
    "notifications:read_all",
    "notifications:follow",
    "account_privacy",
    "account_export",
    "account_delete",
}


class LoginRequiredMiddleware(DjangoLoginRequiredMiddleware):
    """Django's, which asks who somebody is even on pages open to everybody: they would fail with
    the database, the page that says it is down among them."""

    def process_view(self, request, view, args, kwargs):
        if getattr(view, "login_required", True):
            return super().process_view(request, view, args, kwargs)
        return None

    def handle_no_permission(self, request, view):
        """Back to the page they were on: what a button sends goes to an address without a page."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view)
        page = urlsplit(request.headers.get("Referer", ""))
        if page.netloc != request.get_host():
            return redirect("account_login")
        return redirect_to_login(urlunsplit(page._replace(scheme="", netloc="")))


class TimeZoneMiddleware(MiddlewareMixin):
    """Pages say times by the clock of whoever reads them; public ones by the desk's."""

    def process_view(self, request, view, args, kwargs):
        if getattr(view, "login_required", True) and request.user.is_authenticated:
            timezone.activate(request.user.zone)

    def process_response(self, request, response):
        timezone.deactivate()
        return response


class SessionClockMiddleware(MiddlewareMixin):
    """Winds the clock of the idle while people are there. Pages that ask by themselves whether
    there is news say so, and prove nothing. An ended session is nobody's: see ``sessions``."""

    def process_view(self, request, view, args, kwargs):
        is_public = not getattr(view, "login_required", True)
        is_background = "X-Background" in request.headers
        if not is_public and not is_background and request.user.is_authenticated:
            sessions.touch(request.session, request.user)


class GateMiddleware(MiddlewareMixin):
    """Nobody sees the registry before an administrator has accepted them.

    The waiting get public pages, their waiting page and what is theirs; everything else is
    refused before any lookup, so that an answer can't depend on what exists. Whoever is let in
    goes through the gates first.
    """

    def process_view(self, request, view, args, kwargs):
        is_public = not getattr(view, "login_required", True)
        if is_public or not request.user.is_authenticated:
            return None
        if request.user.is_approved:
            return self._next_gate(request)
        if request.resolver_match.view_name in OPEN_TO_THE_WAITING:
            return None
        raise PermissionDenied

    def _next_gate(self, request):
        gate = first_shut(request)
        here = request.resolver_match.view_name
        if gate is None or here == gate.page or here in gate.open_to:
            return None
        return redirect(gate.page)

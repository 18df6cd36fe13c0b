from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from .models import Standing

OPEN_TO_THE_WAITING = {"account_waiting", "account_change_password"}


class ApprovalMiddleware(MiddlewareMixin):
    """Nobody sees the registry before an administrator has accepted them.

    The waiting get public pages, their waiting page and a new password; everything else is
    refused before any lookup, so that an answer can't depend on what exists.
    """

    def process_view(self, request, view, args, kwargs):
        is_public = not getattr(view, "login_required", True)
        if is_public or not request.user.is_authenticated or request.user.is_approved:
            return None
        if request.user.standing == Standing.UNCLAIMED:
            logout(request)  # no door makes such a session; if one ever did, this shuts it
            return redirect("account_login")
        if request.resolver_match.view_name in OPEN_TO_THE_WAITING:
            return None
        raise PermissionDenied

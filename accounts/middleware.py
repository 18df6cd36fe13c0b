from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from .gates import GATES
from .models import Standing

OPEN_TO_THE_WAITING = {"account_waiting", "account_change_password"}


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
        if request.user.standing == Standing.UNCLAIMED:
            logout(request)  # no door makes such a session; if one ever did, this shuts it
            return redirect("account_login")
        if request.resolver_match.view_name in OPEN_TO_THE_WAITING:
            return None
        raise PermissionDenied

    def _next_gate(self, request):
        here = request.resolver_match.view_name
        for gate in GATES:
            if gate.is_shut(request):
                is_open = here == gate.page or here in gate.open_to
                return None if is_open else redirect(gate.page)
        return None

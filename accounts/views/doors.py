"""The accounts library's pages with our words, one door less, and the page of the waiting."""

from allauth.account import views as library
from allauth.account.internal.flows.email_verification_by_code import (
    EMAIL_VERIFICATION_CODE_SESSION_KEY,
    EmailVerificationProcess,
)
from allauth.account.internal.flows.password_reset_by_code import (
    PASSWORD_RESET_VERIFICATION_SESSION_KEY,
    PasswordResetVerificationProcess,
)
from allauth.account.stages import EmailVerificationStage, LoginStageController
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.forms.doors import EmailCodeForm


class Page:
    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context.pop("site", None)  # the library's would hide ours
        return context


class FormPage(Page):
    def form_valid(self, form):
        """Whatever a form changes, and the mail about it, is kept together or not at all."""
        with transaction.atomic():
            return super().form_valid(form)


def code_ran_out(request, key, process) -> bool:
    """Whether the code this browser waits for has expired. Says so to the person."""
    if key not in request.session or process.resume(request):
        return False
    messages.error(request, _("That code has expired. Ask for a new one"))
    return True


class LoginView(FormPage, library.LoginView):
    pass


class SignupView(FormPage, library.SignupView):
    pass


class LogoutView(Page, library.LogoutView):
    pass


class InactiveView(Page, library.AccountInactiveView):
    pass


@method_decorator([login_not_required, never_cache], name="dispatch")
class EmailCodeView(FormPage, library.ConfirmEmailVerificationCodeView):
    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect("home")
        if code_ran_out(request, EMAIL_VERIFICATION_CODE_SESSION_KEY, EmailVerificationProcess):
            return redirect("account_login")
        # After "use another address" the library would still show this page if the address
        # was taken, and not if it was new: a way to tell them apart.
        if not LoginStageController.enter(request, EmailVerificationStage.key):
            return redirect("account_login")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        if isinstance(form, EmailCodeForm):
            return super().form_valid(form)
        return self.resend(form)

    def resend(self, form):
        self._process.state["at"] = timezone.now().timestamp()  # a new code, a new 10 minutes
        try:
            response = super().form_valid(form)
        except ImmediateHttpResponse:
            messages.error(self.request, _("Wait a few seconds, then ask for another code"))
            return redirect("account_email_verification_sent")
        messages.success(self.request, _("Another code is on its way. Use the newest one"))
        return response


class PasswordChangeView(FormPage, library.PasswordChangeView):
    pass


@method_decorator(never_cache, name="dispatch")
class PasswordResetView(FormPage, library.PasswordResetView):
    pass


@method_decorator([login_not_required, never_cache], name="dispatch")
class ResetCodeView(FormPage, library.ConfirmPasswordResetCodeView):
    def dispatch(self, request, *args, **kwargs):
        if code_ran_out(
            request, PASSWORD_RESET_VERIFICATION_SESSION_KEY, PasswordResetVerificationProcess
        ):
            return redirect("account_reset_password")
        return super().dispatch(request, *args, **kwargs)


@method_decorator(never_cache, name="dispatch")
class NewPasswordView(FormPage, library.CompletePasswordResetView):
    pass


@require_safe
def waiting(request):
    if request.user.is_approved:
        return redirect("home")
    return render(request, "account/waiting.html")

"""The accounts library's pages with our words, and one door less."""

from allauth.account import views as library
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.internal.flows.password_reset_by_code import (
    PASSWORD_RESET_VERIFICATION_SESSION_KEY,
    PasswordResetVerificationProcess,
)
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import emails, limits


class Page:
    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context.pop("site", None)  # the library's would hide ours
        return context


class FormPage(Page):
    def buckets(self, form):
        """What a good ``form`` counts in before anything is done: see ``limits``."""
        return ()

    def form_valid(self, form):
        """Whatever a form changes, and the mail about it, is kept together or not at all."""
        try:
            if buckets := self.buckets(form):
                limits.take(*buckets)
        except limits.Limited as limited:
            form.add_error(None, limited)
            return self.form_invalid(form)
        with transaction.atomic():
            return super().form_valid(form)

    def form_invalid(self, form):
        return limits.answer(super().form_invalid(form), form)


class CodePage(FormPage):
    """Waits for a code from a mail. A code can be tried five times, however many at once."""

    start = ""  # where to ask for a new code

    def was_asked(self) -> bool:
        """Whether this browser waits for a code here, perhaps one that has expired."""
        raise NotImplementedError

    def resume(self):
        """The library's process, or None (and forgotten) if its code has expired."""
        raise NotImplementedError

    def dispatch(self, request, *args, **kwargs):
        if not self.was_asked():
            if request.method == "POST":
                messages.error(request, _("That code was used or has expired. Ask for a new one"))
            return redirect("account_login")
        if not emails.still_theirs(self.resume()):
            messages.error(request, _("That code has expired. Ask for a new one"))
            return redirect(self.start)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        pause = limits.code_mail(self.request, self._process.state["email"])[0]
        wait = limits.seconds(pause.wait(timezone.now()))
        return super().get_context_data(**kwargs) | {"wait": wait}

    def post(self, request, *args, **kwargs):
        if request.POST.get("action") == "resend":
            return self.send_another()
        session, asked_at = request.session.session_key, self._process.state["at"]
        self.tries = limits.bucket("code_tries", session, asked_at)
        try:
            limits.take(self.tries)
        except limits.Limited:
            return self.give_up()
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form):
        response = super().form_invalid(form)
        was_last = self.tries.wait(timezone.now())
        return self.give_up() if was_last else response

    def give_up(self):
        self._process.abort()
        messages.error(self.request, _("Too many tries. Ask for a new code"))
        return redirect("account_login")

    def send_another(self):
        """A new code in the old one's place, with 10 minutes and five tries of its own."""
        try:
            limits.take(*limits.code_mail(self.request, self._process.state["email"]))
        except limits.Limited as limited:
            messages.error(self.request, limited.message)
            return limits.too_many(self.untried(), limited)
        with transaction.atomic():
            self._process.state |= {"at": timezone.now().timestamp(), "failed_attempts": 0}
            self.resend()
        messages.success(self.request, _("Another code is on its way. Use the newest one"))
        return redirect(self.request.get_full_path())

    def resend(self):
        self._process.resend()

    def untried(self):
        """The page, with nothing typed yet."""
        self._action = "verify"
        kwargs = self.get_form_kwargs() | {"data": None, "files": None}
        form = self.get_form_class()(**kwargs)
        return self.render_to_response(self.get_context_data(form=form))


class Door(FormPage):
    """A way in. Whoever waits for a code can come back and choose another, or mend the address."""

    def _redirect_to_pending_stage(self, request, stage):
        if stage.key == LoginByCodeStage.key:
            return None
        return super()._redirect_to_pending_stage(request, stage)


class LoginView(Door, library.LoginView):
    pass


class LogoutView(Page, library.LogoutView):
    pass


class InactiveView(Page, library.AccountInactiveView):
    pass


@method_decorator(never_cache, name="dispatch")
class RequestLoginCodeView(Door, library.RequestLoginCodeView):
    def buckets(self, form):
        return limits.code_mail(self.request, form.cleaned_data["email"])

    def form_valid(self, form):
        self.request.session.set_expiry(None if form.cleaned_data["remember"] else 0)
        return super().form_valid(form)


@method_decorator([login_not_required, never_cache], name="dispatch")
class LoginCodeView(CodePage, library.ConfirmLoginCodeView):
    start = "account_request_login_code"

    def was_asked(self):
        return LoginStageController.enter(self.request, LoginByCodeStage.key)

    def resume(self):
        return LoginCodeVerificationProcess.resume(self.was_asked())


class PasswordChangeView(FormPage, library.PasswordChangeView):
    def dispatch(self, request, *args, **kwargs):
        if not request.user.has_usable_password():  # they come in by Google: a code proves them
            return redirect("account_reset_password")
        return super().dispatch(request, *args, **kwargs)


@method_decorator(never_cache, name="dispatch")
class PasswordResetView(FormPage, library.PasswordResetView):
    def buckets(self, form):
        return limits.code_mail(self.request, form.cleaned_data["email"])


@method_decorator([login_not_required, never_cache], name="dispatch")
class ResetCodeView(CodePage, library.ConfirmPasswordResetCodeView):
    start = "account_reset_password"

    def was_asked(self):
        return PASSWORD_RESET_VERIFICATION_SESSION_KEY in self.request.session

    def resume(self):
        return PasswordResetVerificationProcess.resume(self.request)

    def resend(self):
        self._process.send()
        self._process.persist()


@method_decorator([login_not_required, never_cache], name="dispatch")
class NewPasswordView(FormPage, library.CompletePasswordResetView):
    def dispatch(self, request, *args, **kwargs):
        emails.still_theirs(PasswordResetVerificationProcess.resume(request))
        return super().dispatch(request, *args, **kwargs)

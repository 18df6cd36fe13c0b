"""Where we differ from the accounts library: who gets in, where they land, how mail leaves."""

from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import limits
from .models import Role, User
from .signals import account_mail_composed

HOMES = {
    Role.CUSTOMER: "tickets:list",
    Role.AGENT: "tickets:workspace",
    Role.ADMIN: "admin:index",
}


def home_of(user: User) -> str:
    """The name of the page ``user`` starts from."""
    return HOMES[user.role] if user.is_approved else "account_waiting"


class AccountAdapter(DefaultAccountAdapter):
    # One sentence for a wrong address, a wrong password and a closed account.
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("Check your email address and password"),
        "enter_current_password": _("Check your current password"),
        "incorrect_code": _("Invalid code!"),
        "too_many_login_attempts": _("Too many tries. Wait a few minutes, then try again"),
    }

    # --- Who gets in ---------------------------------------------------------

    def get_login_stages(self):
        """Whether somebody proved their address is said by their standing, and asked nowhere
        else: not by the library at each sign-in."""
        ours = {
            "allauth.account.stages.EmailVerificationStage": None,
            "allauth.mfa.stages.AuthenticateStage": "accounts.factors.SecondStep",
        }
        stages = [ours.get(stage, stage) for stage in super().get_login_stages()]
        return [stage for stage in stages if stage]

    def pre_authenticate(self, request, **credentials):
        """Count the try before the password is looked at: many at once can't slip through."""
        self._tries = limits.take(*limits.sign_in(request, credentials.get("email", "")))

    def authenticate(self, request, **credentials):
        """The person, or None. Whoever may not hold a session is no different from nobody."""
        user = super().authenticate(request, **credentials)
        if user is None or not user.is_active:
            return None
        limits.give_back(self._tries)
        return user

    def login(self, request, user):
        # ``user`` was loaded before the code they just typed changed their standing.
        user.refresh_from_db(fields=["standing", "deleted_at"])
        user.is_first_sign_in = user.last_login is None  # for the record: soon it is not
        super().login(request, user)

    # --- Where they land -----------------------------------------------------

    def get_login_redirect_url(self, request):
        return resolve_url(home_of(request.user))

    get_signup_redirect_url = get_login_redirect_url

    def get_password_change_redirect_url(self, request):
        return resolve_url("account_login")

    def post_login(self, request, user, *, redirect_url, **kwargs):
        if not user.is_approved:  # the page they came for is not open to them yet
            redirect_url = resolve_url(home_of(user))
        return super().post_login(request, user, redirect_url=redirect_url, **kwargs)

    def is_safe_url(self, url):
        """Only paths of this site: signing in never leads anywhere else."""
        return url.startswith("/") and super().is_safe_url(url)

    def is_ajax(self, request):
        return False  # every answer is a page

    # --- Mail ----------------------------------------------------------------

    def send_mail(self, template_prefix, email, context):
        """Compose the mail and announce it. Nothing is sent while a person waits.

        Links start with SITE_URL, never with the host a request claims to be for.
        """
        kind = template_prefix.rpartition("/")[2]
        mail = self.render_mail(
            template_prefix, email, {"email": email, "site_url": settings.SITE_URL, **context}
        )
        account_mail_composed.send(
            sender=User,
            user=User.objects.filter(email=email.lower()).first(),
            kind=kind,
            email=email,
            subject=mail.subject,
            text=mail.body,
            html="",
            expires_at=code_expiry() if "code" in context else context.get("expires_at"),
        )


def code_expiry():
    """When a code made now stops working."""
    return timezone.now() + timedelta(seconds=settings.CODE_SECONDS)

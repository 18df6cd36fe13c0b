"""Coming in with Google. Google proves a mailbox and nothing more: role and standing are ours."""

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.signals import social_account_added
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.dispatch import receiver
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.translation import gettext as _

from . import sign_ins, signups
from .forms.fields import CONTROL_CHARACTERS
from .models import AccountEvent, LoginRecord, Role, User
from .records import note

PROVIDER = "google"


def is_configured() -> bool:
    return bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET)


def account_of(user):
    """The Google account that ``user`` comes in with, or None."""
    return user.socialaccount_set.filter(provider=PROVIDER).first()


class Google(GoogleOAuth2Adapter):
    def get_callback_url(self, request, app):
        return settings.SITE_URL + reverse("google_callback")


class SocialAdapter(DefaultSocialAccountAdapter):
    def populate_user(self, request, sociallogin, data):
        """Keep of Google's answer what the security page shows, and compare the rest at once."""
        account = sociallogin.account
        sociallogin.nonce = account.extra_data.get("nonce", "")
        account.extra_data = {"email": account.extra_data.get("email", "")}
        return super().populate_user(request, sociallogin, data)

    def list_apps(self, request, provider=None, client_id=None):
        """The one of the settings; none from the database."""
        return [
            SocialApp(
                provider=PROVIDER,
                client_id=settings.GOOGLE_CLIENT_ID,
                secret=settings.GOOGLE_CLIENT_SECRET,
            )
        ]

    def generate_state_param(self, state):
        return get_random_string(32)

    def authenticate_by_email(self, sociallogin):
        """The person whose address both Google and we have verified."""
        email = verified_email(sociallogin)
        known = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
        address = known.first()
        return (address.user, email) if address else None

    def pre_social_login(self, request, sociallogin):
        """Google knows who it is. Whether they may come in, and as whom, is decided here."""
        if not constant_time_compare(sociallogin.nonce, sociallogin.state["nonce"]):
            refuse(request)  # an answer to a question that this browser did not ask
        if sociallogin.state["process"] == AuthProcess.CONNECT:
            return
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                sign_ins.note_refusal(request, sociallogin.user, LoginRecord.Method.GOOGLE)
                refuse(request)
            return
        try:
            join(request, sociallogin)
        except signups.Taken:
            refuse(request)

    def on_authentication_error(
        self, request, provider, error=None, exception=None, extra_context=None
    ):
        state = (extra_context or {}).get("state") or {}
        if state.get("process") == AuthProcess.CONNECT:
            messages.error(request, _("Google was not connected. Try again"))
            raise ImmediateHttpResponse(redirect("account_google"))
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect("account_login"))
        refuse(request)

    def get_connect_redirect_url(self, request, socialaccount):
        return reverse("account_google")


def verified_email(sociallogin) -> str:
    """The address that Google says is theirs, or nothing."""
    return next((each.email.lower() for each in sociallogin.email_addresses if each.verified), "")


@transaction.atomic
def disconnect(request, account) -> None:
    account.delete()
    note(account.user, AccountEvent.Kind.GOOGLE_DISCONNECTED, by=request.user)
    get_account_adapter().send_notification_mail(
        "socialaccount/email/account_disconnected", account.user, {"account": account}
    )


@receiver(social_account_added)
def note_the_connection(sender, request, sociallogin, **kwargs):
    note(sociallogin.user, AccountEvent.Kind.GOOGLE_CONNECTED, by=sociallogin.user)


@transaction.atomic
def join(request, sociallogin) -> User:
    """A new customer, or the unclaimed person with that address. Raises Taken."""
    email = verified_email(sociallogin)
    if not email or signups.is_taken(email):
        raise signups.Taken
    guest = sociallogin.user  # as Google describes them
    sociallogin.user = signups.claim(
        email,
        first_name=_name(guest.first_name),
        last_name=_name(guest.last_name),
        role=Role.CUSTOMER,
        password=guest.password,  # matches nothing
    )
    sociallogin.save(request, connect=True)
    note(sociallogin.user, AccountEvent.Kind.GOOGLE_CONNECTED, by=sociallogin.user)
    return sociallogin.user


def _name(words) -> str:
    return CONTROL_CHARACTERS.sub("", words)[:150].strip()


def refuse(request):
    """One sentence for every reason, so that it tells nothing about an address."""
    messages.error(
        request,
        _(
            "We could not sign you in with Google. If you have an account, sign in to it another "
            "way and connect Google under Security"
        ),
    )
    raise ImmediateHttpResponse(redirect("account_login"))

"""A new email address: the old one stays in force until the new one has proved itself."""

from email.utils import parseaddr

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import normalize_user_code
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from .models import AccountEvent, User
from .records import note
from .signals import email_changed

SESSION_KEY = "account_new_email"


class AddressTaken(Exception):
    """Since the code was sent, somebody else has come to have the address."""


class NewEmail(AbstractCodeVerificationProcess):
    """The wait of one browser for the code that was mailed to the new address.

    The accounts library has such steps for the other codes. Its own for a new address asks for
    no password, and belongs to the sign-up.
    """

    def __init__(self, request, state):
        limit = app_settings.EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS  # the page counts them
        timeout = app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT
        super().__init__(max_attempts=limit, timeout=timeout, state=state, user=request.user)
        self.request = request

    @classmethod
    def start(cls, request, email: str) -> None:
        process = cls(request, cls.initial_state(request.user, email))
        process.send()
        process.persist()

    @classmethod
    def resume(cls, request):
        """The wait of this browser, or None if there is none or it was too long."""
        state = request.session.get(SESSION_KEY)
        return cls(request, state).abort_if_invalid() if state else None

    @property
    def email(self) -> str:
        return self.state["email"]

    def send(self) -> None:
        """A code, or to the owner of a taken address a word: the page says the same."""
        adapter = get_adapter()
        if is_taken(self.email):
            adapter.send_mail("account/email/email_taken", self.email, {})
            return
        code = adapter.generate_email_verification_code()
        self.state["proof"] = _proof(code)
        adapter.send_mail("account/email/new_email_code", self.email, {"code": code})

    def accepts(self, code: str) -> bool:
        return constant_time_compare(self.state.get("proof", ""), _proof(code))

    def persist(self) -> None:
        self.request.session[SESSION_KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(SESSION_KEY, None)


def _proof(code: str) -> str:
    return salted_hmac(SESSION_KEY, normalize_user_code(code), algorithm="sha256").hexdigest()


def still_theirs(process):
    """The library's ``process``, or None (and forgotten) if its code went to an address that its
    person has no more."""
    if process and process.user and process.user.email != process.state["email"].lower():
        process.abort()
        return None
    return process


def is_taken(email: str) -> bool:
    return (
        User.objects.filter(email=email).exists()
        or EmailAddress.objects.filter(email=email).exists()
    )


@transaction.atomic
def change_email(user: User, email: str) -> None:
    """``user`` has proved that ``email`` is theirs: it takes the old one's place everywhere.

    Raises AddressTaken. Every session made for the old address ends with it.
    """
    old = user.email
    try:
        with transaction.atomic():
            if not User.objects.filter(pk=user.pk, email=old).update(email=email):
                return  # the same form, at the same moment, was quicker
            EmailAddress.objects.filter(user=user).delete()
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    except IntegrityError as taken:
        raise AddressTaken from taken
    user.email = email
    note(user, AccountEvent.Kind.EMAIL_CHANGED, by=user)
    email_changed.send(sender=User, user=user, old=old)
    facts = {"timestamp": timezone.now(), "care_address": parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}
    get_adapter().send_mail("account/email/email_changed", old, facts)

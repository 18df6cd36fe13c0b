"""The number for SMS: used once its person has typed a code that was sent there."""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.core.internal.cryptokit import normalize_user_code
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts import limits
from accounts.devices import address_of
from accounts.models import User

from ..models import Channel, Reaching, ShortMessage
from .tasks import ring

SESSION_KEY = "notifications_new_number"
MAX_TRIES = 5


class NewNumber(AbstractCodeVerificationProcess):
    """The wait of one browser for the code that was sent to the number. Like
    ``accounts.emails.NewEmail``."""

    def __init__(self, request, state):
        super().__init__(
            max_attempts=MAX_TRIES, timeout=settings.CODE_SECONDS, state=state, user=request.user
        )
        self.request = request

    @classmethod
    def start(cls, request, number: str) -> None:
        """``number`` is like +441134960000. Raises Limited."""
        limits.take(*code_limits(request, number))
        process = cls(request, cls.initial_state(request.user) | {"number": number})
        process.send()
        process.persist()

    @classmethod
    def resume(cls, request):
        """The wait of this browser, or None if there is none or it was too long."""
        state = request.session.get(SESSION_KEY)
        return cls(request, state).abort_if_invalid() if state else None

    @property
    def number(self) -> str:
        return self.state["number"]

    def send(self) -> None:
        code = get_adapter().generate_email_verification_code()
        self.state["proof"] = _proof(code)
        words = _("%(code)s is your code for SMS from %(site)s. It works for 10 minutes.")
        with transaction.atomic():
            ShortMessage.objects.create(
                channel=Channel.SMS,
                recipient=self.request.user,
                number=self.number,
                text=words % {"code": code, "site": settings.SITE_NAME},
                expires_at=timezone.now() + timedelta(seconds=settings.CODE_SECONDS),
            )
            transaction.on_commit(lambda: ring(), robust=True)

    def accepts(self, code: str) -> bool:
        return constant_time_compare(self.state["proof"], _proof(code))

    def persist(self) -> None:
        self.request.session[SESSION_KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(SESSION_KEY, None)


def code_limits(request, number: str):
    """Each SMS costs money, and each rings a telephone that may be a stranger's."""
    return (
        limits.bucket("sms_code_number", number),
        limits.bucket("sms_code_person", request.user.pk),
        limits.bucket("sms_code_address", address_of(request)),
    )


def _proof(code: str) -> str:
    return salted_hmac(SESSION_KEY, normalize_user_code(code), algorithm="sha256").hexdigest()


def keep(user: User, number: str) -> None:
    Reaching.objects.update_or_create(user=user, defaults={"sms_number": number})


def number_of(user: User):
    """Where ``user`` gets SMS; None for nowhere."""
    reaching = Reaching.objects.filter(user=user).first()
    return (reaching and reaching.sms_number) or None


def remove(user: User) -> None:
    Reaching.objects.filter(user=user).update(sms_number="")

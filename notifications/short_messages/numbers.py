"""The number for SMS: used once its person has typed a code that was sent there."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from accounts import limits
from accounts.bells import ring
from accounts.devices import address_of
from accounts.models import User
from accounts.proofs import Proof

from ..models import Channel, Reaching, ShortMessage
from ..owed import SEND_SHORT


class NewNumber(Proof):
    session_key = "notifications_new_number"

    @property
    def number(self) -> PhoneNumber:
        return PhoneNumber.from_string(self.state["number"])

    def send(self) -> None:
        """Raises Limited."""
        limits.take(*code_limits(self.request, self.state["number"]))
        words = _("%(code)s is your code for SMS from %(site)s. It works for 10 minutes.")
        ShortMessage.objects.create(
            channel=Channel.SMS,
            recipient=self.request.user,
            number=self.number,
            text=words % {"code": self.new_code(), "site": settings.SITE_NAME},
            expires_at=timezone.now() + timedelta(seconds=settings.CODE_SECONDS),
        )
        ring(SEND_SHORT)


def code_limits(request, number: str):
    """Each SMS costs money, and each rings a telephone that may be a stranger's."""
    return (
        limits.bucket("sms_code_number", number),
        limits.bucket("sms_code_person", request.user.pk),
        limits.bucket("sms_code_address", address_of(request)),
    )


def keep(user: User, number: PhoneNumber) -> None:
    Reaching.objects.update_or_create(user=user, defaults={"sms_number": number})


def number_of(user: User):
    """Where ``user`` gets SMS; None for nowhere."""
    reaching = Reaching.objects.filter(user=user).first()
    return (reaching and reaching.sms_number) or None


def remove(user: User) -> None:
    Reaching.objects.filter(user=user).update(sms_number="")

"""A new email address: the old one stays in force until the new one has proved itself."""

from email.utils import parseaddr

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from .models import AccountEvent, User
from .proofs import Proof
from .records import note
from .signals import email_changed


class AddressTaken(Exception):
    """Since the code was sent, somebody else has come to have the address."""


class NewEmail(Proof):
    session_key = "account_new_email"

    @property
    def email(self) -> str:
        return self.state["email"]

    def send(self) -> None:
        """A code, or to the owner of a taken address a word: the page says the same."""
        if is_taken(self.email):
            get_adapter().send_mail("account/email/email_taken", self.email, {})
            return
        facts = {"code": self.new_code()}
        get_adapter().send_mail("account/email/new_email_code", self.email, facts)


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

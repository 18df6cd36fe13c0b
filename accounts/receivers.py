from allauth.account.signals import email_confirmed
from django.dispatch import receiver

from . import actions


@receiver(email_confirmed)
def let_in_whoever_proved_the_address(sender, email_address, **kwargs):
    """By the code of the sign-up, or by one that resets the password: both read the mailbox.

    Runs inside the transaction that marks the address as confirmed.
    """
    actions.confirm(email_address.user)

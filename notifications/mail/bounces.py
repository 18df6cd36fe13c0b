"""Mails that came back, and the addresses that get no more because theirs always do.

Anybody can write a report. It counts only if it names a mail of ours by its Message-ID, which only
who got it knows, and the address that mail went to (P8).
"""

import re
import smtplib
from datetime import timedelta

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_reset, user_logged_in
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from accounts.signals import email_changed, user_confirmed
from messaging.signals import mail_bounced

from ..models import AddressTrouble, OutgoingMail
from .envelopes import one_line

State = OutgoingMail.State

FORGOTTEN_AFTER = timedelta(days=30)  # since an address had its last trouble; then it starts anew
# What servers say of a recipient who is not there, not of the mail or the sender: by the codes of
# RFC 3463, or in the words of those that give none.
NOBODY_THERE = re.compile(
    r"(?<!\S)5\.(1\.(0|1|2|3|6|10)|2\.1)(?!\S)"
    r"|user unknown|unknown user|no such (user|recipient|mailbox)|unrouteable address",
    re.IGNORECASE,
)


@receiver(mail_bounced)
def note_bounce(sender, mail, bounce, **kwargs):
    found = OutgoingMail.objects.filter(message_id=bounce.message_id, state=State.SENT)
    ours = found.select_for_update().first()
    if ours is None or ours.email.lower() not in bounce.recipients:
        return
    mail.ticket_id = ours.ticket_id
    mail.save(update_fields=["ticket"])
    answer = one_line(bounce.answer or bounce.status)[:500]
    if not bounce.is_final:
        found.update(last_answer=answer)
        return
    found.update(state=State.FAILED, bounced_at=timezone.now(), last_answer=answer)
    note_trouble(ours.email, answer)


def is_nobody_there(refusal: OSError, answer: str) -> bool:
    """Whether the server refused the recipient at once as unknown: a bounce without a report."""
    is_about_recipient = isinstance(refusal, smtplib.SMTPRecipientsRefused)
    return is_about_recipient and answer[:1] == "5" and bool(NOBODY_THERE.search(answer))


@transaction.atomic
def note_trouble(email: str, answer: str) -> None:
    """One more mail to ``email`` has come back."""
    now = timezone.now()
    trouble, _new = AddressTrouble.objects.get_or_create(email=email.lower())
    trouble = AddressTrouble.objects.select_for_update().get(pk=trouble.pk)
    if now - trouble.last_bounced_at > FORGOTTEN_AFTER:
        trouble.bounces = 0
    trouble.bounces += 1
    trouble.last_bounced_at, trouble.last_answer = now, answer
    if trouble.bounces >= settings.BOUNCES_TO_FLAG and not trouble.flagged_at:
        trouble.flagged_at = now
    trouble.save()


def flagged(emails) -> set[str]:
    """Those among ``emails``, in lower case, that get no more mail."""
    emails = {email.lower() for email in emails}
    troubled = AddressTrouble.objects.filter(email__in=emails, flagged_at__isnull=False)
    return set(troubled.values_list("email", flat=True))


def mail_again(email: str) -> None:
    """What was wrong with the address is forgotten."""
    AddressTrouble.objects.filter(email=email.lower()).delete()


# --- Whoever reads what is mailed there -----------------------------------------


@receiver([user_confirmed, email_changed, password_reset])
def trust_the_address(sender, user, **kwargs):
    mail_again(user.email)


@receiver(user_logged_in)
def trust_the_address_of_a_code(sender, request, user, **kwargs):
    records = get_authentication_records(request, user)
    if any(record["method"] == "code" for record in records):
        mail_again(user.email)

"""The outbox: every mail that is owed is claimed, checked, written, sent and marked.

Between "the server took it" and "marked as sent" lies the one moment in which a crash sends a
mail twice, with the same Message-ID. ``owed.py`` says how mails are claimed and tried again,
``addressing.py`` how they come to be, ``circuit.py`` when none is sent at all.
"""

import logging
import smtplib
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.faults import fault
from accounts.models import User
from tickets.mail_addresses import named_in_message_id, new_message_id

from ..models import Notification, OutgoingMail
from ..models.mail import DIGEST, new_digest_id
from ..owed import FIRST_DELAY, LEASE, UNLEASED, retry_delay
from ..owing import owe
from . import bounces
from .addressing import address_notifications
from .circuit import Breaker
from .composing import compose, told_by
from .envelopes import one_line
from .meant import NotMeant

Kind = Notification.Kind
State = OutgoingMail.State
logger = logging.getLogger(__name__)

BATCH = 50
FRESH_SECONDS = 5  # after which rights are asked again
LONGEST_OUTAGE_DELAY = timedelta(minutes=5)
ALARMS = (Kind.MAIL_STOPPED, Kind.MAIL_GIVEN_UP)


def drain() -> None:
    """Send all that is due over one kept connection, until nothing is or the server fails us."""
    connection, breaker = get_connection(), Breaker()
    try:
        while batch := claim(breaker):
            fault("after_claim")
            try:
                connection.open()
                while batch:
                    deliver_for_a_while(batch, connection, breaker)
            except OSError as trouble:  # smtplib's errors are among them
                wait_for_server(batch, trouble)
                return
    finally:
        connection.close()


def deliver_for_a_while(batch: list[OutgoingMail], connection, breaker: Breaker) -> None:
    """Deliver, and take from ``batch``, what is told as its people's rights are now."""
    told, until = told_by(batch), monotonic() + FRESH_SECONDS
    ours = still_ours(batch)
    while batch and monotonic() < until:
        mail = batch.pop(0)
        if mail.pk in ours:
            deliver(mail, connection, breaker, told.get(mail.pk))


def claim(breaker: Breaker) -> list[OutgoingMail]:
    """Lease the next mails that are due, but drop what goes to addresses that take none."""
    while address_notifications():
        fault("after_addressing")
    now = timezone.now()
    drop_expired(now)
    batch = breaker.claim(OutgoingMail.objects.due(now), BATCH)
    flagged = bounces.flagged(mail.email for mail in batch)
    for mail in batch:
        mail.is_to_flagged = mail.email.lower() in flagged
    return batch


def drop_expired(now) -> None:
    """Codes nobody can use any more are not sent and do not stay in the database."""
    expired = OutgoingMail.objects.filter(state=State.OWED, expires_at__lte=now)
    expired.exclude(leased_until__gt=now).update(
        state=State.DROPPED, content={}, last_answer=_("It expired before it could be sent.")
    )


def deliver(mail: OutgoingMail, connection, breaker: Breaker, told=None) -> None:
    """Send one claimed mail, which tells what ``told_by`` found for it, and write down what became
    of it.

    Raises OSError when the connection was lost; the mail has been put off by then.
    """
    try:
        message = _message(mail, told)
        fault("before_smtp")
        connection.send_messages([message])
    except NotMeant as reason:
        finish(mail, State.DROPPED, str(reason))
    except OSError as refusal:
        code, answer = answer_in(refusal)
        settle_refusal(mail, refusal, code, answer, breaker)
        if code in (0, 421):
            raise
    except DatabaseError:
        raise
    except Exception:  # one mail that can't be written must not hold up the others
        logger.exception("Mail %s can't be written.", mail.pk)
        give_up(mail, _("It could not be written. The worker’s log says why."))
    else:
        fault("after_smtp_accept")
        subject = mail.subject if mail.content else message.subject  # codes stay out
        answer = one_line(getattr(connection, "answer", ""))
        finish(mail, State.SENT, answer, sent_at=timezone.now(), subject=subject)
        breaker.accept()
        fault("after_mark")


def still_ours(mails: list[OutgoingMail]) -> set[int]:
    """The keys of those that nobody else has, and that are owed still; leased for long enough that
    the last of them may have the slowest conversation."""
    leases = {mail.lease for mail in mails}
    held = OutgoingMail.objects.filter(
        pk__in=[mail.pk for mail in mails], lease__in=leases, state=State.OWED
    )
    held.update(leased_until=timezone.now() + LEASE)
    return set(held.values_list("pk", flat=True))


def _message(mail, told):
    """Raises NotMeant. What people ask for at this moment goes to any address: with a code from
    there they prove that it works again."""
    if mail.is_to_flagged and not mail.content:
        raise NotMeant(_("Mails to this address came back, so it gets no more."))
    return compose(mail, told)


def answer_in(error: OSError) -> tuple[int, str]:
    """The server's code and words; the code is 0 when it did not answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, words = error.smtp_code, error.smtp_error
    else:
        return 0, one_line(f"{type(error).__name__}: {error}")
    words = words.decode(errors="replace") if isinstance(words, bytes) else words
    return code, one_line(f"{code} {words}")


def settle_refusal(mail, refusal, code, answer, breaker) -> None:
    """Try later, unless the refusal is final. That our sender is refused is for the operator
    to mend, so it never is; nor is any while the server refuses everything."""
    is_about_sender = isinstance(refusal, smtplib.SMTPSenderRefused)
    tries = mail.tries + 1
    if code >= 500 and not breaker.refuse(mail, answer):
        tries = 1
    elif code >= 500 and not is_about_sender:
        finish(mail, State.FAILED, answer, tries=tries)
        if isinstance(refusal, smtplib.SMTPRecipientsRefused):
            bounces.note_refusal(mail, answer)
        return
    if tries >= settings.OUTBOX_MAX_TRIES or mail.is_too_old:
        give_up(mail, answer, tries=tries)
    else:
        put_off(mail, retry_delay(tries), answer, tries=tries)


def wait_for_server(mails, trouble) -> None:
    """The server can't be talked to. That is no fault of these mails, so it costs them no try:
    each waits as long again as it has waited, at most five minutes."""
    answer = answer_in(trouble)[1]
    logger.warning("The mail server can't be reached: %s", answer)
    for mail in mails:
        age = timezone.now() - mail.created_at
        if mail.is_too_old:
            give_up(mail, answer)
        else:
            put_off(mail, min(max(age, FIRST_DELAY), LONGEST_OUTAGE_DELAY), answer)


def put_off(mail, delay: timedelta, answer: str, **changes) -> None:
    changes |= UNLEASED | {"next_try_at": timezone.now() + delay, "last_answer": answer}
    _held(mail).update(**changes)


def give_up(mail, answer: str, **changes) -> None:
    """Administrators hear of it, once an hour however many there are; but not of their own mails
    about that."""
    logger.error("Mail %s was given up; the outbox says why.", mail.pk)
    finish(mail, State.FAILED, answer, **changes)
    if not mail.notifications.filter(kind__in=ALARMS).exists():
        cause = f"mails-given-up:{timezone.now():%Y%m%d%H}"
        owe(Kind.MAIL_GIVEN_UP, *User.objects.admins(), cause=cause)


def finish(mail, state: str, answer: str, **changes) -> None:
    """Nothing is owed any more. Content goes, unless it may be asked to go out again."""
    if state != State.FAILED or mail.expires_at:
        changes["content"] = {}
    _held(mail).update(state=state, last_answer=answer, **UNLEASED, **changes)


def _held(mail):
    """``mail``'s row, as long as it is owed and the lease is ours."""
    return mail.held().filter(state=State.OWED)


@transaction.atomic
def send_again(mails) -> int:
    """Owe the queryset ``mails`` anew, and return how many. What was sent already goes out as a
    new mail; what has nothing left to say (a used code) stays as it is."""
    sayable = mails.filter(Q(notifications__isnull=False) | ~Q(content={}))
    found = OutgoingMail.objects.filter(pk__in=sayable.values("pk"))
    found = found.select_related("recipient", "ticket")
    found = list(found.order_by("pk"))
    for mail in found:
        if mail.sent_at:  # also if it came back
            mail.notifications.update(mail=_fresh_copy(mail))
        else:
            _owe_anew(mail)
    return len(found)


def _fresh_copy(mail) -> OutgoingMail:
    copy = OutgoingMail(recipient=mail.recipient, email=mail.recipient.email, ticket=mail.ticket)
    if named_in_message_id(mail.message_id):
        copy.message_id = new_message_id(mail.ticket, mail.recipient)
    elif mail.message_id.startswith(DIGEST):
        copy.message_id = new_digest_id()
    copy.save()
    return copy


def _owe_anew(mail):
    """Due now, with all its tries, to the address the person has by now."""
    now = timezone.now()
    changes = {"state": State.OWED, "next_try_at": now}
    if mail.state != State.OWED:
        changes |= {"tries": 0, "created_at": now}
    if not mail.content:
        changes["email"] = mail.recipient.email
    OutgoingMail.objects.filter(pk=mail.pk, state=mail.state).update(**changes)

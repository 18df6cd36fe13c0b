"""The outbox: every mail that is owed is claimed, checked, written, sent and marked.

Between "the server took it" and "marked as sent" lies the one moment in which a crash sends a
mail twice, with the same Message-ID. ``owed.py`` says how mails are claimed and tried again.
"""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.mail_addresses import new_message_id

from .faults import fault
from .mails import NotMeant, compose, one_line, takes_answers
from .models import Notification, OutgoingMail
from .owed import FIRST_DELAY, LEASE, UNLEASED, retry_delay

State = OutgoingMail.State
logger = logging.getLogger(__name__)

BATCH = 20
LONGEST_OUTAGE_DELAY = timedelta(minutes=5)


def drain() -> None:
    """Send all that is due over one kept connection, until nothing is or the server fails us."""
    connection = get_connection()
    try:
        while batch := claim():
            try:
                connection.open()
                while batch:
                    deliver(batch.pop(0), connection)
            except OSError as trouble:  # smtplib's errors are among them
                wait_for_server(batch, trouble)
                return
    finally:
        connection.close()


def claim() -> list[OutgoingMail]:
    """Lease the next mails that are due."""
    while address_notifications():
        pass
    now = timezone.now()
    drop_expired(now)
    return OutgoingMail.objects.due(now).claim(BATCH)


def drop_expired(now) -> None:
    """Codes nobody can use any more are not sent and do not stay in the database."""
    expired = OutgoingMail.objects.filter(state=State.OWED, expires_at__lte=now)
    expired.exclude(leased_until__gt=now).update(
        state=State.DROPPED, content={}, last_answer=_("It expired before it could be sent.")
    )


@transaction.atomic
def address_notifications() -> int:
    """Give the next notifications that have none a mail each, in the order they were owed."""
    # Not skip_locked: mails of one ticket keep their order by being made by one worker at a time.
    waiting = list(
        Notification.objects.select_for_update(of=("self",))
        .filter(mail=None)
        .select_related("recipient", "event__ticket")
        .order_by("pk")[:200]
    )
    mails = OutgoingMail.objects.bulk_create([_mail_for(notification) for notification in waiting])
    for notification, mail in zip(waiting, mails, strict=True):
        notification.mail = mail
    Notification.objects.bulk_update(waiting, ["mail"])
    return len(waiting)


def _mail_for(notification) -> OutgoingMail:
    person, event = notification.recipient, notification.event
    mail = OutgoingMail(recipient=person, email=person.email, ticket=event and event.ticket)
    if takes_answers(notification):
        mail.message_id = new_message_id(event.ticket, person)
    return mail


def deliver(mail: OutgoingMail, connection) -> None:
    """Send one claimed mail and write down what became of it.

    Raises OSError when the connection was lost; the mail has been put off by then.
    """
    if not _held(mail).update(leased_until=timezone.now() + LEASE):
        return  # we were so slow that somebody else has it
    try:
        message = compose(mail)
        connection.send_messages([message])
    except NotMeant as reason:
        finish(mail, State.DROPPED, str(reason))
    except OSError as refusal:
        code, answer = answer_in(refusal)
        settle_refusal(mail, refusal, code, answer)
        if code in (0, 421):
            raise
    except DatabaseError:
        raise
    except Exception:  # one mail that can't be written must not hold up the others
        logger.exception("Mail %s can't be written.", mail.pk)
        finish(mail, State.FAILED, _("It could not be written. The worker’s log says why."))
    else:
        fault("after_smtp_accept")
        subject = mail.subject if mail.content else message.subject  # codes stay out
        answer = one_line(getattr(connection, "answer", ""))
        finish(mail, State.SENT, answer, sent_at=timezone.now(), subject=subject)


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


def settle_refusal(mail, refusal, code, answer) -> None:
    """Try later, unless the refusal is final. That our sender is refused is for the operator
    to mend, so it never is."""
    tries = mail.tries + 1
    final = code >= 500 and not isinstance(refusal, smtplib.SMTPSenderRefused)
    if final or tries >= settings.OUTBOX_MAX_TRIES or mail.is_too_old:
        finish(mail, State.FAILED, answer, tries=tries)
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
            finish(mail, State.FAILED, answer)
        else:
            put_off(mail, min(max(age, FIRST_DELAY), LONGEST_OUTAGE_DELAY), answer)


def put_off(mail, delay: timedelta, answer: str, **changes) -> None:
    changes |= UNLEASED | {"next_try_at": timezone.now() + delay, "last_answer": answer}
    _held(mail).update(**changes)


def finish(mail, state: str, answer: str, **changes) -> None:
    """Nothing is owed any more. Content goes, unless it may be asked to go out again."""
    if state != State.FAILED or mail.expires_at:
        changes["content"] = {}
    if state == State.FAILED:
        logger.error("Mail %s was given up; the outbox says why.", mail.pk)
    _held(mail).update(state=state, last_answer=answer, **UNLEASED, **changes)


def _held(mail):
    """``mail``'s row, as long as it is owed and the lease is ours."""
    return mail.held().filter(state=State.OWED)


@transaction.atomic
def send_again(mails) -> int:
    """Owe the queryset ``mails`` anew, and return how many. What was sent already goes out as a
    new mail; what has nothing left to say (a used code) stays as it is."""
    sayable = mails.filter(Q(notifications__isnull=False) | ~Q(content={}))
    found = OutgoingMail.objects.filter(pk__in=sayable.values("pk")).select_related("recipient")
    found = list(found.order_by("pk"))
    for mail in found:
        if mail.state == State.SENT:
            mail.notifications.update(mail=_fresh_copy(mail))
        else:
            _owe_anew(mail)
    return len(found)


def _fresh_copy(mail) -> OutgoingMail:
    return OutgoingMail.objects.create(
        recipient=mail.recipient, email=mail.recipient.email, ticket=mail.ticket
    )


def _owe_anew(mail):
    """Due now, with all its tries, to the address the person has by now."""
    now = timezone.now()
    changes = {"state": State.OWED, "next_try_at": now}
    if mail.state != State.OWED:
        changes |= {"tries": 0, "created_at": now}
    if not mail.content:
        changes["email"] = mail.recipient.email
    OutgoingMail.objects.filter(pk=mail.pk, state=mail.state).update(**changes)

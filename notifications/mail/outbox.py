"""The outbox: every mail that is owed is claimed, checked, written, sent and marked.

Between "the server has it" and "marked as sent" lies the one moment in which a crash sends a
mail twice, with the same Message-ID. ``owed.py`` says how mails are claimed and tried again,
``addressing.py`` how they come to be, ``circuit.py`` when none is sent at all.
"""

import logging
import smtplib
import socket
from datetime import timedelta
from threading import Thread
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, connections, transaction
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
from .backends import (
    LAST_ANSWER_SECONDS,
    AnswerIsLate,
    AnswerIsLost,
    KeptConnection,
    TooSlow,
    UsedUp,
    answer_in,
)
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
# In place of an answer to a mail that the server has.
TOO_SLOW = "The server answers too slowly"
HUNG_UP = "The server hung up"
NOBODY_ANSWERS = (ConnectionRefusedError, TimeoutError, socket.gaierror)
SILENT_TRIES = 4  # a try that ends so is put off as if it were the fourth after: for an hour


def drain() -> None:
    """Send all that is due over one kept connection, until nothing is or the server fails us.
    What is left then the next sweep takes up."""
    connection, breaker = KeptConnection(), Breaker()
    try:
        while batch := claim(breaker):
            fault("after_claim")
            try:
                while batch:
                    connection.open()
                    deliver_for_a_while(batch, connection, breaker)
            except TooSlow:  # it cost time: the worker's other jobs have their turn
                for mail in batch:
                    mail.held().update(**UNLEASED)
                return
            except OSError as trouble:
                wait_for_server(batch, trouble)
                return
    finally:
        connection.close()


def deliver_for_a_while(batch: list[OutgoingMail], connection, breaker: Breaker) -> None:
    """As long as the connection lasts, deliver, and take from ``batch``, what is told as its
    people's rights are now."""
    told, until = told_by(batch), monotonic() + FRESH_SECONDS
    ours = still_ours(batch)
    while batch and connection.is_open and monotonic() < until:
        mail = batch.pop(0)
        if mail.pk in ours:
            try:
                deliver(mail, connection, breaker, told.get(mail.pk))
            except UsedUp:
                batch.insert(0, mail)


def claim(breaker: Breaker) -> list[OutgoingMail]:
    """Lease the next mails that are due, but drop what goes to addresses that take none."""
    while address_notifications():
        fault("after_addressing")
    now = timezone.now()
    drop_expired(now)
    batch = breaker.claim(OutgoingMail.objects.due(now), BATCH)
    flagged = bounces.flagged(mail.email for mail in batch)
    for mail in batch:
        mail.is_to_flagged = mail.email in flagged
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

    Raises UsedUp when it may be sent again at once, and AnswerIsLate when it is away in the hands
    of who waits for the answer.
    """
    try:
        message = _message(mail, told)
        fault("before_smtp")
        connection.send_messages([message])
    except NotMeant as reason:
        finish(mail, State.DROPPED, str(reason))
    except AnswerIsLate:
        wait_for_answer(mail, message, connection.give_away(), breaker)
        raise
    except AnswerIsLost:
        settle_silence(mail, HUNG_UP)
    except OSError as refusal:
        settle_refusal(mail, refusal, breaker)
    except (DatabaseError, UsedUp):
        raise
    except Exception:  # one mail that can't be written must not hold up the others
        logger.exception("Mail %s can't be written.", mail.pk)
        give_up(mail, _("It could not be written. The worker’s log says why."))
    else:
        settle_acceptance(mail, message, connection.answer, breaker)


def settle_acceptance(mail, message, answer: str, breaker) -> None:
    fault("after_smtp_accept")
    subject = mail.subject if mail.content else message.subject  # codes stay out
    finish(mail, State.SENT, one_line(answer), sent_at=timezone.now(), subject=subject)
    breaker.accept()
    fault("after_mark")


def wait_for_answer(mail, message, conversation, breaker) -> None:
    """Keep the mail, which the server has, and hear in a thread of its own whether it takes it:
    the worker has more to do than to wait for that."""
    logger.warning("%s: mail %s waits for its answer.", TOO_SLOW, mail.pk)
    until = timezone.now() + timedelta(seconds=LAST_ANSWER_SECONDS) + LEASE
    _held(mail).update(leased_until=until, last_answer=TOO_SLOW)
    # Ends with the worker; what it waited for is then tried again when the lease ends.
    waiting = (mail, message, conversation, breaker)
    Thread(target=hear_late_answer, args=waiting, daemon=True).start()


def hear_late_answer(mail, message, conversation, breaker) -> None:
    try:
        answer = conversation.late_answer()
    except smtplib.SMTPServerDisconnected:
        settle_silence(mail, TOO_SLOW)
    except OSError as refusal:
        settle_refusal(mail, refusal, breaker)
    else:
        settle_acceptance(mail, message, answer, breaker)
    finally:
        conversation.close()
        connections.close_all()


def settle_silence(mail, what_it_did: str) -> None:
    """Nobody knows whether the server took the mail, so whoever tries soon sends it twice."""
    tries = mail.tries + 1
    answer = f"{what_it_did}, and may have taken it"
    try_later(mail, tries, retry_delay(tries + SILENT_TRIES), answer)


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


def why_no_talk(trouble: OSError) -> str:
    """What is wrong with the server itself, or with how we sign in there."""
    answer = answer_in(trouble)[1]
    if isinstance(trouble, NOBODY_ANSWERS):
        words, answer = _("Nobody answers at %(server)s: %(answer)s"), answer.lower()
    elif isinstance(trouble, smtplib.SMTPAuthenticationError):
        words = _("%(server)s refuses our sign-in: %(answer)s")
    else:
        words = _("The server can’t be talked to: %(answer)s")
    return words % {"server": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}", "answer": answer}


def as_long_again(mail) -> timedelta:
    """As ``mail`` has waited, at most five minutes."""
    return min(max(timezone.now() - mail.created_at, FIRST_DELAY), LONGEST_OUTAGE_DELAY)


def settle_refusal(mail, refusal, breaker) -> None:
    """Try later, unless the refusal is final. That our sender is refused is for the operator
    to mend, so it never is; nor is any while the server refuses everything, but of an address
    that is not there."""
    code, answer = answer_in(refusal)
    tries = mail.tries + 1
    if bounces.is_nobody_there(refusal, answer):
        finish(mail, State.FAILED, answer, tries=tries)
        bounces.note_trouble(mail.email, answer)
        return
    if code >= 500 and not breaker.refuse(mail, answer):
        try_later(mail, 1, as_long_again(mail), answer)
        return
    if code >= 500 and not isinstance(refusal, smtplib.SMTPSenderRefused):
        finish(mail, State.FAILED, answer, tries=tries)
        return
    try_later(mail, tries, retry_delay(tries), answer)


def try_later(mail, tries: int, delay: timedelta, answer: str) -> None:
    if tries >= settings.OUTBOX_MAX_TRIES or mail.is_too_old:
        give_up(mail, answer, tries=tries)
    else:
        put_off(mail, delay, answer, tries=tries)


def wait_for_server(mails, trouble) -> None:
    """The server can't be talked to. That is no fault of these mails, so it costs them no try:
    each waits as long again as it has waited."""
    answer = why_no_talk(trouble)
    logger.warning("No mail goes out. %s", answer)
    for mail in mails:
        if mail.is_too_old:
            give_up(mail, answer)
        else:
            put_off(mail, as_long_again(mail), answer)


def put_off(mail, delay: timedelta, answer: str, **changes) -> None:
    changes |= UNLEASED | {"next_try_at": timezone.now() + delay, "last_answer": answer}
    _held(mail).update(**changes)


def give_up(mail, answer: str, **changes) -> None:
    """Administrators hear of it, once an hour however many there are; but not of their own mails
    about that."""
    if not finish(mail, State.FAILED, answer, **changes):
        return
    logger.error("Mail %s was given up; the outbox says why.", mail.pk)
    if not mail.notifications.filter(kind__in=ALARMS).exists():
        cause = f"mails-given-up:{timezone.now():%Y%m%d%H}"
        owe(Kind.MAIL_GIVEN_UP, *User.objects.admins(), cause=cause)


def finish(mail, state: str, answer: str, **changes) -> int:
    """Nothing is owed any more. Content goes, unless it may be asked to go out again. Returns 0
    when another worker has the mail by now."""
    if state != State.FAILED or mail.expires_at:
        changes["content"] = {}
    return _held(mail).update(state=state, last_answer=answer, **UNLEASED, **changes)


def _held(mail):
    """``mail``'s row, as long as it is owed and the lease is ours."""
    return mail.held().filter(state=State.OWED)


def sayable(mails):
    """Those of the queryset ``mails`` that have something left to say: a used code has not."""
    told = mails.filter(Q(notifications__isnull=False) | ~Q(content={}))
    return OutgoingMail.objects.filter(pk__in=told.values("pk"))


@transaction.atomic
def send_again(mails) -> int:
    """Owe the ``sayable`` of the queryset ``mails`` anew, and return how many. What was sent
    already goes out as a new mail."""
    found = sayable(mails).select_related("recipient", "ticket")
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
        changes |= {"tries": 0, "created_at": now, "last_answer": ""}
    if not mail.content:
        changes["email"] = mail.recipient.email
    OutgoingMail.objects.filter(pk=mail.pk, state=mail.state).update(**changes)

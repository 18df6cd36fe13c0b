"""When the mail server refuses everything, it is left alone: now and then a few mails to different
people ask whether it works again. Of what waits only those that ask are given up, if they are
refused still after ``OUTBOX_GIVE_UP_AFTER``.

It is everything when several different people are refused on end and nobody was accepted meanwhile.
That somebody is unknown over there says nothing of the others, and does not count: anybody can
give us such addresses. The row in the database is the truth, so several workers agree.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User

from ..models import Circuit, Notification, OutgoingMail
from ..owed import Owed
from ..owing import owe

State = Owed.State
logger = logging.getLogger(__name__)

NAME = "smtp"
SHORTEST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(minutes=15)
MOST_KEPT = 200  # refusals in a row, if they are all of few people


class Breaker:
    """The circuit, as one worker knows it while it drains."""

    def __init__(self):
        self.is_troubled = False  # something was refused since the last that was accepted

    def claim(self, mails, count: int) -> list[OutgoingMail]:
        """Lease the next of the queryset ``mails``; when it is open, the codes, which can't wait,
        and else none or a few that try."""
        circuit = Circuit.objects.filter(name=NAME).first()
        self.is_troubled = bool(circuit and (circuit.opened_at or circuit.refused))
        if circuit and circuit.opened_at:
            return mails.filter(expires_at__isnull=False).claim(count) or _claim_to_try(mails)
        return mails.claim(count)

    def accept(self) -> None:
        """The server took a mail, so it works."""
        if self.is_troubled:
            self.is_troubled = False
            _close()

    def refuse(self, mail: OutgoingMail, answer: str) -> bool:
        """The server refused ``mail`` for good. Whether that is for good here as well.

        What was refused before counts no more: it was tried again because the circuit had opened,
        and if only such were left they would open it for ever.
        """
        self.is_troubled = True
        return _refuse(mail, answer)


def circuit_open() -> Circuit | None:
    return Circuit.objects.filter(name=NAME, opened_at__isnull=False).first()


def try_now() -> None:
    """Whoever mended it need not wait."""
    Circuit.objects.filter(opened_at__isnull=False).update(next_try_at=timezone.now())


@transaction.atomic
def _claim_to_try(mails) -> list[OutgoingMail]:
    """To as many people as had to be refused, as some addresses may be dead: one accepted is
    enough."""
    circuit, now = _locked(), timezone.now()
    if circuit.opened_at and circuit.next_try_at > now:
        return []
    same_person = mails.filter(recipient=OuterRef("recipient"), pk__lt=OuterRef("pk"))
    # Rather to who got mail before, and what was not refused itself: its person may be the reason.
    accepted = OutgoingMail.objects.filter(recipient=OuterRef("recipient"), state=State.SENT)
    likeliest = (Exists(accepted).desc(), "tries", "next_try_at", "pk")
    found = mails.filter(~Exists(same_person)).order_by(*likeliest)
    found = found.claim(settings.REFUSALS_TO_STOP)
    if found and circuit.opened_at:
        rest = min(max(now - circuit.opened_at, SHORTEST_REST), LONGEST_REST)
        Circuit.objects.filter(pk=circuit.pk).update(next_try_at=now + rest)
    return found


def _locked() -> Circuit:
    Circuit.objects.get_or_create(name=NAME)
    return Circuit.objects.select_for_update().get(name=NAME)


@transaction.atomic
def _refuse(mail, answer) -> bool:
    circuit, now = _locked(), timezone.now()
    circuit.last_answer = answer
    if circuit.opened_at is None and not mail.tries:
        _count(circuit, mail, now)
    circuit.save()
    return circuit.opened_at is None


def _count(circuit, mail, now) -> None:
    """One more in a row, unless another worker's mail was accepted since the first of them."""
    if circuit.refused and _accepted_since(circuit.refused[0]["at"]):
        circuit.refused = []
    circuit.refused = [*circuit.refused, {"mail": mail.pk, "at": now.isoformat()}][-MOST_KEPT:]
    refused = OutgoingMail.objects.filter(pk__in=[each["mail"] for each in circuit.refused])
    emails = {email.lower() for email in refused.values_list("email", flat=True)}
    if len(emails) >= settings.REFUSALS_TO_STOP:
        _open(circuit, now)


def _accepted_since(moment: str) -> bool:
    return OutgoingMail.objects.filter(sent_at__gte=moment).exists()


def _open(circuit, now) -> None:
    logger.error("The mail server refuses everything: %s", circuit.last_answer)
    circuit.opened_at, circuit.next_try_at = now, now + SHORTEST_REST
    _owe_again([each["mail"] for each in circuit.refused], now)
    cause = f"mail-stopped:{now.timestamp():.0f}"
    owe(Notification.Kind.MAIL_STOPPED, *User.objects.admins(), cause=cause)


def _owe_again(pks, now) -> None:
    """As mails that were tried once. Used codes have nothing left to say."""
    told = Notification.objects.filter(mail=OuterRef("pk"))
    given_up = OutgoingMail.objects.filter(pk__in=pks, state=State.FAILED, bounced_at=None)
    given_up.filter(Exists(told) | ~Q(content={})).update(
        state=State.OWED, tries=1, next_try_at=now
    )


@transaction.atomic
def _close() -> None:
    circuit = _locked()
    if circuit.opened_at:
        logger.warning("The mail server takes mail again.")
    circuit.refused, circuit.opened_at, circuit.next_try_at = [], None, None
    circuit.last_answer = ""
    circuit.save()

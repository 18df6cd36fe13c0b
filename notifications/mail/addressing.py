"""From what is owed to mails: which notifications become one, which wait, which are left out.

``pacing.py`` knows quiet hours and digests. Here stand the limit for an hour and the order: what
goes out takes with it, in a mail before its own, what still waits of the same ticket.
"""

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from operator import attrgetter

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.mail_addresses import new_message_id
from tickets.workflow import Status

from ..models import Channel, Notification, OutgoingMail
from ..models.mail import new_digest_id
from ..pacing import wait_of
from ..preferences import Wishes
from ..short_messages import fan_out
from .facts import takes_answers

Kind = Notification.Kind
logger = logging.getLogger(__name__)

BATCH = 200
MOST_IN_ONE = 100  # notifications; who has more waiting gets several mails
HOUR = timedelta(hours=1)
A_MOMENT = timedelta(seconds=1)
Unit = list[Notification]  # what becomes one mail


@transaction.atomic
def address_notifications() -> int:
    """Look at the next notifications that have no mail yet, and say how many there were."""
    now = timezone.now()
    return _address(_unwritten().filter(not_before__lte=now)[:BATCH], now)


def _address(rows: QuerySet, now: datetime) -> int:
    """All of ``rows`` together. If that fails, each half by itself, until what can't be judged is
    alone: it holds up nobody, and goes at once. Whether it is meant is asked again then."""
    # Not skip_locked: mails of one ticket keep their order by being made by one worker at a time.
    found = list(rows)
    if not found:
        return 0
    try:
        with transaction.atomic():
            _Addressing(found, now).run()
    except DatabaseError:
        raise
    except Exception:  # of one that can't be judged, which must not hold up the others
        middle, keys = len(found) // 2, [each.pk for each in found]
        if middle:
            # Read anew, as the first half may have taken some of the second with it.
            _address(_unwritten().filter(pk__in=keys[:middle]), now)
            _address(_unwritten().filter(pk__in=keys[middle:]), now)
        else:
            logger.exception("It can't be judged when notification %s may be mailed.", *keys)
            _save([(_to_its_person(found[0]), found)])
    return len(found)


def _unwritten() -> QuerySet:
    waiting = Notification.objects.filter(mail=None).order_by("pk")
    return waiting.select_related("recipient", "event__ticket").select_for_update(of=("self",))


def _free() -> QuerySet:
    """What is unwritten and nobody holds. Who reads it at this moment does, and may wait for what
    this batch holds already; what was read need not go along."""
    return _unwritten().select_for_update(of=("self",), skip_locked=True)


def _has_waited(notification) -> bool:
    """Whether it was looked at before. Both times are written at the same moment."""
    return notification.not_before - notification.created_at > A_MOMENT


class _Addressing:
    """One batch, in the order in which it was owed."""

    def __init__(self, found: Unit, now: datetime):
        self.found, self.now = found, now
        self.wishes = Wishes(found)
        self.put_off: dict[int, Notification] = {}
        self.receipts = _places([each for each in found if each.kind == Kind.TICKET_RAISED])

    def run(self) -> None:
        fan_out([each for each in self.found if not _has_waited(each)], self.wishes, self.now)
        refused = {each: why for each in self.found if (why := self._why_not(each))}
        wanted = [each for each in self.found if each not in refused]
        units = self._units([each for each in wanted if not self._has_to_wait(each)])
        units = self._with_what_waits(self._within_the_hour(units))
        written = [(self._mail_for(unit), unit) for unit in units]
        _save(written + [(_left_out(each, why), [each]) for each, why in refused.items()])
        Notification.objects.bulk_update(self.put_off.values(), ["not_before"])

    def _why_not(self, notification) -> str:
        """Why there is no mail about it; empty if there is."""
        if not self.wishes.wants(notification, Channel.EMAIL):
            return _("The person chose not to be mailed about this.")
        if self._is_in_receipt(notification):
            return _("The receipt says who has it.")
        was_read = notification.read_at and _has_waited(notification)
        if was_read and not self.wishes.is_due(notification):
            return _("The person had read it before.")
        return ""

    def _is_in_receipt(self, notification) -> bool:
        """Nobody may put off a receipt, so one that was found is written next, as things stand."""
        event = notification.event
        is_news = notification.kind == Kind.ASSIGNED and event.ticket.status == Status.OPEN
        return is_news and bool(_places([notification]) & self.receipts)

    def _has_to_wait(self, notification) -> bool:
        moment = wait_of(notification, self.wishes, self.now)
        if moment:
            self._put_off(notification, moment)
        return moment is not None

    def _put_off(self, notification, moment: datetime) -> None:
        notification.not_before = moment
        self.put_off[notification.pk] = notification

    # --- One mail for several -------------------------------------------------------

    def _units(self, going: Unit) -> list[Unit]:
        """Each its own, but one for all that has waited of a person."""
        units, of_person = [], {}
        for each in going:
            if not _has_waited(each):
                units.append([each])
            elif each.recipient_id in of_person:
                of_person[each.recipient_id].append(each)
            else:
                units.append(of_person.setdefault(each.recipient_id, [each]))
        for each in self._need_not_wait_longer(of_person):
            of_person[each.recipient_id].append(each)
        for unit in of_person.values():
            unit.sort(key=attrgetter("pk"))
        return [part for unit in units for part in _parts(unit)]

    def _need_not_wait_longer(self, people) -> Unit:
        """What else of ``people`` waits for the hour to pass only, or because of what they have
        chosen otherwise since."""
        if not people:
            return []
        others = _free().filter(recipient__in=people)
        others = others.exclude(pk__in=[each.pk for each in self.found])
        return [
            each
            for each in others
            if _has_waited(each)
            and not self._why_not(each)
            and wait_of(each, self.wishes, self.now) is None
        ]

    # --- Not too many within the hour -----------------------------------------------

    def _within_the_hour(self, units: list[Unit]) -> list[Unit]:
        """Those that may go now. What nobody may put off goes and counts; what has waited for an
        hour goes as well, so nothing waits longer."""
        times = self._written_lately({unit[0].recipient_id for unit in units})
        return [unit for unit in units if self._may_go(unit, times[unit[0].recipient_id])]

    def _written_lately(self, people) -> dict[int, list[datetime]]:
        times = defaultdict(list)
        mails = OutgoingMail.objects.filter(
            recipient__in=people, created_at__gt=self.now - HOUR
        ).exclude(state=OutgoingMail.State.DROPPED)
        for person, moment in mails.order_by("created_at").values_list("recipient", "created_at"):
            times[person].append(moment)
        return times

    def _may_go(self, unit: Unit, times: list[datetime]) -> bool:
        most = settings.MAILS_PER_HOUR
        waited_enough = min(each.created_at for each in unit) + HOUR
        is_held = len(times) >= most > 0 and waited_enough > self.now
        if is_held and not any(map(self.wishes.is_due, unit)):
            there_is_room = times[len(times) - most] + HOUR
            for each in unit:
                self._put_off(each, min(there_is_room, waited_enough))
            return False
        times.append(self.now)
        return True

    # --- In order -------------------------------------------------------------------

    def _with_what_waits(self, units: list[Unit]) -> list[Unit]:
        """Before each unit, what waits longer of the same tickets to the same person."""
        waiting = self._waiting_longer(units)
        ordered = []
        for unit in units:
            earlier = [
                waiting.pop(each.pk)
                for each in list(waiting.values())
                if each.pk < unit[-1].pk and _places([each]) & _places(unit)
            ]
            ordered += [*_parts(earlier), unit]
        return ordered

    def _waiting_longer(self, units) -> dict[int, Notification]:
        places = {place for unit in units for place in _places(unit)}
        waiting = _free().filter(
            not_before__gt=self.now,
            recipient__in={person for person, _ticket in places},
            event__ticket__in={ticket for _person, ticket in places},
        )
        going = {each.pk for unit in units for each in unit}
        found = {
            each.pk: each
            for each in (waiting if places else ())
            if each.pk not in going and not self._why_not(each)
        }
        return dict(sorted((found | self.put_off).items()))

    def _mail_for(self, unit: Unit) -> OutgoingMail:
        first = unit[0]
        person, tickets = first.recipient, {each.event and each.event.ticket for each in unit}
        ticket = tickets.pop() if len(tickets) == 1 else None
        mail = OutgoingMail(recipient=person, email=person.email, ticket=ticket)
        if ticket and all(map(takes_answers, unit)):
            mail.message_id = new_message_id(ticket, person)
        elif len(unit) > 1 and not ticket:
            mail.message_id = new_digest_id()
        return mail


def _parts(unit: Unit) -> list[Unit]:
    """None is too much for one mail."""
    return [unit[start : start + MOST_IN_ONE] for start in range(0, len(unit), MOST_IN_ONE)]


def _places(unit: Unit) -> set[tuple[int, int]]:
    """Where the order holds: persons and tickets."""
    return {(each.recipient_id, each.event.ticket_id) for each in unit if each.event}


@transaction.atomic
def leave_out(notification: Notification, reason: str) -> None:
    """Its person is not mailed about it after all."""
    _save([(_left_out(notification, reason), [notification])])


def _left_out(notification, reason) -> OutgoingMail:
    """It says on record why somebody was not told."""
    return _to_its_person(notification, state=OutgoingMail.State.DROPPED, last_answer=reason)


def _to_its_person(notification, **fields) -> OutgoingMail:
    person, event = notification.recipient, notification.event
    ticket = event and event.ticket
    return OutgoingMail(recipient=person, email=person.email, ticket=ticket, **fields)


def _save(written: list[tuple[OutgoingMail, Unit]]) -> None:
    OutgoingMail.objects.bulk_create([mail for mail, _unit in written])
    for mail, unit in written:
        for each in unit:
            each.mail = mail
    told = [each for _mail, unit in written for each in unit]
    Notification.objects.bulk_update(told, ["mail"])

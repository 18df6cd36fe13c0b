"""From what is owed to mails: which notifications become one, which wait, which are not wanted.

``pacing.py`` knows quiet hours and digests. Here stand the limit for an hour and the order: what
goes out takes with it, in a mail before its own, what still waits of the same ticket.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.mail_addresses import new_message_id

from ..models import Channel, Notification, OutgoingMail
from ..models.mail import new_digest_id
from ..pacing import wait_of
from ..preferences import Wishes
from ..short_messages import fan_out
from .facts import takes_answers

BATCH = 200
MOST_IN_ONE = 100  # notifications; who has more waiting gets several mails
HOUR = timedelta(hours=1)
A_MOMENT = timedelta(seconds=1)
Unit = list[Notification]  # what becomes one mail


@transaction.atomic
def address_notifications() -> int:
    """Look at the next notifications that have no mail yet, and say how many there were."""
    now = timezone.now()
    # Not skip_locked: mails of one ticket keep their order by being made by one worker at a time.
    found = list(_unwritten().filter(not_before__lte=now)[:BATCH])
    if found:
        _Addressing(found, now).run()
    return len(found)


def _unwritten() -> QuerySet:
    waiting = Notification.objects.filter(mail=None).order_by("pk")
    return waiting.select_related("recipient", "event__ticket").select_for_update(of=("self",))


def _has_waited(notification) -> bool:
    """Whether it was looked at before. Both times are written at the same moment."""
    return notification.not_before - notification.created_at > A_MOMENT


class _Addressing:
    """One batch, in the order in which it was owed."""

    def __init__(self, found: Unit, now: datetime):
        self.found, self.now = found, now
        self.wishes = Wishes(found)
        self.put_off: dict[int, Notification] = {}

    def run(self) -> None:
        fan_out([each for each in self.found if not _has_waited(each)], self.wishes, self.now)
        wanted = [each for each in self.found if self._is_wanted(each)]
        units = self._units([each for each in wanted if not self._has_to_wait(each)])
        units = self._with_what_waits(self._within_the_hour(units))
        written = [(self._mail_for(unit), unit) for unit in units]
        written += [(_refused(each), [each]) for each in self.found if not self._is_wanted(each)]
        _save(written, self.put_off.values())

    def _is_wanted(self, notification) -> bool:
        return self.wishes.wants(notification, Channel.EMAIL)

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
        return [
            unit[start : start + MOST_IN_ONE]
            for unit in units
            for start in range(0, len(unit), MOST_IN_ONE)
        ]

    def _need_not_wait_longer(self, people) -> Unit:
        """What else of ``people`` waits for the hour to pass only, or because of what they have
        chosen otherwise since."""
        if not people:
            return []
        others = _unwritten().filter(recipient__in=people)
        others = others.exclude(pk__in=[each.pk for each in self.found])
        return [
            each
            for each in others
            if _has_waited(each)
            and self._is_wanted(each)
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
            ordered += [earlier, unit] if earlier else [unit]
        for each in (each for unit in ordered for each in unit):
            self.put_off.pop(each.pk, None)
        return ordered

    def _waiting_longer(self, units) -> dict[int, Notification]:
        places = {place for unit in units for place in _places(unit)}
        waiting = _unwritten().filter(
            not_before__gt=self.now,
            recipient__in={person for person, _ticket in places},
            event__ticket__in={ticket for _person, ticket in places},
        )
        going = {each.pk for unit in units for each in unit}
        found = {each.pk: each for each in waiting if each.pk not in going} if places else {}
        return dict(sorted((found | self.put_off).items()))

    def _mail_for(self, unit: Unit) -> OutgoingMail:
        first = unit[0]
        person, tickets = first.recipient, {each.event and each.event.ticket for each in unit}
        ticket = tickets.pop() if len(tickets) == 1 else None
        mail = OutgoingMail(recipient=person, email=person.email, ticket=ticket)
        if ticket and any(map(takes_answers, unit)):
            mail.message_id = new_message_id(ticket, person)
        elif len(unit) > 1 and not ticket:
            mail.message_id = new_digest_id()
        return mail


def _places(unit: Unit) -> set[tuple[int, int]]:
    """Where the order holds: persons and tickets."""
    return {(each.recipient_id, each.event.ticket_id) for each in unit if each.event}


def _refused(notification) -> OutgoingMail:
    """It says on record why somebody was not told."""
    person, event = notification.recipient, notification.event
    return OutgoingMail(
        recipient=person,
        email=person.email,
        ticket=event and event.ticket,
        state=OutgoingMail.State.DROPPED,
        last_answer=_("The person chose not to be mailed about this."),
    )


def _save(written: list[tuple[OutgoingMail, Unit]], put_off) -> None:
    OutgoingMail.objects.bulk_create([mail for mail, _unit in written])
    for mail, unit in written:
        for each in unit:
            each.mail = mail
    told = [each for _mail, unit in written for each in unit]
    Notification.objects.bulk_update(told, ["mail"])
    Notification.objects.bulk_update(put_off, ["not_before"])

"""What is owed to a server elsewhere, mails and the deliveries of webhooks alike.

The row is the promise. It is claimed with a lease, so two workers never work on the same row
together and what a killed worker held comes back; and what was not accepted is tried again, ever
more seldom, until it is given up where people see it.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.leases import unleased

# Longer than the slowest conversation about one row: six answers of EMAIL_TIMEOUT each.
LEASE = timedelta(minutes=4)
LONGEST_LEASE = timedelta(minutes=15)  # of who waits for a server's answer to a mail
UNLEASED = {"lease": None, "leased_until": None}
# What the worker does about them, for ``accounts.bells.ring``.
SEND_MAIL = "notifications.tasks.send_owed_mail"
SEND_SHORT = "notifications.short_messages.tasks.send_short_messages"
CALL_WEBHOOKS = "notifications.webhooks.tasks.call_webhooks"
WRITTEN_TO = "Written to"  # a folder: what stands in place of an answer where no server is
FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=12)


def retry_delay(tries: int) -> timedelta:
    """15 seconds, then four times as long each time, at most 12 hours: ten tries in 42 hours."""
    return min(FIRST_DELAY * 4 ** (tries - 1), LONGEST_DELAY)


class Outcome(models.TextChoices):
    """``Owed.state`` for people, who are told apart what the row need not."""

    OWED = "owed", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Accepted by the server")
    FILE = "file", _("Written to a file")
    FAILED = "failed", _("Given up")
    DROPPED = "dropped", _("Not sent on purpose")


class LeasedQuerySet(models.QuerySet):
    def unleased(self, now):
        return self.filter(unleased(now, LONGEST_LEASE))

    @transaction.atomic
    def claim(self, count: int) -> list:
        """Lease the first ``count`` rows; nobody else touches them until the lease ends."""
        # Two workers choose different rows: each passes over what the other is choosing.
        free = self.select_for_update(skip_locked=True, of=("self",)).only("pk")
        ours = self.model.objects.filter(pk__in=[row.pk for row in free[:count]])
        ours.update(lease=uuid.uuid4(), leased_until=timezone.now() + LEASE)
        return list(ours.order_by(*self.query.order_by))


class Leased(models.Model):
    lease = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def held(self) -> models.QuerySet:
        """This row, as long as the lease is ours."""
        return type(self).objects.filter(pk=self.pk, lease=self.lease)

    @property
    def is_leased(self) -> bool:
        now = timezone.now()
        return bool(self.leased_until) and now <= self.leased_until <= now + LONGEST_LEASE


class Owed(models.Model):
    class State(models.TextChoices):
        OWED = Outcome.OWED.value, Outcome.OWED.label
        SENT = Outcome.SENT.value, Outcome.SENT.label
        FAILED = Outcome.FAILED.value, Outcome.FAILED.label
        DROPPED = Outcome.DROPPED.value, Outcome.DROPPED.label

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OWED)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    last_answer = models.TextField(_("last answer"), blank=True)
    created_at = models.DateTimeField(_("owed since"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        abstract = True

    @property
    def is_being_sent(self) -> bool:
        """By a worker that has claimed it; of one that was killed nobody knows better."""
        return self.state == self.State.OWED and isinstance(self, Leased) and self.is_leased

    @property
    def is_file(self) -> bool:
        """Whether it became a file, so that no server has seen it."""
        return self.state == self.State.SENT and self.last_answer.startswith(WRITTEN_TO)

    @property
    def outcome(self) -> str | Promise:
        """Its ``Outcome`` in words."""
        if self.is_being_sent:
            return Outcome.SENDING.label
        return Outcome.FILE.label if self.is_file else Outcome(self.state).label

    @property
    def due_at(self) -> datetime | None:
        """When it is tried next, as far as nobody is at it."""
        is_waiting = self.state == self.State.OWED and not self.is_being_sent
        return self.next_try_at if is_waiting else None

    @property
    def times_tried(self) -> int:
        """``tries`` counts those in vain."""
        return self.tries + bool(self.sent_at)

    @property
    def is_too_old(self) -> bool:
        return timezone.now() - self.created_at > settings.OUTBOX_GIVE_UP_AFTER

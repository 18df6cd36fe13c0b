"""What is owed to a server elsewhere, mails and the deliveries of webhooks alike.

The row is the promise. It is claimed with a lease, so two workers never work on the same row
together and what a killed worker held comes back; and what was not accepted is tried again, ever
more seldom, until it is given up where people see it.
"""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Longer than the slowest conversation about one row: six answers of EMAIL_TIMEOUT each.
LEASE = timedelta(minutes=4)
UNLEASED = {"lease": None, "leased_until": None}
FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=12)


def retry_delay(tries: int) -> timedelta:
    """15 seconds, then four times as long each time, at most 12 hours: ten tries in 42 hours."""
    return min(FIRST_DELAY * 4 ** (tries - 1), LONGEST_DELAY)


class LeasedQuerySet(models.QuerySet):
    def unleased(self, now):
        return self.filter(Q(leased_until=None) | Q(leased_until__lt=now))

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


class Owed(models.Model):
    class State(models.TextChoices):
        OWED = "owed", _("Waiting to be sent")
        SENT = "sent", _("Accepted by the server")
        FAILED = "failed", _("Given up")
        DROPPED = "dropped", _("Not sent: no longer meant")

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OWED)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    last_answer = models.TextField(_("last answer"), blank=True)
    created_at = models.DateTimeField(_("owed since"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        abstract = True

    @property
    def is_too_old(self) -> bool:
        return timezone.now() - self.created_at > settings.OUTBOX_GIVE_UP_AFTER

"""Who has to do with a ticket besides its requester and its agent."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import NAMES, User


class ParticipantQuerySet(models.QuerySet):
    def in_force(self):
        """Of those who are let in, and are customers still. The others' rows wait for them."""
        return self.filter(person__in=User.objects.customers())

    def named(self):
        """Those in force, with what a person is shown by."""
        names = (f"person__{name}" for name in NAMES)
        return self.in_force().select_related("person").only("ticket_id", *names)


class Participant(models.Model):
    """A customer who reads and writes on somebody else's ticket, as long as this row is there and
    they are a customer. See also ``Ticket.part_of``."""

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="participants")
    person = models.ForeignKey(
        User, models.PROTECT, related_name="participations", verbose_name=_("person")
    )
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "ticket"], name="participant_once")
        ]

    def __str__(self):
        return str(self.person)


class Follower(models.Model):
    """Somebody of the staff who wants to hear of a ticket. It gives no right to see it."""

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="followers")
    person = models.ForeignKey(
        User, models.PROTECT, related_name="followed", verbose_name=_("person")
    )
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["person", "ticket"], name="follower_once")]

    def __str__(self):
        return str(self.person)

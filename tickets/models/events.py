"""The numbered history of a ticket."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User

from .ticket import Ticket


class Audience(models.TextChoices):
    EVERYONE = "everyone", _("Everyone on the ticket")
    STAFF = "staff", _("Staff only")


class Channel(models.TextChoices):
    """How a complaint reached us. Kept in ``data`` of the line that raised it."""

    WEB = "web", _("by web form")
    PHONE = "phone", _("by phone")
    IN_PERSON = "in_person", _("in person")
    LETTER = "letter", _("by letter")
    EMAIL = "email", _("by email")


class TicketEventQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The lines ``user`` may read. Staff-only lines are for those who work on the ticket, or
        could: its requester never sees them, whatever their role, nor who sees it because of
        another ticket. Lines of a merged ticket are read where it goes on.

        See also ``messaging.thread.reads_notes``, the same rule for one ticket.
        """
        lines = self.alias(at_home=Coalesce("ticket__merged_into", "ticket"))
        lines = lines.filter(at_home__in=Ticket.objects.visible_to(user).values("pk"))
        for_everyone = Q(audience=Audience.EVERYONE)
        if user.is_authenticated and user.role == Role.ADMIN:
            return lines.filter(for_everyone | ~Q(ticket__requester=user))
        if user.is_authenticated and user.role == Role.AGENT:
            theirs = Q(at_home__in=Ticket.objects.assigned_to(user).values("pk"))
            pool = Q(at_home__in=Ticket.objects.pool_of(user).values("pk"))
            return lines.filter(for_everyone | theirs | pool)
        return lines.filter(for_everyone)

    def update(self, **kwargs):
        raise TypeError("History lines are never changed.")

    def delete(self):
        raise TypeError("History lines are never removed.")


class TicketEvent(models.Model):
    """One numbered line of a ticket's history. Written by ``history.write`` and never changed.

    ``data`` holds ids, codes, numbers and dates only; human words stand in ``text``, and the
    digest covers their salted hash, so that words can be erased by law and the chain still holds.
    """

    class Kind(models.TextChoices):
        RAISED = "raised", _("Raised")
        ASSIGNED = "assigned", _("Assigned")
        STATUS = "status", _("Status changed")
        MESSAGE = "message", _("Message")
        NOTE = "note", _("Internal note")
        CLASSIFIED = "classified", _("Priority or category changed")
        FIELDS = "fields", _("Details changed")
        PROMISED = "promised", _("Promise changed")
        WARNED = "warned", _("Promise at risk")
        BREACHED = "breached", _("Promise missed")
        REMINDED = "reminded", _("Customer reminded")
        ALARMED = "alarmed", _("Unassigned too long")
        REQUESTER = "requester", _("Customer corrected")
        CALL_ASKED = "call_asked", _("Asked to be called back")
        CALL_DROPPED = "call_dropped", _("Call no longer wanted")
        CALLED = "called", _("Called back")
        JOINED = "joined", _("Participant added")
        LEFT = "left", _("Participant removed")
        LINKED = "linked", _("Linked")
        UNLINKED = "unlinked", _("Link removed")
        MERGED = "merged", _("Merged")
        UNMERGED = "unmerged", _("Merging undone")
        SPLIT = "split", _("Split")
        CHILDREN = "children", _("Its parts are done")
        PROBLEM = "problem", _("Problem changed")
        MENDED = "mended", _("Problem mended")
        STAGED = "staged", _("Complaint stage changed")
        CODED = "coded", _("Complaint codes changed")
        ESCALATED = "escalated", _("Complaint escalated")
        RATED = "rated", _("Rated")
        ANSWERED = "answered", _("Rating answered")
        SILENCED = "silenced", _("Automatic answers stopped")
        BINNED = "binned", _("Deleted")
        RESTORED = "restored", _("Restored")
        ERASED = "erased", _("Personal words erased")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="events")
    number = models.PositiveIntegerField(_("line"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    audience = models.CharField(
        _("audience"), max_length=10, choices=Audience, default=Audience.EVERYONE
    )
    data = models.JSONField(default=dict, blank=True)
    text = models.TextField(_("words"), blank=True)
    salt = models.CharField(max_length=32, blank=True)
    words_hash = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    # The one-time key of the form that wrote this: the same key writes one line only.
    key = models.UUIDField(null=True)

    objects = TicketEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("history line")
        ordering = ["ticket", "number"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "number"], name="event_number_once"),
            models.UniqueConstraint(
                fields=["ticket", "key"], condition=Q(key__isnull=False), name="event_key_once"
            ),
        ]

    def __str__(self):
        return f"{self.ticket} line {self.number}"

    @property
    def channel(self) -> Channel:
        return Channel(self.data.get("channel", Channel.WEB))

    @property
    def new_words(self) -> str:
        """What somebody wrote just now; of a mail without what it quotes or is signed with."""
        return self.text[: self.data["new"]].rstrip() if "new" in self.data else self.text

    @property
    def folded_words(self) -> str:
        return self.text[self.data["new"] :].strip() if "new" in self.data else ""

    def save(self, **kwargs):
        if not self._state.adding:
            raise TypeError("History lines are never changed.")
        super().save(**kwargs)

    def delete(self, **kwargs):
        raise TypeError("History lines are never removed.")

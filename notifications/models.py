"""Who must be told, and whether they were."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import Ticket, TicketEvent

from .owed import Leased, LeasedQuerySet, Owed
from .webhooks.models import Webhook, WebhookDelivery

__all__ = ["Notification", "OutgoingMail", "Preference", "Webhook", "WebhookDelivery"]


def new_message_id() -> str:
    return f"<{secrets.token_hex(16)}@{settings.DEFAULT_FROM_EMAIL.rsplit('@', 1)[-1].strip('>')}>"


class OutgoingMailQuerySet(LeasedQuerySet):
    def due(self, now):
        """What may be sent now. A mail waits for an earlier one of its ticket to its person."""
        earlier = OutgoingMail.objects.filter(
            state=OutgoingMail.State.OWED,
            ticket=OuterRef("ticket"),
            recipient=OuterRef("recipient"),
            pk__lt=OuterRef("pk"),
        )
        owed = self.filter(~Exists(earlier), state=OutgoingMail.State.OWED, next_try_at__lte=now)
        return owed.unleased(now).order_by("next_try_at", "pk")


class OutgoingMail(Owed, Leased):
    """One mail to one person, from the moment it is owed until the server took it."""

    message_id = models.CharField(
        _("Message-ID"), max_length=200, unique=True, default=new_message_id, editable=False
    )
    recipient = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("person")
    )
    email = models.EmailField(_("to"), max_length=254)
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="+")
    # Mails composed elsewhere (codes) bring their content; it is emptied once they are sent.
    content = models.JSONField(default=dict, blank=True, editable=False)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    expires_at = models.DateTimeField(null=True, editable=False)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="mail_sent_with_time",
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], condition=Q(state="owed"), name="mail_owed"),
            models.Index(
                fields=["ticket", "recipient", "id"],
                condition=Q(state="owed"),
                name="mail_owed_order",
            ),
            models.Index(fields=["created_at"], condition=Q(state="failed"), name="mail_given_up"),
        ]

    def __str__(self):
        return f"{self.email}: {self.subject or self.message_id}"


class Notification(models.Model):
    """What is owed to somebody because of one cause. The same cause owes it once."""

    class Kind(models.TextChoices):
        WELCOME = "welcome", _("Account confirmed")
        APPLICATION_RECEIVED = "application_received", _("New role request")
        APPLICATION_ACCEPTED = "application_accepted", _("Role request accepted")
        APPLICATION_DECLINED = "application_declined", _("Role request declined")
        APPLICATION_EXPIRED = "application_expired", _("Role request expired")
        SUSPENDED = "suspended", _("Account suspended")
        REACTIVATED = "reactivated", _("Account let in again")
        ROLE_CHANGED = "role_changed", _("Role changed")
        NEW_DEVICE = "new_device", _("Sign-in from a new device")
        EXPORT_READY = "export_ready", _("Download ready")
        ERASURE_ASKED = "erasure_asked", _("Account deletion asked for")
        ERASURE_STOPPED = "erasure_stopped", _("Account deletion stopped")
        TICKET_RAISED = "ticket_raised", _("Ticket received")
        TICKET_UNASSIGNED = "ticket_unassigned", _("Ticket without an agent")
        ASSIGNED = "assigned", _("Agent assigned, to the customer")
        ASSIGNED_TO_YOU = "assigned_to_you", _("Agent assigned, to the agent")
        MESSAGE = "message", _("New message")
        STATUS_CHANGED = "status_changed", _("Status changed")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")
        CALL_ASKED = "call_asked", _("Customer asks to be called")
        CALL_LOGGED = "call_logged", _("Call written down, to the customer")
        REMINDER = "reminder", _("Reminder, to the customer")
        AT_RISK = "at_risk", _("Promise at risk")
        MISSED = "missed", _("Promise missed")
        JOINED = "joined", _("Added to a ticket")
        MERGED = "merged", _("Tickets merged or split, to the customer")
        CHILDREN_DONE = "children_done", _("The parts of a ticket are done")
        MENDED = "mended", _("Problem mended, to the customer")
        STAGED = "staged", _("Regulated complaint moved on, to the customer")
        RULED = "ruled", _("Told by a rule")
        LEFT_ALONE = "left_alone", _("Ticket too long without an agent")
        RATING_ANSWERED = "rating_answered", _("Rating answered")
        CONCERN_SETTLED = "concern_settled", _("Concern answered")
        WEBHOOK_OFF = "webhook_off", _("Webhook switched off")

    cause = models.CharField(_("cause"), max_length=60)  # like ticket-event:123, application:5
    kind = models.CharField(_("kind"), max_length=30, choices=Kind)
    recipient = models.ForeignKey(
        User, models.PROTECT, related_name="notifications", verbose_name=_("person")
    )
    channel = models.CharField(_("channel"), max_length=10, default="email")
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="+")
    mail = models.ForeignKey(OutgoingMail, models.PROTECT, null=True, related_name="notifications")
    created_at = models.DateTimeField(_("owed since"), default=timezone.now)

    class Meta:
        verbose_name = _("notification")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cause", "recipient", "channel"], name="notification_once_per_cause"
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.recipient}"


class Preference(models.Model):
    """What somebody chose not to hear, or to hear after all, by one channel.

    No row means the product's own choice for the kind.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(_("kind"), max_length=30, choices=Notification.Kind)
    channel = models.CharField(_("channel"), max_length=10, default="email")
    is_wanted = models.BooleanField(_("wanted"))

    class Meta:
        verbose_name = _("notification preference")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "channel"], name="preference_once_per_kind"
            )
        ]

    def __str__(self):
        return f"{self.user}: {self.get_kind_display()}"

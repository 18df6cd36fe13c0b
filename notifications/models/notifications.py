"""Who must be told of what, by which way, and what they chose to hear."""

from datetime import time

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import User
from tickets.models import TicketEvent

from .mail import OutgoingMail


class Channel(models.TextChoices):
    """The ways that somebody may choose among. The bell shows every notification anyway."""

    EMAIL = "email", _("Mail")
    PUSH = "push", _("Push")
    SMS = "sms", _("SMS")


class Notification(models.Model):
    """What is owed to somebody because of one cause. The same cause owes it once.

    The row itself is what the bell shows; a mail and short messages carry it further.
    """

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
        SILENCED = "silenced", _("Automatic answers stopped")
        RATING_ANSWERED = "rating_answered", _("Rating answered")
        CONCERN_SETTLED = "concern_settled", _("Concern answered")
        WEBHOOK_OFF = "webhook_off", _("Webhook switched off")
        MAIL_STOPPED = "mail_stopped", _("The mail server refuses everything")
        MAIL_GIVEN_UP = "mail_given_up", _("Mails were given up")

    cause = models.CharField(_("cause"), max_length=60)  # like ticket-event:123, application:5
    kind = models.CharField(_("kind"), max_length=30, choices=Kind)
    recipient = models.ForeignKey(
        User, models.PROTECT, related_name="notifications", verbose_name=_("person")
    )
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="+")
    mail = models.ForeignKey(OutgoingMail, models.PROTECT, null=True, related_name="notifications")
    created_at = models.DateTimeField(_("owed since"), default=timezone.now)
    # A mail that may wait (quiet hours, the daily digest, too many within the hour) is not written
    # before; then all of its person's that waited are written as one.
    not_before = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("notification")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cause", "recipient"], name="notification_once_per_cause"
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"], condition=Q(mail=None), name="notification_unwritten"
            ),
            models.Index(
                fields=["recipient", "id"], condition=Q(mail=None), name="notification_waiting"
            ),
            models.Index(fields=["recipient", "-id"], name="notification_bell"),
            models.Index(
                fields=["recipient"], condition=Q(read_at=None), name="notification_unread"
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.recipient}"


class Preference(models.Model):
    """What somebody chose not to hear, or to hear after all, by one channel.

    No row means the product's own choice for the kind.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(_("kind"), max_length=30, choices=Notification.Kind)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.EMAIL)
    is_wanted = models.BooleanField(_("wanted"))
    is_daily = models.BooleanField(_("once a day"), default=False)  # of mail: in the digest

    class Meta:
        verbose_name = _("notification preference")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "channel"], name="preference_once_per_kind"
            )
        ]

    def __str__(self):
        return f"{self.user}: {self.get_kind_display()}"


class Reaching(models.Model):
    """When and where somebody wants to be reached. No row means at any time, by no SMS."""

    user = models.OneToOneField(User, models.CASCADE, related_name="reaching")
    # In their own time zone; may go over midnight. What may be refused waits until the end.
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    digest_at = models.TimeField(_("daily digest at"), default=time(8))
    sms_number = PhoneNumberField(_("SMS to"), blank=True)  # proved by a code

    class Meta:
        verbose_name = _("hours and SMS number")
        verbose_name_plural = _("hours and SMS numbers")
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_from_and_until",
            )
        ]

    def __str__(self):
        return str(self.user)

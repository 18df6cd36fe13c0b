"""Addresses of other programs that hear what happens here, and what each of them was told."""

import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import TicketEvent

from ..owed import Leased, LeasedQuerySet, Owed


class Event(models.TextChoices):
    """What can be heard of. The values are for programs, and never change."""

    RAISED = "ticket.raised", _("A ticket is raised")
    ASSIGNED = "ticket.assigned", _("A ticket gets an agent")
    MESSAGE = "ticket.message", _("Somebody writes a public message")
    RESOLVED = "ticket.resolved", _("A ticket is resolved")
    CLOSED = "ticket.closed", _("A ticket is closed")
    REOPENED = "ticket.reopened", _("A ticket is opened again")
    MOVED = "ticket.moved", _("The status changes otherwise")
    MERGED = "ticket.merged", _("A ticket is merged into another")
    RATED = "ticket.rated", _("A customer rates")
    PROMISE_MISSED = "ticket.promise_missed", _("A promise is missed")
    CONFIRMED = "account.confirmed", _("Somebody confirms their address")
    ROLE_REQUESTED = "account.role_requested", _("Somebody asks for a role")
    ROLE_DECIDED = "account.role_decided", _("A role request is decided")
    SUSPENDED = "account.suspended", _("An account is suspended")
    ERASED = "account.erased", _("An account is erased")
    TEST = "webhook.test", _("Test")


class WebhookQuerySet(LeasedQuerySet):
    def due(self, now):
        """Those with something to tell, whoever was not served the longest first."""
        owed = WebhookDelivery.objects.due(now).filter(webhook=OuterRef("pk"))
        ready = self.filter(Exists(owed), is_active=True, rests_until__lte=now)
        return ready.unleased(now).order_by("rests_until", "pk")


class Webhook(Leased):
    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)
    with_words = models.BooleanField(
        _("with words"),
        default=False,
        help_text=_(
            "Also send subjects and public messages. Without, it is told numbers, codes and times."
        ),
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    secret = models.TextField(editable=False)  # sealed
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    # It is left alone until then; also whose turn comes next.
    rests_until = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    def __str__(self):
        return self.name


class WebhookDeliveryQuerySet(models.QuerySet):
    def due(self, now):
        """What may be sent now. A delivery waits for an earlier one about the same ticket."""
        earlier = WebhookDelivery.objects.filter(
            state=WebhookDelivery.State.OWED,
            webhook=OuterRef("webhook"),
            about=OuterRef("about"),
            pk__lt=OuterRef("pk"),
        )
        return self.filter(
            ~Exists(earlier), state=WebhookDelivery.State.OWED, next_try_at__lte=now
        ).order_by("next_try_at", "pk")


class WebhookDelivery(Owed):
    """One event for one webhook, from the moment it is owed until the receiver took it."""

    webhook = models.ForeignKey(
        Webhook, models.PROTECT, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.CharField(_("event"), max_length=30, choices=Event)
    cause = models.CharField(_("cause"), max_length=60)  # like ticket-event:123
    about = models.CharField(_("about"), max_length=30)  # like ticket:7; these stay in order
    # The same each time it is sent, also when it is sent again later.
    event_id = models.UUIDField(_("event id"), unique=True, default=uuid.uuid4, editable=False)
    payload = models.JSONField(_("content"), default=dict)
    # Words are read from it when they are sent, so that what was erased is not told any more.
    line = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="+")

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "cause"], name="delivery_once_per_cause"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="delivery_sent_with_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["webhook", "next_try_at", "id"],
                condition=Q(state="owed"),
                name="delivery_owed",
            ),
            models.Index(
                fields=["webhook", "about", "id"],
                condition=Q(state="owed"),
                name="delivery_owed_order",
            ),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
        ]

    def __str__(self):
        return f"{self.webhook}: {self.get_event_display()}"

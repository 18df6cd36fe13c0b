"""What lights up a telephone: browser push and SMS."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import User

from ..owed import Leased, LeasedQuerySet, Owed
from .notifications import Channel, Notification


class PushSubscription(models.Model):
    """A browser that its person allowed to show notifications, as long as they are signed in."""

    user = models.ForeignKey(User, models.CASCADE, related_name="push_subscriptions")
    session_key = models.CharField(max_length=40, editable=False)
    endpoint = models.CharField(max_length=1000, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256 of the endpoint
    p256dh = models.CharField(max_length=100, editable=False)
    auth = models.CharField(max_length=40, editable=False)
    browser = models.CharField(_("browser"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("browser with push")
        verbose_name_plural = _("browsers with push")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["session_key"], name="push_by_session")]

    def __str__(self):
        return f"{self.user}: {self.browser}"


class ShortMessageQuerySet(LeasedQuerySet):
    def due(self, now):
        owed = self.filter(state=ShortMessage.State.OWED, next_try_at__lte=now)
        return owed.unleased(now).order_by("next_try_at", "pk")


class ShortMessage(Owed, Leased):
    """One push to one browser, or one SMS, from the moment it is owed until its server took it.
    The words are written when it is sent; an SMS with a code brings them, until it is sent."""

    channel = models.CharField(
        _("channel"),
        max_length=10,
        choices=[(each.value, each.label) for each in (Channel.PUSH, Channel.SMS)],
    )
    recipient = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("person"))
    notification = models.ForeignKey(
        Notification, models.CASCADE, null=True, related_name="short_messages"
    )
    subscription = models.ForeignKey(
        PushSubscription, models.SET_NULL, null=True, related_name="short_messages"
    )
    number = PhoneNumberField(_("to"), blank=True)
    text = models.CharField(max_length=300, blank=True, editable=False)
    expires_at = models.DateTimeField(editable=False)

    objects = ShortMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("push or SMS")
        verbose_name_plural = _("push and SMS")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "subscription"],
                condition=Q(subscription__isnull=False),
                name="pushed_once_to_a_browser",
            ),
            models.UniqueConstraint(
                fields=["notification"],
                condition=Q(channel="sms"),
                name="texted_once",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="short_message_sent_with_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at", "id"], condition=Q(state="owed"), name="short_owed"
            ),
            models.Index(fields=["created_at"], name="short_by_age"),
        ]

    def __str__(self):
        return f"{self.get_channel_display()}: {self.recipient}"

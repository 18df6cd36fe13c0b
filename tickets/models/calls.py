"""A customer who would rather be called."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import User


class CallRequest(models.Model):
    """D1-14: asked for on the ticket, settled by whoever called. One waits at a time."""

    ticket = models.ForeignKey("Ticket", models.PROTECT, related_name="call_requests")
    phone = PhoneNumberField(_("phone number"))
    wish = models.CharField(_("when it suits"), max_length=200, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    called_at = models.DateTimeField(_("called"), null=True)
    called_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("called by")
    )

    class Meta:
        verbose_name = _("request for a call")
        verbose_name_plural = _("requests for a call")
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(called_at=None), name="one_call_waits"
            ),
            models.CheckConstraint(
                condition=Q(called_at=None, called_by=None)
                | Q(called_at__isnull=False, called_by__isnull=False),
                name="called_by_whom_and_when",
            ),
        ]

    def __str__(self):
        return f"{self.ticket}: {self.phone}"

"""What was said. A message is a line of the ticket's history, so it needs no table of its own."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models import TicketEvent, TicketEventQuerySet

Kind = TicketEvent.Kind


class MessageQuerySet(TicketEventQuerySet):
    def public(self):
        return self.filter(kind=Kind.MESSAGE)


class MessageManager(models.Manager.from_queryset(MessageQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(kind__in=[Kind.MESSAGE, Kind.NOTE])


class Message(TicketEvent):
    """A public word in the thread, or an internal note that only staff read."""

    objects = MessageManager()

    class Meta:
        proxy = True
        verbose_name = _("message")

    @property
    def body(self):
        return self.text

    @property
    def is_internal(self):
        return self.kind == Kind.NOTE

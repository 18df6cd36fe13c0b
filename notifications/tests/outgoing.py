"""Mails that are owed, and what the outbox knows of them."""

from notifications.models import Notification, OutgoingMail
from notifications.owing import owe


def owe_welcome(*people):
    for person in people:
        owe(Notification.Kind.WELCOME, person, cause=f"user:{person.pk}")


def rows(*fields):
    return list(OutgoingMail.objects.order_by("pk").values_list(*fields))

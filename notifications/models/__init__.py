"""What is owed to whom, by mail, bell, push, SMS and webhook, and what became of it."""

from ..webhooks.models import Webhook, WebhookDelivery
from .mail import AddressTrouble, Circuit, OutgoingMail, new_message_id
from .notifications import Channel, Notification, Preference, Reaching
from .short import PushSubscription, ShortMessage

__all__ = [
    "AddressTrouble",
    "Channel",
    "Circuit",
    "Notification",
    "OutgoingMail",
    "Preference",
    "PushSubscription",
    "Reaching",
    "ShortMessage",
    "Webhook",
    "WebhookDelivery",
    "new_message_id",
]

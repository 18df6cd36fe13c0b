"""What was owed to whom, and what became of it."""

from ..webhooks import admin as webhooks
from . import mail, notifications, short

__all__ = ["mail", "notifications", "short", "webhooks"]

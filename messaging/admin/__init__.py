"""What was said, to look at, and the mail that comes in."""

from django.contrib import admin

from messaging.models import Message
from tickets.admin.records import LineAdmin

from . import mail  # noqa: F401 -- registers itself


@admin.register(Message)
class MessageAdmin(LineAdmin):
    """Words are never changed."""

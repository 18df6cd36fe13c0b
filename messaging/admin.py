"""What was said, to look at. Words are never changed."""

from django.contrib import admin

from tickets.admin.records import LineAdmin

from .models import Message


@admin.register(Message)
class MessageAdmin(LineAdmin):
    pass

"""Pushes and SMS: what became of them. Neither their words nor where browsers are reached."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.console import ReadOnlyAdmin

from ..models import ShortMessage
from ..short_messages.sending import send_again
from ..short_messages.tasks import ring


@admin.register(ShortMessage)
class ShortMessageAdmin(ReadOnlyAdmin):
    list_display = [
        "channel",
        "recipient",
        "occasion",
        "state",
        "tries",
        "due",
        "last_answer",
        "sent_at",
    ]
    list_filter = ["channel", "state"]
    list_select_related = ["recipient", "notification"]
    search_fields = ["recipient__email"]
    fields = [
        "channel",
        "recipient",
        "occasion",
        "number",
        "state",
        "tries",
        "next_try_at",
        "last_answer",
        "created_at",
        "sent_at",
    ]
    readonly_fields = ["occasion"]
    actions = ["send_again"]

    @admin.display(description=_("occasion"))
    def occasion(self, message):
        notification = message.notification
        return notification.get_kind_display() if notification else _("Code for the number")

    @admin.display(description=_("next try"), ordering="next_try_at")
    def due(self, message):
        return message.next_try_at if message.state == ShortMessage.State.OWED else None

    def has_retry_permission(self, request):
        return request.user.has_perm("notifications.retry_shortmessage")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request, queryset):
        count = send_again(queryset)
        ring()
        words = ngettext("%(n)s is owed again.", "%(n)s are owed again.", count)
        self.message_user(
            request, words % {"n": count}, messages.SUCCESS if count else messages.WARNING
        )

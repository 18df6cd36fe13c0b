"""Pushes and SMS: what became of them. Neither their words nor where browsers are reached."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from tickets.admin.own import WithoutOwnComplaints

from ..models import ShortMessage
from ..owed import SEND_SHORT
from ..short_messages.sending import send_again
from .owed import OutcomeFilter, OwedAdmin


@admin.register(ShortMessage)
class ShortMessageAdmin(WithoutOwnComplaints, OwedAdmin):
    list_display = ["channel", "recipient", "occasion", "became", "times_tried", "when"]
    list_filter = ["channel", OutcomeFilter]
    list_select_related = ["recipient", "notification"]
    search_fields = ["recipient__email__startswith"]
    search_help_text = _("The beginning of an address")
    fields = [
        "channel",
        "recipient",
        "occasion",
        "number",
        "outcome",
        "times_tried",
        "due",
        "last_answer",
        "created_at",
        "sent_at",
    ]
    readonly_fields = ["occasion", "outcome", "times_tried", "due"]
    actions = ["send_again"]
    way_to_ticket = "notification__event__ticket"

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description=_("occasion"))
    def occasion(self, message):
        notification = message.notification
        return notification.get_kind_display() if notification else _("Code for the number")

    def has_retry_permission(self, request):
        return request.user.has_perm("notifications.retry_shortmessage")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request, queryset):
        words = ngettext_lazy("%(n)s is owed again.", "%(n)s are owed again.", "n")
        sayable = queryset.filter(notification__isnull=False)  # codes were for that moment
        return self.owe_again(request, sayable, send_again, SEND_SHORT, words)

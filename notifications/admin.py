"""What was owed to whom, and what became of it. Facts to read; one verb, "send again"."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.records import OfPeople
from accounts.console import ReadOnlyAdmin

from . import outbox
from .models import Notification, OutgoingMail, Preference
from .tasks import ring
from .webhooks import admin as _webhooks  # noqa: F401 -- registers its pages


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["kind", "recipient", "ticket", "mail_state", "created_at"]
    list_filter = ["kind", "mail__state"]
    list_select_related = ["recipient", "event__ticket", "mail"]
    search_fields = ["recipient__email", "cause"]
    fields = ["kind", "recipient", "cause", "mail", "created_at", "read_at"]

    @admin.display(description=_("ticket"))
    def ticket(self, notification):
        return notification.event and notification.event.ticket

    @admin.display(description=_("mail"))
    def mail_state(self, notification):
        return notification.mail.get_state_display() if notification.mail else _("Not written yet")


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Never shows ``content``: it may hold a code."""

    list_display = [
        "email",
        "occasion",
        "ticket",
        "state",
        "tries",
        "due",
        "last_answer",
        "sent_at",
    ]
    list_filter = ["state"]
    list_select_related = ["ticket"]
    search_fields = ["email", "message_id"]
    fields = [
        "email",
        "recipient",
        "ticket",
        "occasion",
        "subject",
        "message_id",
        "state",
        "tries",
        "next_try_at",
        "last_answer",
        "created_at",
        "sent_at",
    ]
    readonly_fields = ["occasion", "message_id"]
    actions = ["send_again"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("notifications")

    @admin.display(description=_("occasion"))
    def occasion(self, mail):
        kinds = [notification.get_kind_display() for notification in mail.notifications.all()]
        return ", ".join(map(str, kinds)) or mail.subject

    @admin.display(description=_("next try"), ordering="next_try_at")
    def due(self, mail):
        return mail.next_try_at if mail.state == OutgoingMail.State.OWED else None

    def has_retry_permission(self, request):
        return request.user.has_perm("notifications.retry_outgoingmail")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request, queryset):
        count = outbox.send_again(queryset)
        ring()
        words = ngettext("%(n)s mail is owed again.", "%(n)s mails are owed again.", count)
        self.message_user(
            request, words % {"n": count}, messages.SUCCESS if count else messages.WARNING
        )


@admin.register(Preference)
class PreferenceAdmin(OfPeople):
    """Why somebody was not told."""

    list_display = ["user", "kind", "channel", "is_wanted"]
    list_filter = ["is_wanted", "kind"]
    list_select_related = ["user"]
    fields = list_display

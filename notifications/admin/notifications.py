"""What people had to be told, and what they chose to hear. Facts to read."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin.records import OfPeople
from accounts.console import ReadOnlyAdmin
from tickets.admin.own import WithoutOwnComplaints

from ..models import Notification, OutgoingMail, Preference
from ..owed import Outcome
from ..told import how_far
from .owed import OutcomeFilter, of_outcome


class MailFilter(OutcomeFilter):
    title = _("mail")
    parameter_name = "mail"

    def queryset(self, request, queryset):
        if self.value() not in Outcome:
            return queryset
        return queryset.filter(mail__in=of_outcome(OutgoingMail.objects.all(), self.value()))


@admin.register(Notification)
class NotificationAdmin(WithoutOwnComplaints, ReadOnlyAdmin):
    list_display = ["kind", "recipient", "ticket", "read_at", "mail_state", "others", "created_at"]
    list_filter = ["kind", MailFilter, "short_messages__state"]
    list_select_related = ["recipient", "event__ticket", "mail"]
    search_fields = ["recipient__email__startswith"]
    search_help_text = _("The beginning of an address, or a cause like ticket-event:123")
    fields = ["kind", "recipient", "cause", "mail", "created_at", "read_at", "ways"]
    readonly_fields = ["ways"]
    way_to_ticket = "event__ticket"

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("short_messages")

    def get_search_results(self, request, queryset, search_term):
        """What an index finds."""
        if ":" in search_term:
            return queryset.filter(cause=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description=_("ticket"))
    def ticket(self, notification):
        return notification.event and notification.event.ticket

    @admin.display(description=_("mail"))
    def mail_state(self, notification):
        mail = notification.mail
        if mail and mail.bounced_at:
            return _("Came back")
        return mail.outcome if mail else _("Not written yet")

    @admin.display(description=_("push and SMS"))
    def others(self, notification):
        messages = notification.short_messages.all()
        return ", ".join(f"{each.get_channel_display()}: {each.outcome}" for each in messages)

    @admin.display(description=_("how far it got"))
    def ways(self, notification):
        (told,) = how_far([notification], shows_addresses=True)
        return format_html_join("", "{}: {}<br>", ((way.name, way.words) for way in told.ways))


@admin.register(Preference)
class PreferenceAdmin(OfPeople):
    """Why somebody was not told."""

    list_display = ["user", "kind", "channel", "is_wanted", "is_daily"]
    list_filter = ["channel", "is_wanted", "is_daily", "kind"]
    list_select_related = ["user"]
    fields = list_display

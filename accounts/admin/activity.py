"""What was done in the console."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy

from accounts.console import ReadOnlyAdmin


@admin.register(LogEntry)
class ActivityAdmin(ReadOnlyAdmin):
    """What administrators did here, for ever."""

    list_title = gettext_lazy("Activity log")
    list_display = ("action_time", "user", "object_repr", "content_type", "message")
    list_select_related = ("user", "content_type")
    list_filter = ("action_flag",)
    search_fields = ("object_repr", "change_message", "user__email")
    sortable_by = ()
    fields = ("action_time", "user", "content_type", "object_repr", "message")
    readonly_fields = ("action_time", "message")

    @admin.display(description=gettext_lazy("what"))
    def message(self, entry):
        return entry.get_change_message()

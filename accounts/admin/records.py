"""Sign-ins and what was done to accounts: for administrators to look at (D0-8, SEC-H6)."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ReadOnlyAdmin
from accounts.models import AccountEvent, LoginRecord


class OfPeople(ReadOnlyAdmin):
    """``?user__id__exact=`` shows those of one person."""

    search_fields = ("user__email__startswith",)
    search_help_text = gettext_lazy("The beginning of an email address")
    sortable_by = ()

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())


@admin.register(LoginRecord)
class LoginRecordAdmin(OfPeople):
    list_display = ("at", "user", "kind", "method", "device", "ip", "novelty")
    list_filter = ("kind",)
    list_select_related = ("user",)
    fields = list_display
    readonly_fields = ("novelty",)

    @admin.display(description=gettext_lazy("new device"))
    def novelty(self, record):
        return _("New device") if record.is_new_device else ""


@admin.register(AccountEvent)
class AccountEventAdmin(OfPeople):
    list_title = gettext_lazy("Account history")
    list_display = ("at", "user", "kind", "by", "reason")
    list_filter = ("kind",)
    list_select_related = ("user", "by")
    fields = (*list_display, "data")

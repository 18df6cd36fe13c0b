"""Who agreed to what."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.console import ReadOnlyAdmin
from accounts.models import Consent


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("user", "email", "document", "version", "at")
    list_filter = ("document",)
    list_select_related = ("user",)
    search_fields = ("user__email__startswith", "version")
    sortable_by = ()
    fields = readonly_fields = ("user", "email", "document", "version", "at")

    @admin.display(description=gettext_lazy("email address"))
    def email(self, consent):
        return consent.user.email

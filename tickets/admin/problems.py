"""Problems as facts. Whoever runs the place works with them in the workspace, like agents."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ReadOnlyAdmin
from tickets.models import Problem


class MendedFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("open", _("Open")), ("mended", _("Mended"))]

    def queryset(self, request, queryset):
        if self.value() in ("open", "mended"):
            return queryset.filter(mended_at__isnull=self.value() == "open")
        return queryset


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ("title", "category", "owner", "created_at", "mended_at")
    list_filter = (MendedFilter, "category")
    list_select_related = ("category", "owner")
    search_fields = ("title",)
    fields = (
        "title", "team_note", "category", "owner", "created_by", "created_at",
        "mended_at", "mended_by", "mended_text", "told_at", "page",
    )  # fmt: skip
    readonly_fields = ("page",)

    @admin.display(description=gettext_lazy("tickets, and mending it"))
    def page(self, problem):
        url = reverse("tickets:problem", args=[problem.pk])
        return format_html('<a href="{}">{}</a>', url, _("Open in the workspace"))

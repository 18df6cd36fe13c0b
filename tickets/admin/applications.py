"""The queue of role requests, with what applicants say they know: expertise is ours to show."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.applications import ApplicationAdmin
from accounts.models import Application

admin.site.unregister(Application)


@admin.register(Application)
class ApplicationWithExpertiseAdmin(ApplicationAdmin):
    list_display = (*ApplicationAdmin.list_display[:4], "knows", *ApplicationAdmin.list_display[4:])
    fields = (*ApplicationAdmin.fields[:4], "knows", *ApplicationAdmin.fields[4:])
    readonly_fields = (*ApplicationAdmin.readonly_fields, "knows")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("applicant__expertise__category")

    @admin.display(description=gettext_lazy("knows"))
    def knows(self, application) -> str:
        return ", ".join(
            f"{offered.category} ({offered.get_level_display().lower()})"
            for offered in application.applicant.expertise.all()
        )

    def facts_of(self, application):
        knows = self.knows(application) or _("Not said")
        return [*super().facts_of(application), (_("Knows"), knows)]

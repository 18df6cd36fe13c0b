"""Lists of people by name, as a filter of the console."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.lists import LISTS


class PeopleFilter(admin.SimpleListFilter):
    title = _("people")
    parameter_name = "people"

    def lookups(self, request, model_admin):
        return [(name, title) for name, (title, _condition) in LISTS.items()]

    def queryset(self, request, queryset):
        if self.value() not in LISTS:
            return queryset
        return queryset.filter(LISTS[self.value()][1])

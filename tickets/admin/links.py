"""Which tickets belong together, to look at."""

from django.contrib import admin
from django.db.models import Q

from tickets.models import TicketLink

from .records import RecordAdmin


@admin.register(TicketLink)
class TicketLinkAdmin(RecordAdmin):
    list_display = ("ticket", "kind", "other", "made_by", "made_at")
    list_select_related = ("ticket", "other", "made_by")
    search_fields = ("ticket__reference__startswith", "other__reference__startswith")
    fields = ("ticket", "kind", "other", "made_by", "made_at")

    def get_queryset(self, request):
        """Without those of the administrator’s own complaints, which staff keep to themselves."""
        own = Q(ticket__requester=request.user) | Q(other__requester=request.user)
        return super().get_queryset(request).exclude(own)

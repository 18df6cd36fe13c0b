"""Who takes part in a ticket and who follows it: to look at. It changes on the ticket's page."""

from django.contrib import admin

from tickets.models import Follower, Participant

from .own import WithoutOwnComplaints
from .records import RecordAdmin


@admin.register(Participant)
class ParticipantAdmin(RecordAdmin):
    list_display = ("ticket", "person", "added_by", "added_at")
    list_select_related = ("ticket", "person", "added_by")
    search_fields = ("ticket__reference__startswith",)
    fields = ("ticket", "person", "added_by", "added_at")


@admin.register(Follower)
class FollowerAdmin(WithoutOwnComplaints, RecordAdmin):
    list_display = ("ticket", "person", "since")
    list_select_related = ("ticket", "person")
    search_fields = ("ticket__reference__startswith",)
    fields = ("ticket", "person", "since")

"""Regulated complaints: procedures and codes can be changed, cases only looked at."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Q
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ConsoleAdmin
from tickets.models import Category, ComplaintCase, ComplaintCode, ComplaintTrack, Stage
from tickets.regulated.complaints import has_procedures
from tickets.wording import when
from tickets.workflow import LIVE

from .own import WithoutOwnComplaints
from .records import RecordAdmin


class UsedAdmin(ConsoleAdmin):
    """What is in use stays. Said here, as Django would list every complaint that uses it."""

    def delete_view(self, request, object_id, extra_context=None):
        used = self.get_object(request, unquote(object_id))
        if used is None or not self.is_in_use(used):
            return super().delete_view(request, object_id, extra_context)
        self.message_user(request, self.in_use_words % {"used": used}, messages.ERROR)
        return redirect(self.url_of("change", used))


@admin.register(ComplaintTrack)
class ComplaintTrackAdmin(UsedAdmin):
    list_display = ("name", "days", "calendar", "acknowledge_within", "respond_within")
    list_select_related = ("calendar",)
    ordering = ("name",)
    in_use_words = gettext_lazy(
        "%(used)s is in use. Take it from its categories to use it no more."
    )

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: has_procedures.forget(), robust=True)

    def is_in_use(self, track):
        cases = ComplaintCase.objects.filter(track=track)
        return cases.exists() or Category.objects.filter(track=track).exists()


@admin.register(ComplaintCode)
class ComplaintCodeAdmin(UsedAdmin):
    list_display = ("code", "kind", "name", "is_active")
    list_filter = ("kind", "is_active")
    ordering = ("kind", "code")
    in_use_words = gettext_lazy("%(used)s is in use. Make it inactive, so that it is not offered.")

    def is_in_use(self, code):
        return ComplaintCase.objects.filter(Q(cause=code) | Q(remedy=code)).exists()


class StageFilter(admin.SimpleListFilter):
    """What is still to be answered, until one asks for a stage."""

    title = gettext_lazy("stage")
    parameter_name = "stage"

    def lookups(self, request, model_admin):
        return Stage.choices

    def queryset(self, request, cases):
        if self.value() == Stage.RESPONDED:
            return cases.filter(responded_at__isnull=False)
        live = cases.filter(ticket__legal_due_at__isnull=False, ticket__status__in=LIVE)
        live = live.filter(ticket__deleted_at=None)
        return live.filter(stage=self.value()) if self.value() else live

    def choices(self, changelist):
        everything, *rest = super().choices(changelist)
        return [everything | {"display": _("Not answered yet")}, *rest]


@admin.register(ComplaintCase)
class ComplaintCaseAdmin(WithoutOwnComplaints, RecordAdmin):
    """D4-7: what the law wants next comes first, then those answered, the newest first."""

    list_display = ("ticket", "track", "stage", "level", "due_by_law", "agent")
    list_filter = (StageFilter, "level", "track")
    list_select_related = ("ticket__assignee", "track")
    search_fields = ("ticket__reference__startswith",)
    fields = (
        "ticket", "track", "stage", "level", "cause", "remedy", "received_at", "acknowledge_by",
        "acknowledged_at", "investigating_at", "respond_by", "responded_at", "responded_by",
    )  # fmt: skip

    def get_ordering(self, request):
        is_answered = request.GET.get(StageFilter.parameter_name) == Stage.RESPONDED
        return ("-responded_at", "-pk") if is_answered else ("ticket__legal_due_at", "ticket__pk")

    @admin.display(description=gettext_lazy("due by law"))
    def due_by_law(self, case):
        return case.ticket.legal_due_at and when(case.ticket.legal_due_at)

    @admin.display(description=gettext_lazy("agent"))
    def agent(self, case):
        return case.ticket.assignee

"""Which tickets, ratings and lines a list of the console shows."""

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets.automation.assignment import overdue
from tickets.models import Tag
from tickets.workflow import Status

DAYS_LATELY = 30
TAGS_OFFERED = 50


class StatusFilter(admin.SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return [("live", _("All open")), *Status.choices]

    def queryset(self, request, queryset):
        if self.value() == "live":
            return queryset.live()
        return queryset.filter(status=self.value()) if self.value() else queryset


class AgentFilter(admin.SimpleListFilter):
    """Nobody, somebody, or the one agent whose key stands in the address."""

    title = gettext_lazy("agent")
    parameter_name = "agent"

    def lookups(self, request, model_admin):
        key = request.GET.get(self.parameter_name, "")
        chosen = User.objects.filter(pk=key) if key.isdecimal() else []
        return [
            ("nobody", _("Nobody")),
            ("somebody", _("Somebody")),
            *((str(agent.pk), str(agent)) for agent in chosen),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset
            case "nobody" | "somebody" as whom:
                return queryset.filter(assignee__isnull=whom == "nobody")
            case key if key.isdecimal():
                return queryset.filter(assignee=key)
            case _unknown:
                return queryset.none()


class DueFilter(admin.SimpleListFilter):
    title = gettext_lazy("promise")
    parameter_name = "due"

    def lookups(self, request, model_admin):
        return [("overdue", _("Overdue")), ("stuck", _("The clock fails with it"))]

    def queryset(self, request, queryset):
        if self.value() == "stuck":
            return queryset.filter(stuck_since__isnull=False)
        return overdue(queryset, at=timezone.now()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """The first tags of the alphabet; any other by its name in the address."""

    title = gettext_lazy("tag")
    parameter_name = "tag"

    def lookups(self, request, model_admin):
        return [(tag.name, tag.name) for tag in Tag.objects.all()[:TAGS_OFFERED]]

    def queryset(self, request, queryset):
        return queryset.filter(tags__name=self.value()) if self.value() else queryset


class GivenFilter(admin.SimpleListFilter):
    title = gettext_lazy("given")
    parameter_name = "given"

    def lookups(self, request, model_admin):
        return [("lately", _("In the last %(n)s days") % {"n": DAYS_LATELY})]

    def queryset(self, request, queryset):
        since = timezone.now() - timedelta(days=DAYS_LATELY)
        return queryset.filter(created_at__gte=since) if self.value() else queryset


class SettledFilter(admin.SimpleListFilter):
    """What nobody has settled, until one asks for the rest."""

    title = gettext_lazy("settled")
    parameter_name = "settled"

    def lookups(self, request, model_admin):
        return [("yes", _("Settled"))]

    def queryset(self, request, queryset):
        return queryset.filter(settled_at__isnull=self.value() != "yes")

    def choices(self, changelist):
        everything, *rest = super().choices(changelist)
        return [everything | {"display": _("Not settled yet")}, *rest]


class AboutFilter(admin.SimpleListFilter):
    title = gettext_lazy("about")
    parameter_name = "about"

    def lookups(self, request, model_admin):
        return [("site", _("This site")), ("talk", _("Suggested in a talk"))]

    def queryset(self, request, queryset):
        return queryset.filter(ticket__isnull=self.value() == "site") if self.value() else queryset

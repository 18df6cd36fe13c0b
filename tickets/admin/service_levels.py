"""What is promised: calendars with hours and holidays, and the service levels that use them."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.console import ConsoleAdmin
from tickets.models import Calendar, Holiday, OpeningHours, SlaPolicy
from tickets.promise import holidays, sla
from tickets.promise.promise_forms import HolidayFileForm, SlaPolicyForm
from tickets.wording import span


class ServiceLevelAdmin(ConsoleAdmin):
    """Whatever is saved here counts for the next ticket."""

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        _reckon_anew()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        _reckon_anew()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        _reckon_anew()


def _reckon_anew():
    transaction.on_commit(lambda: sla.forget(), robust=True)


class OpenAtAll(forms.BaseInlineFormSet):
    """A calendar that never opens would promise nothing."""

    def clean(self):
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if not any(self.errors) and not any(not self._should_delete_form(form) for form in kept):
            raise forms.ValidationError(_("Enter opening hours for one day at least"))


class OpeningHoursInline(admin.StackedInline):
    model = OpeningHours
    formset = OpenAtAll
    extra = 1


class HolidayInline(admin.StackedInline):
    model = Holiday
    extra = 1


@admin.register(Calendar)
class CalendarAdmin(ServiceLevelAdmin):
    verbs = ("holidays",)
    list_display = ("name", "time_zone")
    ordering = ("name",)
    inlines = (OpeningHoursInline, HolidayInline)

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            context["verbs"] = [(_("Import holidays"), self.url_of("holidays", obj))]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def holidays_view(self, request, object_id):
        """D1-15: the holidays of a year come as a file."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        calendar = get_object_or_404(Calendar, pk=object_id)
        is_sent = request.method == "POST"
        form = HolidayFileForm(request.POST, request.FILES) if is_sent else HolidayFileForm()
        if form.is_valid():
            self._keep(request, calendar, form.cleaned_data["file"])
            return redirect(self.url_of("change", calendar))
        return self.ask(
            request,
            title=_("Import holidays"),
            question=_("On which days is %(calendar)s shut?") % {"calendar": calendar},
            words=_(
                "Whole days from this year on are added, those that come again every year for "
                "three years. Nothing is taken away."
            ),
            form=form,
            yes=_("Import"),
            back=self.url_of("change", calendar),
        )

    def _keep(self, request, calendar, days):
        with self.recorded(request, calendar, _("Holidays imported.")):
            count = holidays.keep(calendar, days)
        _reckon_anew()
        words = ngettext("%(n)s holiday was added.", "%(n)s holidays were added.", count)
        self.message_user(request, words % {"n": count})


@admin.register(SlaPolicy)
class SlaPolicyAdmin(ServiceLevelAdmin):
    form = SlaPolicyForm
    list_display = ("__str__", "calendar", "answer", "solution", "warning")
    list_select_related = ("category", "calendar")
    ordering = ("category__position", "category__name", "priority")

    @admin.display(description=gettext_lazy("answer within"))
    def answer(self, policy):
        return span(policy.answer_within)

    @admin.display(description=gettext_lazy("solve within"))
    def solution(self, policy):
        return policy.resolve_within and span(policy.resolve_within)

    @admin.display(description=gettext_lazy("warn before"))
    def warning(self, policy):
        return policy.warn_before and span(policy.warn_before)

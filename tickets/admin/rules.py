"""Rules that operators make: written, tried, switched on, and what they did."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ConsoleAdmin
from tickets.automation import rules, trials
from tickets.automation.rule_forms import IF, THEN, WHEN, RuleForm, TrialForm
from tickets.models import Rule, RuleRun
from tickets.wording import span, when

from .records import RecordAdmin

ACTS_SHOWN = 20
HARMLESS = {"name", "position"}  # to change while a rule acts


@admin.register(Rule)
class RuleAdmin(ConsoleAdmin):
    form = RuleForm
    verbs = ("try", "off")
    change_form_template = "admin/tickets/rule/change_form.html"
    list_display = ("name", "when", "is_active", "position", "last_acted")
    ordering = ("position", "pk")
    fieldsets = (
        (None, {"fields": ("name", "position")}),
        (gettext_lazy("When"), {"fields": WHEN}),
        (
            gettext_lazy("If all of this holds"),
            {"fields": IF, "description": gettext_lazy("What is left empty always holds.")},
        ),
        (
            gettext_lazy("Then"),
            {
                "fields": THEN,
                "description": gettext_lazy("All of it, or nothing if one thing can’t be done."),
            },
        ),
    )

    def get_queryset(self, request):
        acts = RuleRun.objects.filter(rule=OuterRef("pk"), state=RuleRun.State.DONE)
        newest = acts.order_by("-pk").values("done_at")[:1]
        return super().get_queryset(request).annotate(acted_at=Subquery(newest))

    @admin.display(description=gettext_lazy("when"))
    def when(self, rule):
        words = rule.get_trigger_display()
        return f"{words} ({span(rule.after)})" if rule.after else words

    @admin.display(description=gettext_lazy("last acted"))
    def last_acted(self, rule):
        return rule.acted_at and when(rule.acted_at)

    # --- Written ------------------------------------------------------------

    def save_model(self, request, obj, form, change):
        """What was changed has not been tried: it does not act until it was."""
        if obj.is_active and set(form.changed_data) - HARMLESS:
            obj.is_active, obj.looked_until = False, None
            words = _("The rule is switched off until you have tried what you changed.")
            self.message_user(request, words, messages.WARNING)
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: rules.forget(), robust=True)

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            off = [(_("Switch off"), self.url_of("off", obj))] if obj.is_active else []
            context["verbs"] = [(_("Try it"), self.url_of("try", obj)), *off]
            context["runs"] = _of_others(obj.runs, request).select_related("ticket")[:ACTS_SHOWN]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def delete_view(self, request, object_id, extra_context=None):
        """What it did stays, and so does the rule that did it."""
        rule = self.get_object(request, unquote(object_id))
        if rule is None or not (rule.is_active or rule.runs.exists()):
            return super().delete_view(request, object_id, extra_context)
        words = _("%(rule)s has acted, or is switched on. Switch it off instead.")
        self.message_user(request, words % {"rule": rule}, messages.ERROR)
        return redirect(self.url_of("change", rule))

    # --- Tried, and switched on and off -------------------------------------

    def _rule(self, request, pk):
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(Rule.objects.prefetch_related("categories", "tags", "tell"), pk=pk)

    def try_view(self, request, object_id):
        """What it would have done. From here, and only from here, it is switched on."""
        rule = self._rule(request, object_id)
        if request.method == "POST":
            return self._switch(request, rule, on=True)
        form = TrialForm(request.GET if "newest" in request.GET else {"newest": 100})
        newest = form.cleaned_data["newest"] if form.is_valid() else 0
        return self.ask(
            request,
            "admin/tickets/rule/try.html",
            title=_("Try a rule"),
            rule=rule,
            trials=trials.tried(rule, newest, by=request.user),
            newest=newest,
            form=form,
            back=self.url_of("change", rule),
        )

    def off_view(self, request, object_id):
        rule = self._rule(request, object_id)
        if request.method == "POST":
            return self._switch(request, rule, on=False)
        return self.ask(
            request,
            title=_("Switch off a rule"),
            question=_("Switch off “%(rule)s”?") % {"rule": rule},
            words=_("It does nothing any more. What it did stays."),
            yes=_("Switch off"),
            back=self.url_of("change", rule),
        )

    def _switch(self, request, rule, *, on) -> HttpResponseRedirect:
        words = _("Switched on.") if on else _("Switched off.")
        with self.recorded(request, rule, words):
            rules.switch(rule, on=on)
        self.message_user(request, words, messages.SUCCESS)
        return redirect(self.url_of("change", rule))


def _of_others(runs, request):
    """What rules did to an administrator's own complaint is not for them to read."""
    return runs.exclude(ticket__requester=request.user)


class TroubleFilter(admin.SimpleListFilter):
    title = gettext_lazy("trouble")
    parameter_name = "trouble"

    def lookups(self, request, model_admin):
        return [("yes", _("Could not be done, or is tried again"))]

    def queryset(self, request, queryset):
        tried_again = Q(state=RuleRun.State.OWED, tries__gt=0)
        failed = Q(state=RuleRun.State.FAILED)
        return queryset.filter(failed | tried_again) if self.value() else queryset


@admin.register(RuleRun)
class RuleRunAdmin(RecordAdmin):
    list_display = ("ticket", "rule", "at", "state", "answer")
    list_filter = ("state", TroubleFilter)
    list_select_related = ("ticket", "rule")
    search_fields = ("ticket__reference__startswith",)
    fields = ("rule", "ticket", "at", "state", "answer", "tries", "done_at")

    def get_queryset(self, request):
        return _of_others(super().get_queryset(request), request)

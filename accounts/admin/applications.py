"""Requests to become an agent or an administrator: a queue, and each decision asked about."""

from django.contrib import admin, messages
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions
from accounts.console import ReadOnlyAdmin
from accounts.forms.applications import DeclineForm
from accounts.models import Application


class QueueFilter(admin.SimpleListFilter):
    """The open requests, until one asks for the decided ones."""

    title = gettext_lazy("decision")
    parameter_name = "decided"

    def lookups(self, request, model_admin):
        return Application.Decision.choices

    def queryset(self, request, queryset):
        return queryset.filter(decision=self.value() or "")

    def choices(self, changelist):
        everything, *rest = super().choices(changelist)
        return [everything | {"display": _("Waiting")}, *rest]


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    verbs = ("accept", "decline")
    actions = ("accept_selected", "decline_selected")
    change_list_template = "admin/accounts/application/queue.html"
    change_form_template = "admin/accounts/user/change_form.html"

    list_display = ("applicant", "email", "role", "waiting", "beginning")
    list_filter = (QueueFilter, "role")
    list_select_related = ("applicant", "decided_by")
    ordering = ("created_at",)
    fields = (
        "applicant", "email", "role", "why", "created_at", "earlier",
        "decision", "decided_at", "decided_by", "reason",
    )  # fmt: skip
    readonly_fields = ("email", "earlier")

    def get_list_display(self, request):
        shown = list(self.list_display)
        if request.GET.get(QueueFilter.parameter_name):
            shown[shown.index("waiting")] = "decided_at"
            shown.append("decided_by")
        return shown

    @admin.display(description=gettext_lazy("email address"))
    def email(self, application):
        return application.applicant.email

    @admin.display(description=gettext_lazy("waiting"), ordering="created_at")
    def waiting(self, application):
        return timesince(application.created_at, depth=1) if application.is_open else ""

    @admin.display(description=gettext_lazy("why"))
    def beginning(self, application):
        return Truncator(application.why).chars(80)

    @admin.display(description=gettext_lazy("earlier requests"))
    def earlier(self, application):
        """What became of what this person asked for before."""
        before = Application.objects.filter(
            applicant=application.applicant_id, pk__lt=application.pk
        ).order_by("-pk")
        rows = (
            (
                each.get_role_display(),
                each.get_decision_display(),
                date_format(timezone.localtime(each.decided_at), "j F Y"),
                each.reason,
            )
            for each in before
        )
        return format_html_join("", "<p>{}: {}, {}. {}</p>", rows) or _("None")

    def facts_of(self, application) -> list[tuple[str, object]]:
        """What an administrator reads before deciding."""
        return [
            (_("Email"), application.applicant.email),
            (_("Asked"), application.created_at),
            (_("Why"), linebreaksbr(application.why) if application.why else _("Not said")),
        ]

    def has_decide_permission(self, request):
        return request.user.has_perm("accounts.decide_application")

    def render_change_form(self, request, context, obj=None, **kwargs):
        is_open = obj.decided_at is None and obj.applicant_id != request.user.pk
        verbs = [(_("Approve"), "accept"), (_("Decline"), "decline")] if is_open else []
        links = [(label, self.url_of(verb, obj)) for label, verb in verbs]
        return super().render_change_form(request, context | {"verbs": links}, obj=obj, **kwargs)

    def accept_view(self, request, object_id):
        application = self._application(object_id)
        if request.method == "POST" or not application.is_open:
            return self._decide(request, application, Application.Decision.ACCEPTED)
        return self._ask(
            request,
            application,
            title=_("Approve a request"),
            question=_("Approve %(person)s as %(role)s?"),
            yes=_("Yes, approve %(person)s"),
        )

    def decline_view(self, request, object_id):
        application = self._application(object_id)
        form = DeclineForm(request.POST or None)
        if form.is_valid() or not application.is_open:
            reason = form.data.get("reason", "")
            return self._decide(request, application, Application.Decision.DECLINED, reason)
        return self._ask(
            request,
            application,
            title=_("Decline a request"),
            question=_("Decline %(person)s as %(role)s?"),
            yes=_("Yes, decline %(person)s"),
            form=form,
            is_grave=True,
        )

    def _application(self, pk):
        return get_object_or_404(Application.objects.select_related("applicant"), pk=pk)

    def _ask(self, request, application, *, question, yes, **context):
        names = {
            "person": application.applicant,
            "role": application.get_role_display().lower(),
        }
        return self.ask(
            request,
            question=question % names,
            facts=self.facts_of(application),
            words=_("%(person)s will be told by email.") % names,
            yes=yes % names,
            **context,
        )

    def _decide(self, request, application, decision, reason=""):
        """Of one decided before, this only says so."""
        if refusal := self._refusal_to_decide(request, application, decision, reason):
            self.message_user(request, refusal, messages.ERROR)
        else:
            words = _("%(person)s: %(decision)s.") % {
                "person": application.applicant,
                "decision": decision.label.lower(),
            }
            self.message_user(request, words, messages.SUCCESS)
        return self.to_dashboard()

    def _refusal_to_decide(self, request, application, decision, reason="") -> str:
        try:
            with self.recorded(request, application, f"{decision.label}."):
                actions.decide(application, decision, by=request.user, reason=reason)
        except actions.DecisionRefused as refusal:
            return f"{application.applicant}: {refusal}"
        return ""

    @admin.action(description=gettext_lazy("Approve…"), permissions=["decide"])
    def accept_selected(self, request, queryset):
        applications = self.selected(request, queryset)
        if applications is None:
            return None
        if "answered" not in request.POST:
            return self.ask_for_all(
                request,
                applications,
                "accept_selected",
                title=_("Approve requests"),
                question=_("Approve these requests?"),
                words=_("They will be told by email."),
                yes=_("Yes, approve them"),
            )
        self._decide_all(request, applications, Application.Decision.ACCEPTED)
        return redirect(request.get_full_path())

    @admin.action(description=gettext_lazy("Decline…"), permissions=["decide"])
    def decline_selected(self, request, queryset):
        applications = self.selected(request, queryset)
        if applications is None:
            return None
        form = DeclineForm(request.POST if "answered" in request.POST else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            self._decide_all(request, applications, Application.Decision.DECLINED, reason)
            return redirect(request.get_full_path())
        return self.ask_for_all(
            request,
            applications,
            "decline_selected",
            title=_("Decline requests"),
            question=_("Decline these requests?"),
            words=_("They will be told by email, each with the reason below."),
            yes=_("Yes, decline them"),
            form=form,
            is_grave=True,
        )

    def _decide_all(self, request, applications, decision, reason=""):
        refusals = [
            self._refusal_to_decide(request, application, decision, reason)
            for application in applications
        ]
        refusals = [refusal for refusal in refusals if refusal]
        words = {"n": len(applications) - len(refusals), "decision": decision.label.lower()}
        done = _("%(n)s %(decision)s.") % words if words["n"] else ""
        self.tell_outcome(request, done, refusals)

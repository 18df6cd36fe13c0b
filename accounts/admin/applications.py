"""Requests to become an agent or an administrator: a queue, and each decision asked about."""

from django import forms
from django.contrib import admin, messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions
from accounts.console import ReadOnlyAdmin
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


class DeclineForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason, which they read in the mail"),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": gettext_lazy("Enter a reason")},
    )


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    verbs = ("accept", "decline")
    actions = ("accept_selected",)
    change_list_template = "admin/accounts/application/queue.html"
    change_form_template = "admin/accounts/user/change_form.html"

    list_display = ("applicant", "email", "role", "created_at", "decision", "decided_by")
    list_filter = (QueueFilter, "role")
    list_select_related = ("applicant", "decided_by")
    ordering = ("created_at",)
    fields = (
        "applicant", "email", "role", "created_at",
        "decision", "decided_at", "decided_by", "reason",
    )  # fmt: skip
    readonly_fields = ("email",)

    @admin.display(description=gettext_lazy("email address"))
    def email(self, application):
        return application.applicant.email

    def has_decide_permission(self, request):
        return request.user.has_perm("accounts.decide_application")

    def render_change_form(self, request, context, obj=None, **kwargs):
        is_open = obj.decided_at is None and obj.applicant_id != request.user.pk
        verbs = [(_("Approve"), "accept"), (_("Decline"), "decline")] if is_open else []
        links = [(label, self.url_of(verb, obj)) for label, verb in verbs]
        return super().render_change_form(request, context | {"verbs": links}, obj=obj, **kwargs)

    def accept_view(self, request, object_id):
        application = self._application(object_id)
        if request.method == "POST":
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
        if form.is_valid():
            reason = form.cleaned_data["reason"]
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
            facts=[
                (_("Email"), application.applicant.email),
                (_("Asked"), application.created_at),
            ],
            words=_("%(person)s will be told by email.") % names,
            yes=yes % names,
            **context,
        )

    def _decide(self, request, application, decision, reason=""):
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
        refusals = [
            self._refusal_to_decide(request, application, Application.Decision.ACCEPTED)
            for application in applications
        ]
        refusals = [refusal for refusal in refusals if refusal]
        count = len(applications) - len(refusals)
        self.tell_outcome(request, count and _("%(n)s approved.") % {"n": count}, refusals)
        return redirect(request.get_full_path())

"""People and role requests in the administrator console, and the log of what was done there."""

from allauth.account.admin import EmailAddressAdmin  # noqa: F401 -- registers what we take out
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import Group
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import actions
from .console import BinFilter, ConsoleAdmin, ReadOnlyAdmin
from .models import Application, Role, Standing, User

# Addresses are confirmed by code, and nobody carries rights of their own.
admin.site.unregister([EmailAddress, Group])


class PersonForm(BaseUserCreationForm):
    """An account made by an administrator (D0-10): confirmed and let in at once."""

    error_messages = {"password_mismatch": gettext_lazy("Passwords do not match!")}

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "role")
        error_messages = {"email": {"invalid": gettext_lazy("Invalid email")}}

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if EmailAddress.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Somebody has this address already"))
        return email


@admin.register(User)
class UserAdmin(ConsoleAdmin):
    verbs = ("bin", "restore")
    change_form_template = "admin/accounts/user/change_form.html"

    list_display = ("__str__", "email", "role", "standing", "created_at")
    list_filter = ("role", "standing", BinFilter)
    sortable_by = ("email", "created_at")
    search_fields = ("email__startswith", "first_name__istartswith", "last_name__istartswith")
    search_help_text = gettext_lazy("The beginning of an email address or of a name")
    fields = (
        "first_name", "last_name", "email", "role", "standing", "is_superuser",
        "created_at", "last_login", "deleted_at",
    )  # fmt: skip
    add_fields = ("first_name", "last_name", "email", "role", "password1", "password2")

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    def get_fields(self, request, obj=None):
        return self.fields if obj else self.add_fields

    def get_readonly_fields(self, request, obj=None):
        return self.fields[2:] if obj else ()

    def get_form(self, request, obj=None, **kwargs):
        if obj is None:
            kwargs["form"] = PersonForm
        return super().get_form(request, obj, **kwargs)

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "role":
            roles = Role if request.user.is_superuser else (Role.AGENT, Role.CUSTOMER)
            kwargs["choices"] = [(role.value, role.label) for role in roles]
            kwargs["initial"] = Role.AGENT
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.standing = Standing.ACTIVE
        super().save_model(request, obj, form, change)
        if not change:
            EmailAddress.objects.create(user=obj, email=obj.email, primary=True, verified=True)

    def lookup_allowed(self, lookup, value, request):
        """A list that could be filtered by the hash would spell it out."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _may_change(request.user, obj))

    def has_delete_permission(self, request, obj=None):
        return False  # people are put in the bin

    def render_change_form(self, request, context, obj=None, **kwargs):
        verb = None
        if obj and obj != request.user and _may_change(request.user, obj):
            verb = (_("Restore"), "restore") if obj.deleted_at else (_("Delete"), "bin")
        links = [(verb[0], self.url_of(verb[1], obj))] if verb else []
        return super().render_change_form(request, context | {"verbs": links}, obj=obj, **kwargs)

    def _person_to_change(self, request, pk):
        person = get_object_or_404(User, pk=pk)
        if not _may_change(request.user, person):
            raise PermissionDenied
        return person

    def bin_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        if request.method == "POST":
            return self._set_bin(request, person, actions.bin_user, _("Deleted."))
        return self.ask(
            request,
            title=_("Delete an account"),
            question=_("Delete the account of %(person)s?") % {"person": person},
            facts=_facts(person),
            words=_("The door shuts at once. Nothing of theirs is lost, and it can be restored."),
            yes=_("Yes, delete %(person)s") % {"person": person},
            is_grave=True,
            back=self.url_of("change", person),
        )

    def restore_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        if request.method == "POST":
            return self._set_bin(request, person, actions.restore_user, _("Restored."))
        return self.ask(
            request,
            title=_("Restore an account"),
            question=_("Restore the account of %(person)s?") % {"person": person},
            facts=_facts(person),
            yes=_("Yes, restore %(person)s") % {"person": person},
            back=self.url_of("change", person),
        )

    def _set_bin(self, request, person, action, words):
        try:
            with self.recorded(request, person, words):
                action(person, by=request.user)
        except actions.DecisionRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{person}: {words}", messages.SUCCESS)
        return redirect(self.url_of("changelist"))


def _may_change(admin_user, person) -> bool:
    """Administrators look after everybody else and themselves; after each other, superusers."""
    return admin_user.is_superuser or not person.is_admin or person == admin_user


def _facts(person):
    return [
        (_("Email"), person.email),
        (_("Role"), person.get_role_display()),
        (_("Standing"), person.get_standing_display()),
    ]


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


@admin.register(LogEntry)
class ActivityAdmin(ReadOnlyAdmin):
    """What administrators did here, for ever."""

    list_title = gettext_lazy("Activity log")
    list_display = ("action_time", "user", "object_repr", "content_type", "message")
    list_select_related = ("user", "content_type")
    list_filter = ("action_flag",)
    search_fields = ("object_repr", "change_message", "user__email")
    sortable_by = ()
    fields = ("action_time", "user", "content_type", "object_repr", "message")
    readonly_fields = ("action_time", "message")

    @admin.display(description=gettext_lazy("what"))
    def message(self, entry):
        return entry.get_change_message()

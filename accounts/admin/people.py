"""People in the administrator console: looked at, added, suspended, put in the bin and restored."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import people
from accounts.console import BinFilter, ConsoleAdmin
from accounts.forms.people import LeavingForm, PersonForm, RoleForm, SuspendForm
from accounts.models import Role, Standing, User
from accounts.people import may_change

from .factors import FactorVerbs
from .lists import PeopleFilter
from .privacy import PrivacyVerbs


@admin.register(User)
class UserAdmin(FactorVerbs, PrivacyVerbs, ConsoleAdmin):
    verbs = (
        "role", "suspend", "reactivate", "bin", "restore",
        *PrivacyVerbs.privacy_verbs, *FactorVerbs.factor_verbs,
    )  # fmt: skip
    change_form_template = "admin/accounts/user/change_form.html"

    list_display = ("__str__", "email", "role", "standing", "created_at")
    list_filter = (PeopleFilter, "role", "standing", BinFilter)
    sortable_by = ("email", "created_at")
    search_fields = ("email__startswith", "first_name__istartswith", "last_name__istartswith")
    search_help_text = gettext_lazy("The beginning of an email address or of a name")
    fields = (
        "first_name", "last_name", "email", "phone", "role", "standing", "is_superuser",
        "created_at", "last_login", "deleted_at", "erase_at", "legal_hold", "requests", "records",
    )  # fmt: skip
    add_fields = ("first_name", "last_name", "email", "role", "password1", "password2")

    @admin.display(description=gettext_lazy("role requests"))
    def requests(self, person):
        return format_html_join(
            ", ",
            '<a href="{}">{}: {}</a>',
            (
                (
                    reverse("admin:accounts_application_change", args=[application.pk]),
                    application.get_role_display(),
                    application.get_decision_display() or _("Waiting"),
                )
                for application in person.applications.order_by("created_at")
            ),
        )

    @admin.display(description=gettext_lazy("records"))
    def records(self, person):
        pages = [
            (_("Sign-ins"), "accounts_loginrecord", "user"),
            (_("Account history"), "accounts_accountevent", "user"),
            (_("Consents"), "accounts_consent", "user"),
            (_("Addresses"), "accounts_address", "user"),
            (_("Downloads"), "accounts_dataexport", "user"),
        ]
        if hasattr(person, "agent_profile"):  # written when they first fill it in
            pages += [(_("How they work"), "accounts_agentprofile", "agent")]
        return format_html_join(
            ", ",
            '<a href="{}?{}__id__exact={}">{}</a>',
            (
                (reverse(f"admin:{page}_changelist"), whose, person.pk, label)
                for label, page, whose in pages
            ),
        )

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    def get_fields(self, request, obj=None):
        if obj is None:
            return self.add_fields
        return [name for name in self.fields if name != "is_superuser" or obj.is_admin]

    def get_readonly_fields(self, request, obj=None):
        return self.fields[2:] if obj else ()

    def get_form(self, request, obj=None, **kwargs):
        if obj is None:
            kwargs["form"] = PersonForm
        return super().get_form(request, obj, **kwargs)

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "role":
            roles = people.roles_given_by(request.user)
            kwargs["choices"] = [(role.value, role.label) for role in roles]
            kwargs["initial"] = Role.AGENT
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if change:
            super().save_model(request, obj, form, change)
        else:
            people.create(obj, by=request.user)

    def lookup_allowed(self, lookup, value, request):
        """A list that could be filtered by the hash would spell it out."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_change(request.user, obj))

    def has_delete_permission(self, request, obj=None):
        return False  # people are put in the bin

    def render_change_form(self, request, context, obj=None, **kwargs):
        may = obj and obj != request.user and may_change(request.user, obj)
        verbs = self._all_open_verbs(obj) if may else []
        context["verbs"] = [(label, self.url_of(verb, obj)) for label, verb in verbs]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def _all_open_verbs(self, person):
        return [
            *self.open_verbs(person),
            *self.open_factor_verbs(person),
            *self.open_privacy_verbs(person),
        ]

    def open_verbs(self, person) -> list[tuple[str, str]]:
        """What may be done with ``person`` as they stand now, for whoever may."""
        if person.deleted_at:
            return [(_("Restore"), "restore")]
        binning = (_("Delete"), "bin")
        if person.standing == Standing.ACTIVE:
            return [(_("Change role"), "role"), (_("Suspend"), "suspend"), binning]
        if person.standing == Standing.SUSPENDED:
            return [(_("Let in again"), "reactivate"), binning]
        return [] if person.standing == Standing.ERASED else [binning]

    # --- Verbs ------------------------------------------------------------

    def role_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        form = RoleForm(_posted(request), person=person, by=request.user)
        if form.is_valid():
            role = form.cleaned_data["role"]
            words = _("Role changed to %(role)s.") % {"role": role.label.lower()}
            return self._act(request, person, people.change_role, words, **form.cleaned_data)
        return self._ask(
            request,
            person,
            title=_("Change a role"),
            question=_("Change the role of %(person)s?"),
            words=_("They are signed out, told by email, and sign in with the new role."),
            yes=_("Yes, change the role"),
            form=form,
        )

    def suspend_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        form = SuspendForm(_posted(request), person=person)
        if form.is_valid():
            return self._act(request, person, people.suspend, _("Suspended."), **form.cleaned_data)
        return self._ask(
            request,
            person,
            title=_("Suspend an account"),
            question=_("Suspend %(person)s?"),
            words=_("They are signed out everywhere at once, and told by email."),
            yes=_("Yes, suspend %(person)s"),
            form=form,
            is_grave=True,
        )

    def reactivate_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        if request.method == "POST":
            return self._act(request, person, people.reactivate, _("Let in again."))
        return self._ask(
            request,
            person,
            title=_("Let in again"),
            question=_("Let %(person)s in again?"),
            words=_("They can sign in as before, and are told by email."),
            yes=_("Yes, let %(person)s in"),
        )

    def bin_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        form = LeavingForm(_posted(request), person=person)
        if form.is_valid():
            return self._act(request, person, people.bin_user, _("Deleted."), **form.cleaned_data)
        return self._ask(
            request,
            person,
            title=_("Delete an account"),
            question=_("Delete the account of %(person)s?"),
            words=_("The door shuts at once. Nothing of theirs is lost, and it can be restored."),
            yes=_("Yes, delete %(person)s"),
            form=form,
            is_grave=True,
        )

    def restore_view(self, request, object_id):
        person = self._person_to_change(request, object_id)
        if request.method == "POST":
            return self._act(request, person, people.restore_user, _("Restored."))
        return self._ask(
            request,
            person,
            title=_("Restore an account"),
            question=_("Restore the account of %(person)s?"),
            yes=_("Yes, restore %(person)s"),
        )

    def _person_to_change(self, request, pk):
        person = get_object_or_404(User, pk=pk)
        if not may_change(request.user, person):
            raise PermissionDenied
        return person

    def _ask(self, request, person, *, question, yes, **context):
        name = {"person": person}
        return self.ask(
            request,
            question=question % name,
            facts=[
                (_("Email"), person.email),
                (_("Role"), person.get_role_display()),
                (_("Standing"), person.get_standing_display()),
            ],
            yes=yes % name,
            back=self.url_of("change", person),
            **context,
        )

    def _act(self, request, person, action, words, **answers):
        """Do it, record it and say so, or say why not."""
        try:
            with self.recorded(request, person, words):
                action(person, by=request.user, **answers)
        except people.AccountRefusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{person}: {words}", messages.SUCCESS)
        return redirect(self.url_of("changelist"))


def _posted(request):
    return request.POST if request.method == "POST" else None

"""People in the administrator console: looked at, added, put in the bin and restored."""

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions
from accounts.console import BinFilter, ConsoleAdmin
from accounts.models import Role, Standing, User


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

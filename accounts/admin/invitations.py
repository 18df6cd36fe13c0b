"""Invitations in the administrator console: sent singly or from a file, and taken back."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import imports, invitations
from accounts.console import ConsoleAdmin
from accounts.forms.invitations import FileForm, InviteForm
from accounts.models import Invitation

OPEN = {"accepted_at": None, "revoked_at": None}


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [
            ("open", _("Open")),
            ("accepted", _("Accepted")),
            ("over", _("Run out")),
            ("revoked", _("Taken back")),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "open":
                return queryset.open()
            case "accepted":
                return queryset.filter(accepted_at__isnull=False)
            case "over":
                return queryset.filter(**OPEN, expires_at__lte=timezone.now())
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


@admin.register(Invitation)
class InvitationAdmin(ConsoleAdmin):
    verbs = ("resend", "revoke")
    actions = None
    change_list_template = "admin/accounts/invitation/list.html"
    change_form_template = "admin/accounts/user/change_form.html"

    list_display = (
        "email", "name", "role", "state", "invited_by", "created_at", "expires_at",
    )  # fmt: skip
    list_filter = (StateFilter, "role")
    list_select_related = ("invited_by",)
    sortable_by = ()
    search_fields = ("email__startswith",)
    search_help_text = gettext_lazy("The beginning of an email address")
    fields = (
        "email", "first_name", "last_name", "role", "state", "invited_by", "created_at",
        "expires_at", "accepted_at", "accepted_by", "revoked_at",
    )  # fmt: skip
    readonly_fields = ("state",)

    @admin.display(description=gettext_lazy("name"))
    def name(self, invitation):
        return f"{invitation.first_name} {invitation.last_name}".strip()

    @admin.display(description=gettext_lazy("state"))
    def state(self, invitation):
        if invitation.accepted_at:
            return _("Accepted")
        if invitation.revoked_at:
            return _("Taken back")
        return _("Open") if invitation.expires_at > timezone.now() else _("Run out")

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    def lookup_allowed(self, lookup, value, request):
        """A list that could be filtered by the hash would spell it out."""
        return not lookup.startswith("token") and super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_urls(self):
        view = require_http_methods(["GET", "HEAD", "POST"])(self.import_view)
        name = "accounts_invitation_import"
        return [path("import/", self.admin_site.admin_view(view), name=name), *super().get_urls()]

    # --- Invite ---------------------------------------------------------

    def add_view(self, request, form_url="", extra_context=None):
        self._require(request, "add")
        form = InviteForm(request.POST if request.method == "POST" else None, by=request.user)
        if form.is_valid() and self._invite(request, form):
            return redirect(self.url_of("changelist"))
        return self.ask(
            request,
            title=_("Invite a person"),
            question=_("Who should work here?"),
            words=_("They get a mail with a link that works once, and choose their own password."),
            form=form,
            yes=_("Send the invitation"),
        )

    def _invite(self, request, form) -> bool:
        try:
            with transaction.atomic():
                invitation = invitations.invite(**form.cleaned_data, by=request.user)
                self.log_addition(request, invitation, _("Invited."))
        except invitations.InvitationRefused as refusal:  # the second of two clicks
            form.add_error("email", str(refusal))
            return False
        words = _("%(email)s is invited.") % {"email": invitation.email}
        self.message_user(request, words, messages.SUCCESS)
        return True

    def import_view(self, request):
        self._require(request, "add")
        form = FileForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
        outcome = self._invite_all(request, form) if form.is_valid() else None
        if outcome:
            context = {"title": _("Invited from a file"), "outcome": outcome}
            return self.ask(request, "admin/accounts/invitation/imported.html", **context)
        return self.ask(
            request,
            title=_("Invite from a file"),
            question=_("Who should work here?"),
            words=_("Everybody in the file gets an invitation, once. Without a role: as agent."),
            form=form,
            yes=_("Send the invitations"),
        )

    def _invite_all(self, request, form):
        content = form.cleaned_data["file"].read(imports.MAX_BYTES + 1)
        try:
            with transaction.atomic():
                outcome = imports.invite_all(content, by=request.user)
                for invitation in outcome.invited:
                    self.log_addition(request, invitation, _("Invited from a file."))
        except imports.FileRefused as refusal:
            form.add_error("file", str(refusal))
            return None
        return outcome

    # --- What becomes of it ---------------------------------------------

    def render_change_form(self, request, context, obj=None, **kwargs):
        verbs = [(_("Send again"), "resend"), (_("Take back"), "revoke")]
        links = [(label, self.url_of(verb, obj)) for label, verb in verbs]
        context |= {"verbs": links if self._may(request, obj) else []}
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def resend_view(self, request, object_id):
        invitation = self._open_one(request, object_id)
        if request.method == "POST":
            return self._act(request, invitation, invitations.send_again, _("Sent again."))
        return self._ask(
            request,
            invitation,
            title=_("Send an invitation again"),
            question=_("Send the invitation of %(email)s again?"),
            words=_("They get a new link. The one they have stops working."),
            yes=_("Yes, send it again"),
        )

    def revoke_view(self, request, object_id):
        invitation = self._open_one(request, object_id)
        if request.method == "POST":
            return self._act(request, invitation, invitations.revoke, _("Taken back."))
        return self._ask(
            request,
            invitation,
            title=_("Take back an invitation"),
            question=_("Take back the invitation of %(email)s?"),
            words=_("The link stops working. Nobody is told."),
            yes=_("Yes, take it back"),
            is_grave=True,
        )

    def _may(self, request, invitation) -> bool:
        is_over = invitation.accepted_at or invitation.revoked_at
        return not is_over and invitation.role in dict(invitations.offered_by(request.user))

    def _open_one(self, request, pk):
        self._require(request, "add")
        invitation = get_object_or_404(Invitation, pk=pk)
        if invitation.role not in dict(invitations.offered_by(request.user)):
            raise PermissionDenied
        return invitation

    def _ask(self, request, invitation, *, question, **context):
        return self.ask(
            request,
            question=question % {"email": invitation.email},
            facts=[
                (_("Role"), invitation.get_role_display()),
                (_("State"), self.state(invitation)),
                (_("Open until"), invitation.expires_at),
            ],
            back=self.url_of("change", invitation),
            **context,
        )

    def _act(self, request, invitation, action, words):
        try:
            with self.recorded(request, invitation, words):
                action(invitation, by=request.user)
        except invitations.InvitationRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{invitation.email}: {words}", messages.SUCCESS)
        return redirect(self.url_of("changelist"))

    def _require(self, request, verb):
        if not request.user.has_perm(f"accounts.{verb}_invitation"):
            raise PermissionDenied

"""Mail that comes in, in the administrator console."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.console import MAX_COUNT, ConsoleAdmin, ReadOnlyAdmin, capped
from accounts.models import User
from messaging.inbound import imap, ledger
from messaging.inbound.forms import AgentAddressForm, MailboxForm, SenderRuleForm
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, SenderRule
from tickets.counting import CappedCount
from tickets.wording import when

STATE = ("polled", "last_problem", "on_server", "missing", "fates")


def _without_detours(form, name):
    """A plain choice: what is chosen from is kept elsewhere."""
    if field := form.base_fields.get(name):
        for way in ("add", "change", "delete", "view"):
            setattr(field.widget, f"can_{way}_related", False)
    return form


@admin.register(Mailbox)
class MailboxAdmin(ConsoleAdmin):
    form = MailboxForm
    verbs = ("test",)
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ("name", "username", "folder", "is_active", "polled", "missing", "last_problem")
    list_filter = ("is_active",)
    ordering = ("name",)

    def get_form(self, request, obj=None, **kwargs):
        return _without_detours(super().get_form(request, obj, **kwargs), "category")

    def get_fieldsets(self, request, obj=None):
        known = [(_("What it brings"), {"fields": STATE})] if obj else []
        return [(None, {"fields": MailboxForm.Meta.fields}), *known]

    def get_readonly_fields(self, request, obj=None):
        return STATE if obj else ()

    @admin.display(description=gettext_lazy("last polled"), ordering="polled_at")
    def polled(self, mailbox):
        return when(mailbox.polled_at) if mailbox.polled_at else _("Never")

    @admin.display(description=gettext_lazy("in the ledger"))
    def fates(self, mailbox):
        """What became of its mails. The sum of all is what was fetched."""
        mails = InboundMail.objects.filter(mailbox=OuterRef("pk"))
        counts = {
            fate: CappedCount(mails.filter(fate=fate).order_by().values("pk")[: MAX_COUNT + 1])
            for fate in Fate
        }
        counted = Mailbox.objects.filter(pk=mailbox.pk).values(**counts).get()
        told = [
            f"{fate.label}: {capped(counted[fate], MAX_COUNT)}" for fate in Fate if counted[fate]
        ]
        return ", ".join(told) or "0"

    def save_model(self, request, obj, form, change):
        if change and "is_active" in form.changed_data:
            obj.watched_since, obj.alarmed_at = timezone.now(), None
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request, obj=None):
        """What it brought names it: it is made inactive instead."""
        return False

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            ledger_url = reverse("admin:messaging_inboundmail_changelist")
            context["verbs"] = [
                (_("Its mails"), f"{ledger_url}?mailbox__id__exact={obj.pk}"),
                (_("Test it"), self.url_of("test", obj)),
            ]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def test_view(self, request, object_id):
        """Signs in and looks into the folder; fetches nothing."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        mailbox = get_object_or_404(Mailbox, pk=object_id)
        if request.method == "POST":
            self.log_change(request, mailbox, _("Tested."))
            self._tell_of_a_try(request, mailbox)
            return redirect(self.url_of("change", mailbox))
        return self.ask(
            request,
            title=_("Test a mailbox"),
            question=_("Sign in to “%(mailbox)s” now?") % {"mailbox": mailbox},
            words=_("Nothing is fetched and nothing is changed."),
            yes=_("Test it"),
            back=self.url_of("change", mailbox),
        )

    def _tell_of_a_try(self, request, mailbox):
        try:
            with imap.opened(mailbox) as box:
                found = box.folder.status(mailbox.folder, ["MESSAGES"])["MESSAGES"]
        except imap.TROUBLE as trouble:
            problem = imap.problem_in(trouble, mailbox)
            words = _("It does not work: %(problem)s") % {"problem": problem}
            self.message_user(request, words, messages.ERROR)
        else:
            words = ngettext("It works: %(n)s mail there.", "It works: %(n)s mails there.", found)
            self.message_user(request, words % {"n": found}, messages.SUCCESS)


@admin.register(InboundMail)
class InboundMailAdmin(ReadOnlyAdmin):
    """The ledger. ``raw`` is the mail as it came, to save: nothing of it is shown as a page."""

    verbs = ("raw",)
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ("received_at", "sender", "subject", "fate", "why", "ticket", "mailbox")
    list_filter = ("fate", "mailbox")
    list_select_related = ("ticket", "mailbox")
    sortable_by = ()
    search_fields = ("sender__startswith",)
    search_help_text = gettext_lazy("The beginning of the sender’s address")
    fields = (
        "received_at", "source", "mailbox", "sender", "subject", "message_id", "envelope_to",
        "size", "fate", "reason", "detail", "settled_at", "freed_by", "person", "ticket", "first",
    )  # fmt: skip
    actions = ("retry", "free", "drop")

    @admin.display(description=gettext_lazy("why"))
    def why(self, mail):
        return ": ".join(filter(None, [mail.get_reason_display(), mail.detail]))

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj and obj.raw:
            context["verbs"] = [(_("Download it as it came"), self.url_of("raw", obj))]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def raw_view(self, request, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = get_object_or_404(InboundMail.objects.exclude(raw=""), pk=object_id)
        if request.method != "POST":
            return self._ask_for_raw(request, mail)
        try:
            file = mail.raw.open("rb")
        except FileNotFoundError as gone:
            raise Http404 from gone
        self.log_change(request, mail, _("Downloaded as it came."))
        response = FileResponse(file, content_type="application/octet-stream")
        response["Content-Disposition"] = content_disposition_header(True, f"mail-{mail.pk}.eml")
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "private, no-store"
        return response

    def _ask_for_raw(self, request, mail):
        return self.ask(
            request,
            title=_("Download it as it came"),
            question=_("Download this mail as it came?"),
            words=_("It is what somebody wrote to us. The activity log keeps that you took it."),
            yes=_("Download"),
            back=self.url_of("change", mail),
        )

    def has_settle_permission(self, request):
        return request.user.has_perm("messaging.settle_inboundmail")

    @admin.action(description=gettext_lazy("Process again"), permissions=["settle"])
    def retry(self, request, queryset):
        self._settle(request, queryset, _("Processed again."), ledger.retry)

    @admin.action(description=gettext_lazy("Let through"), permissions=["settle"])
    def free(self, request, queryset):
        def free(mails):
            return ledger.retry(mails, by=request.user)

        self._settle(request, queryset, _("Let through."), free)

    @admin.action(description=gettext_lazy("Drop"), permissions=["settle"])
    def drop(self, request, queryset):
        def drop(mails):
            return ledger.drop(mails, by=request.user)

        self._settle(request, queryset, _("Dropped."), drop)

    def _settle(self, request, queryset, words, verb):
        mails = self.selected(request, queryset)
        if mails is None:
            return
        count = verb(InboundMail.objects.filter(pk__in=[mail.pk for mail in mails]))
        for mail in mails if count else ():
            self.log_change(request, mail, words)
        told = ngettext("%(n)s mail: %(done)s", "%(n)s mails: %(done)s", count)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, told % {"n": count, "done": words}, level)


@admin.register(SenderRule)
class SenderRuleAdmin(ConsoleAdmin):
    form = SenderRuleForm
    list_display = ("pattern", "verdict", "note")
    list_filter = ("verdict",)
    ordering = ("pattern",)
    search_fields = ("pattern__startswith",)


@admin.register(AgentAddress)
class AgentAddressAdmin(ConsoleAdmin):
    form = AgentAddressForm
    list_display = ("address", "agent")
    list_select_related = ("agent",)
    ordering = ("address",)

    def get_form(self, request, obj=None, **kwargs):
        return _without_detours(super().get_form(request, obj, **kwargs), "agent")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "agent":
            kwargs["queryset"] = User.objects.agents()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

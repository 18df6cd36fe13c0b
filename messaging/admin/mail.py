"""Mail that comes in, in the administrator console."""

from collections import Counter

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from accounts.console import MAX_COUNT, ConsoleAdmin, ReadOnlyAdmin, capped, link_to
from accounts.models import User
from messaging.inbound import connecting, imap, ledger
from messaging.inbound.foreseeing import foresee
from messaging.inbound.forms import AgentAddressForm, MailboxForm, SenderRuleForm
from messaging.models import AgentAddress, Fate, InboundMail, Mailbox, SenderRule
from tickets.admin.own import WithoutOwnComplaints
from tickets.counting import CappedCount
from tickets.models import Ticket
from tickets.wording import when

MAX_FOUND = 500  # by words
MOST_NAMED = 20
# What the verbs that settle a mail are called.
SETTLING = {
    "retry": gettext_lazy("Process again"),
    "free": gettext_lazy("Let through"),
    "drop": gettext_lazy("Drop"),
}
# What they do to one mail, and to several.
CONSEQUENCES = {
    "retry": ngettext_lazy(
        "It is processed by the same rules as before.",
        "They are processed by the same rules as before.",
        "n",
    ),
    "free": ngettext_lazy(
        "What held it counts no more, as you have looked at it. Anything else may hold it again.",
        "What held them counts no more, as you have looked at them. Anything else may hold them "
        "again.",
        "n",
    ),
    "drop": ngettext_lazy(
        "Nothing more happens to it, unless somebody processes it again.",
        "Nothing more happens to them, unless somebody processes them again.",
        "n",
    ),
}
TWO_LINES = '{}<br><span class="ccr-meta">{}</span>'
STATE = ("polled", "last_problem", "on_server", "missing", "broken", "fates")


def _about(verb, mails) -> dict:
    """The question before a verb."""
    count = {"n": len(mails)}
    foreseen = foresee(mails[0]) if verb == "free" and len(mails) == 1 else ""
    several = ngettext("%(n)s mail", "%(n)s mails", len(mails)) % count
    return {
        "title": SETTLING[verb],
        "question": f"{SETTLING[verb]}: {mails[0] if len(mails) == 1 else several}",
        "words": foreseen or CONSEQUENCES[verb] % count,
        "yes": SETTLING[verb],
        "is_grave": verb == "drop",
    }


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

    @admin.display(description=gettext_lazy("can’t be fetched"))
    def broken(self, mailbox):
        uids = ", ".join(map(str, mailbox.broken_uids[:MOST_NAMED]))
        return f"UID {uids}" if uids else self.get_empty_value_display()

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
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only what was changed: a poll writes to the row as well, and so may another tab.
        changed = form.changed_fields
        if "is_active" in changed:
            obj.watched_since, obj.alarmed_at = timezone.now(), None
            changed += ["watched_since", "alarmed_at"]
        obj.save(update_fields=changed)
        if not set(Mailbox.PLACE).isdisjoint(changed):
            imap.begin_anew(obj)

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
        """Signs in and looks into the folders; fetches nothing."""
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
            found = imap.look(mailbox)
        except connecting.TROUBLE as trouble:
            problem = connecting.problem_in(trouble, mailbox)
            words = _("It does not work: %(problem)s") % {"problem": problem}
            self.message_user(request, words, messages.ERROR)
        else:
            words = ngettext("It works: %(n)s mail there.", "It works: %(n)s mails there.", found)
            self.message_user(request, words % {"n": found}, messages.SUCCESS)


@admin.register(InboundMail)
class InboundMailAdmin(WithoutOwnComplaints, ReadOnlyAdmin):
    """The ledger. ``raw`` is the mail as it came, to save; ``look`` shows its beginning as plain
    text. Both stand in the activity log."""

    verbs = ("look", "free", "retry", "drop", "raw")
    list_display = ("written", "became", "to_ticket", "received")
    list_filter = ("fate", "mailbox")
    list_select_related = ("ticket", "mailbox")
    sortable_by = ()
    search_fields = ("sender__startswith",)
    search_help_text = gettext_lazy(
        "A ticket’s number, or the beginning of the sender’s address. Of the newest 10,000 mails "
        "also a Message-ID, or words of the subject"
    )
    fields = (
        "received_at", "source", "mailbox", "sender", "subject", "message_id", "delivered_from",
        "delivered_to", "how_large", "became", "settled_at", "freed_by", "person", "ticket",
        "first",
    )  # fmt: skip
    actions = ("retry", "free", "drop")

    @admin.display(description=gettext_lazy("from, subject"))
    def written(self, mail):
        return format_html(TWO_LINES, mail.sender or _("nobody"), mail.subject or _("no subject"))

    @admin.display(description=gettext_lazy("what became of it"))
    def became(self, mail):
        fate, why = mail.get_fate_display(), self.why(mail)
        return format_html(TWO_LINES, fate, why) if why else fate

    @admin.display(description=gettext_lazy("ticket"))
    def to_ticket(self, mail):
        return link_to(mail.ticket)

    @admin.display(description=gettext_lazy("received"))
    def received(self, mail):
        return format_html(
            TWO_LINES, when(mail.received_at), mail.mailbox or mail.get_source_display()
        )

    def why(self, mail):
        return ": ".join(filter(None, [mail.get_reason_display(), mail.detail]))

    def get_search_results(self, request, queryset, search_term):
        """Only senders and tickets have an index. Of the rest so many are looked at as one would
        turn pages."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if ticket := Ticket.objects.filter(reference=term.upper()).first():
            return queryset.filter(ticket=ticket), False
        newest = InboundMail.objects.order_by("-pk").values("pk")[:MAX_COUNT]
        by_words = Q(subject__icontains=term) | Q(message_id=term)
        found = InboundMail.objects.filter(by_words, pk__in=newest)
        keys = list(found.values_list("pk", flat=True)[:MAX_FOUND])
        return queryset.filter(Q(sender__startswith=term.lower()) | Q(pk__in=keys)), False

    @admin.display(description=gettext_lazy("sender on the envelope"))
    def delivered_from(self, mail):
        if mail.envelope_from == "":
            return _("Nobody: a machine reports")
        return mail.envelope_from or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("delivered to"))
    def delivered_to(self, mail):
        return ", ".join(mail.envelope_to) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("size"))
    def how_large(self, mail):
        return filesizeformat(mail.size)

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            context["verbs"] = [(label, self.url_of(verb, obj)) for verb, label in self._verbs(obj)]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def _verbs(self, mail):
        """Of a mail that was removed by rule only its row is left."""
        if mail.raw:
            yield "look", _("Look at it")
            if mail.fate in ledger.FREEABLE and mail.reason not in ledger.NEVER_FREED:
                yield "free", SETTLING["free"]
            if mail.fate in ledger.RETRIABLE:
                yield "retry", SETTLING["retry"]
        if mail.fate in ledger.WAITING:
            yield "drop", SETTLING["drop"]
        if mail.raw:
            yield "raw", _("Download it as it came")

    def look_view(self, request, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = get_object_or_404(self.get_queryset(request).exclude(raw=""), pk=object_id)
        back = self.url_of("change", mail)
        if request.method != "POST":
            return self.ask(
                request,
                title=_("Look at it"),
                question=_("Look at the beginning of this mail?"),
                words=_("It is what somebody wrote to us. The activity log keeps that you saw it."),
                yes=_("Look at it"),
                back=back,
            )
        try:
            head, text = ledger.look(mail)
        except FileNotFoundError as gone:
            raise Http404 from gone
        self.log_change(request, mail, _("Looked at."))
        template, title = "admin/messaging/inboundmail/look.html", _("Beginning of the mail")
        return self.ask(request, template, title=title, mail=mail, head=head, text=text, back=back)

    def raw_view(self, request, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = get_object_or_404(self.get_queryset(request).exclude(raw=""), pk=object_id)
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

    @admin.action(description=SETTLING["retry"], permissions=["settle"])
    def retry(self, request, queryset):
        if mails := self.selected(request, queryset):
            self._settle(request, mails, "retry")

    @admin.action(description=gettext_lazy("Let through…"), permissions=["settle"])
    def free(self, request, queryset):
        return self._ask_and_settle(request, queryset, "free")

    @admin.action(description=gettext_lazy("Drop…"), permissions=["settle"])
    def drop(self, request, queryset):
        return self._ask_and_settle(request, queryset, "drop")

    def retry_view(self, request, object_id):
        return self._settle_one(request, object_id, "retry")

    def free_view(self, request, object_id):
        return self._settle_one(request, object_id, "free")

    def drop_view(self, request, object_id):
        return self._settle_one(request, object_id, "drop")

    def _settle_one(self, request, object_id, verb):
        if not self.has_settle_permission(request):
            raise PermissionDenied
        mail = get_object_or_404(self.get_queryset(request), pk=object_id)
        back = self.url_of("change", mail)
        if request.method == "POST":
            self._settle(request, [mail], verb)
            return redirect(back)
        return self.ask(request, **_about(verb, [mail]), back=back)

    def _ask_and_settle(self, request, queryset, verb):
        mails = self.selected(request, queryset)
        if mails and "answered" not in request.POST:
            back = request.get_full_path()
            return self.ask_for_all(request, mails, verb, **_about(verb, mails), back=back)
        if mails:
            self._settle(request, mails, verb)
        return None

    def _settle(self, request, mails, verb):
        """Say and record what became of each. What was not tried is not recorded."""
        chosen = InboundMail.objects.filter(pk__in=[mail.pk for mail in mails])
        if verb == "drop":
            settled = ledger.drop(chosen, by=request.user)
        else:
            settled = ledger.retry(chosen, by=request.user if verb == "free" else None)
        for mail in settled:
            became = ": ".join(filter(None, [mail.get_fate_display(), self.why(mail)]))
            self.log_change(request, mail, f"{SETTLING[verb]}. {became}")
        counts = Counter(mail.get_fate_display() for mail in settled)
        if left := len(mails) - len(settled):
            counts[_("Left as it was")] = left
        told = ", ".join(f"{fate}: {count}" for fate, count in counts.items())
        is_done = not left and all(mail.fate not in ledger.FREEABLE for mail in settled)
        level = messages.SUCCESS if is_done else messages.WARNING
        self.message_user(request, f"{SETTLING[verb]}. {told}", level)


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

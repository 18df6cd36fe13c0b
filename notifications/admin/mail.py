"""What was mailed to whom, what became of it, and what stops it. Facts to read, and three verbs:
"send again", "mail it again" and "try now"."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.console import ReadOnlyAdmin

from ..mail import bounces, circuit, outbox
from ..models import AddressTrouble, Circuit, OutgoingMail
from ..tasks import ring


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Never shows ``content``: it may hold a code."""

    list_display = [
        "email",
        "occasion",
        "ticket",
        "state",
        "tries",
        "due",
        "last_answer",
        "sent_at",
    ]
    list_filter = ["state"]
    list_select_related = ["ticket"]
    search_fields = ["email", "message_id"]
    fields = [
        "email",
        "recipient",
        "ticket",
        "occasion",
        "subject",
        "message_id",
        "state",
        "tries",
        "next_try_at",
        "last_answer",
        "created_at",
        "sent_at",
        "bounced_at",
    ]
    readonly_fields = ["occasion", "message_id"]
    actions = ["send_again"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("notifications")

    @admin.display(description=_("occasion"))
    def occasion(self, mail):
        kinds = [notification.get_kind_display() for notification in mail.notifications.all()]
        return ", ".join(map(str, kinds)) or mail.subject

    @admin.display(description=_("next try"), ordering="next_try_at")
    def due(self, mail):
        return mail.next_try_at if mail.state == OutgoingMail.State.OWED else None

    def has_retry_permission(self, request):
        return request.user.has_perm("notifications.retry_outgoingmail")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request, queryset):
        count = outbox.send_again(queryset)
        ring()
        words = ngettext("%(n)s mail is owed again.", "%(n)s mails are owed again.", count)
        self.message_user(
            request, words % {"n": count}, messages.SUCCESS if count else messages.WARNING
        )


@admin.register(AddressTrouble)
class AddressTroubleAdmin(ReadOnlyAdmin):
    list_display = ["email", "bounces", "last_bounced_at", "last_answer", "flagged_at"]
    list_filter = [("flagged_at", admin.EmptyFieldListFilter)]
    search_fields = ["email__startswith"]
    search_help_text = _("The beginning of an address")
    fields = list_display
    ordering = ["-last_bounced_at", "-pk"]
    actions = ["mail_again"]

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.lower())

    def has_lift_permission(self, request):
        return request.user.has_perm("notifications.lift_addresstrouble")

    @admin.action(description=_("Mail it again"), permissions=["lift"])
    def mail_again(self, request, queryset):
        emails = list(queryset.values_list("email", flat=True))
        for email in emails:
            bounces.mail_again(email)
        words = ngettext(
            "%(n)s address is mailed again.", "%(n)s addresses are mailed again.", len(emails)
        )
        self.message_user(request, words % {"n": len(emails)}, messages.SUCCESS)


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """Whether the mail server is talked to."""

    list_display = ["name", "opened_at", "next_try_at", "last_answer"]
    fields = list_display
    actions = ["try_now"]

    def has_try_permission(self, request):
        return request.user.has_perm("notifications.try_circuit")

    @admin.action(description=_("Try now"), permissions=["try"])
    def try_now(self, request, queryset):
        circuit.try_now()
        ring()
        words = _("One mail tries it now. Look here in a moment for what came of it.")
        self.message_user(request, words, messages.SUCCESS)

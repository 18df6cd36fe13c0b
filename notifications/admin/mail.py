"""What was mailed to whom, what became of it, and what stops it. Facts to read, and three verbs:
"send again", "mail it again" and "try now"."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from accounts.bells import ring
from accounts.console import ReadOnlyAdmin, link_to
from tickets.admin.own import WithoutOwnComplaints
from tickets.models import Ticket

from ..mail import bounces, circuit, outbox
from ..models import AddressTrouble, Circuit, OutgoingMail
from ..owed import SEND_MAIL
from .owed import OutcomeFilter, OwedAdmin, with_more


@admin.register(OutgoingMail)
class OutgoingMailAdmin(WithoutOwnComplaints, OwedAdmin):
    """Never shows ``content``: it may hold a code."""

    verbs = ["again"]
    list_display = ["to", "to_ticket", "became", "times_tried", "when"]
    list_filter = [OutcomeFilter]
    list_select_related = ["ticket"]
    search_fields = ["email__startswith"]
    search_help_text = _("A ticket’s number, the beginning of an address, or a Message-ID")
    fields = [
        "email",
        "recipient",
        "ticket",
        "occasion",
        "subject",
        "message_id",
        "outcome",
        "times_tried",
        "due",
        "last_answer",
        "created_at",
        "sent_at",
        "bounced_at",
    ]
    readonly_fields = ["occasion", "message_id", "outcome", "times_tried", "due"]
    actions = ["send_again"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("notifications")

    def get_search_results(self, request, queryset, search_term):
        """What an index finds."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if ticket := Ticket.objects.filter(reference=term.upper()).first():
            return queryset.filter(ticket=ticket), False
        is_named = Q(email__startswith=term.lower()) | Q(message_id=f"<{term.strip('<>')}>")
        return queryset.filter(is_named), False

    @admin.display(description=_("to"))
    def to(self, mail):
        return with_more(mail.email, mail.occasion)

    @admin.display(description=_("ticket"))
    def to_ticket(self, mail):
        return link_to(mail.ticket)

    @admin.display(description=_("occasion"))
    def occasion(self, mail):
        return mail.occasion

    def has_retry_permission(self, request):
        return request.user.has_perm("notifications.retry_outgoingmail")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def send_again(self, request, queryset):
        words = ngettext_lazy("%(n)s mail is owed again.", "%(n)s mails are owed again.", "n")
        mails = outbox.sayable(queryset)
        return self.owe_again(request, mails, outbox.send_again, SEND_MAIL, words)

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj and outbox.sayable(OutgoingMail.objects.filter(pk=obj.pk)).exists():
            context["verbs"] = [(_("Send again"), self.url_of("again", obj))]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def again_view(self, request, object_id):
        """The same from the page of one, which always asks."""
        if not self.has_retry_permission(request):
            raise PermissionDenied
        mails = self.get_queryset(request).filter(pk=object_id)
        mail = get_object_or_404(mails)
        if "answered" in request.POST:
            self.send_again(request, mails)
            return redirect(self.url_of("change", mail))
        sent = _("It was sent already, and goes out a second time.")
        return self.ask(
            request,
            title=_("Send again"),
            question=_("Send again: %(mail)s") % {"mail": mail},
            words=sent if mail.sent_at else "",
            yes=_("Send again"),
            hidden=[("answered", "yes")],
            back=self.url_of("change", mail),
        )


class FlagFilter(admin.SimpleListFilter):
    title = _("mail")
    parameter_name = "flagged"

    def lookups(self, request, model_admin):
        return [("yes", _("Gets no more")), ("no", _("Is still mailed"))]

    def queryset(self, request, queryset):
        if self.value() in ("yes", "no"):
            return queryset.filter(flagged_at__isnull=self.value() == "no")
        return queryset


@admin.register(AddressTrouble)
class AddressTroubleAdmin(ReadOnlyAdmin):
    list_display = ["email", "bounces", "last_bounced_at", "last_answer", "flagged_at"]
    list_filter = [FlagFilter]
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
        troubles = self.selected(request, queryset)
        if not troubles:
            return
        for trouble in troubles:
            with self.recorded(request, trouble, _("Mailed again.")):
                bounces.mail_again(trouble.email)
        words = ngettext(
            "%(n)s address is mailed again.", "%(n)s addresses are mailed again.", len(troubles)
        )
        self.message_user(request, words % {"n": len(troubles)}, messages.SUCCESS)


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """Whether the mail server is talked to."""

    show_full_result_count = True  # without a row there is nothing to try
    list_display = ["__str__", "opened_at", "next_try_at", "last_answer"]
    fields = ["opened_at", "next_try_at", "last_answer"]
    actions = ["try_now"]

    def has_try_permission(self, request):
        return request.user.has_perm("notifications.try_circuit")

    @admin.action(description=_("Try now"), permissions=["try"])
    def try_now(self, request, queryset):
        for stopped in queryset:
            with self.recorded(request, stopped, _("Tried now.")):
                circuit.try_now()
        ring(SEND_MAIL)
        words = _("A few mails try it now. Look here in a moment for what came of it.")
        self.message_user(request, words, messages.SUCCESS)

"""Webhooks: written, tried, switched on and off; and what each was told."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.console import ConsoleAdmin, ReadOnlyAdmin

from . import delivering, events
from .forms import WebhookForm
from .models import Webhook, WebhookDelivery
from .tasks import ring


@admin.register(Webhook)
class WebhookAdmin(ConsoleAdmin):
    form = WebhookForm
    verbs = ("test", "secret")
    change_form_template = "admin/notifications/webhook/change_form.html"
    list_display = ("name", "is_active", "url", "failing_since")
    list_filter = ("is_active",)
    ordering = ("name",)
    fields = ("name", "url", "events", "with_words", "is_active")

    def save_model(self, request, obj, form, change):
        if not change:
            request.new_secret = delivering.new_secret(obj)
            super().save_model(request, obj, form, change)
            return
        # Only what was changed: the worker writes to the row as well.
        obj.save(update_fields=form.changed_data)
        if "is_active" in form.changed_data:
            switch = delivering.switch_on if obj.is_active else delivering.switch_off
            switch(obj)

    def response_add(self, request, obj, post_url_continue=None):
        return self._shown_once(request, obj, request.new_secret)

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            deliveries = reverse("admin:notifications_webhookdelivery_changelist")
            context["verbs"] = [
                (_("Deliveries"), f"{deliveries}?webhook__id__exact={obj.pk}"),
                (_("Send a test"), self.url_of("test", obj)),
                (_("Make a new secret"), self.url_of("secret", obj)),
            ]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    # --- Verbs --------------------------------------------------------------

    def _webhook(self, request, pk):
        if not self.has_change_permission(request):
            raise PermissionDenied
        return get_object_or_404(Webhook, pk=pk)

    def test_view(self, request, object_id):
        webhook = self._webhook(request, object_id)
        if request.method == "POST":
            with self.recorded(request, webhook, _("Sent a test.")):
                events.owe_test(webhook)
            words = _("A test is on its way. Look here in a moment for what came of it.")
            self.message_user(request, words, messages.SUCCESS)
            deliveries = reverse("admin:notifications_webhookdelivery_changelist")
            return redirect(f"{deliveries}?webhook__id__exact={webhook.pk}")
        return self.ask(
            request,
            title=_("Send a test"),
            question=_("Send a test to “%(webhook)s”?") % {"webhook": webhook},
            words=_("It carries no ticket and no account."),
            yes=_("Send"),
            back=self.url_of("change", webhook),
        )

    def secret_view(self, request, object_id):
        webhook = self._webhook(request, object_id)
        if request.method == "POST":
            with self.recorded(request, webhook, _("Made a new secret.")):
                secret = delivering.new_secret(webhook)
                webhook.save(update_fields=["secret"])
            return self._shown_once(request, webhook, secret)
        return self.ask(
            request,
            title=_("Make a new secret"),
            question=_("Make a new secret for “%(webhook)s”?") % {"webhook": webhook},
            words=_("From then on the old one signs nothing."),
            yes=_("Make it"),
            back=self.url_of("change", webhook),
            is_grave=True,
        )

    def _shown_once(self, request, webhook, secret):
        """In the answer itself: what goes through a redirect would have to be kept readable."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The secret of a webhook"),
            "secret": secret,
            "back": self.url_of("change", webhook),
        }
        return TemplateResponse(request, "admin/notifications/webhook/secret.html", context)

    def has_delete_permission(self, request, obj=None):
        """Switched off it stays: its deliveries are on record."""
        return False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "webhook", "ticket", "state", "tries", "due", "last_answer", "sent_at")
    list_filter = ("state", "webhook")
    list_select_related = ("webhook", "line__ticket")
    search_fields = ("line__ticket__reference__startswith",)
    search_help_text = gettext_lazy("The number of a ticket, or the id of an event")
    fields = (
        "webhook", "event", "event_id", "ticket", "payload", "state", "tries", "next_try_at",
        "last_answer", "created_at", "sent_at",
    )  # fmt: skip
    readonly_fields = ("event_id", "ticket")
    actions = ("replay",)

    def get_queryset(self, request):
        """What others are told of an administrator's own complaint is not for them to read."""
        return super().get_queryset(request).exclude(line__ticket__requester=request.user)

    def get_search_results(self, request, queryset, search_term):
        try:
            return queryset.filter(event_id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term.upper())

    @admin.display(description=gettext_lazy("ticket"))
    def ticket(self, delivery):
        return delivery.line.ticket if delivery.line else ""

    @admin.display(description=gettext_lazy("next try"), ordering="next_try_at")
    def due(self, delivery):
        return delivery.next_try_at if delivery.state == WebhookDelivery.State.OWED else None

    def has_replay_permission(self, request):
        return request.user.has_perm("notifications.replay_webhookdelivery")

    @admin.action(description=gettext_lazy("Send again"), permissions=["replay"])
    def replay(self, request, queryset):
        count = delivering.replay(queryset)
        ring()
        words = ngettext("%(n)s delivery is owed again.", "%(n)s deliveries are owed again.", count)
        self.message_user(
            request, words % {"n": count}, messages.SUCCESS if count else messages.WARNING
        )

"""Webhooks: written, tried, switched on and off; and what each was told."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.console import ConsoleAdmin
from tickets.admin.own import WithoutOwnComplaints

from ..admin.owed import OwedAdmin
from ..owed import CALL_WEBHOOKS
from . import delivering, events
from .forms import WebhookForm
from .models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(ConsoleAdmin):
    form = WebhookForm
    verbs = ("test", "secret")
    list_display = ("name", "is_active", "url", "failing_since")
    list_filter = ("is_active",)
    ordering = ("name",)

    def get_fields(self, request, obj=None):
        return [*WebhookForm.Meta.fields, *self.get_readonly_fields(request, obj)]

    def get_readonly_fields(self, request, obj=None):
        return ["failing_since"] if obj else []

    def save_model(self, request, obj, form, change):
        if not change:
            delivering.new_secret(obj)
            super().save_model(request, obj, form, change)
            return
        # Only what was changed: the worker writes to the row as well, and so may another tab.
        obj.save(update_fields=form.changed_data)
        is_meant_off = not obj.is_active
        obj.refresh_from_db(fields=["is_active"])
        if obj.is_active and "is_active" in form.changed_data:
            delivering.switch_on(obj)
        elif is_meant_off and not obj.is_active:  # also if it had switched itself off
            delivering.switch_off(obj)

    def response_add(self, request, obj, post_url_continue=None):
        return self._to_secret(request, obj)

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
        if not webhook.is_active:
            words = _("Nothing is sent to “%(webhook)s” while it is off. Switch it on first.")
            self.message_user(request, words % {"webhook": webhook}, messages.WARNING)
            return redirect(self.url_of("change", webhook))
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
                delivering.new_secret(webhook)
                webhook.save(update_fields=["secret"])
            return self._to_secret(request, webhook)
        if request.session.pop(_shown_to(webhook), None) == webhook.secret:
            return self._shown_once(request, webhook)
        return self.ask(
            request,
            title=_("Make a new secret"),
            question=_("Make a new secret for “%(webhook)s”?") % {"webhook": webhook},
            words=_("A secret is shown only once. With the new one the old one ends at once."),
            yes=_("Make it"),
            back=self.url_of("change", webhook),
            is_grave=True,
        )

    def _to_secret(self, request, webhook):
        """Whoever made the secret may see it once, as long as it is the one that signs: the session
        says so with the sealed secret, and reloading the page makes no other."""
        request.session[_shown_to(webhook)] = webhook.secret
        return redirect(self.url_of("secret", webhook))

    def _shown_once(self, request, webhook):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The secret of a webhook"),
            "secret": delivering.secret_of(webhook),
            "back": self.url_of("change", webhook),
        }
        return TemplateResponse(request, "admin/notifications/webhook/secret.html", context)

    def has_delete_permission(self, request, obj=None):
        """Switched off it stays: its deliveries are on record."""
        return False


def _shown_to(webhook) -> str:
    """The session's key of who may see the new secret."""
    return f"webhook-secret-{webhook.pk}"


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(WithoutOwnComplaints, OwedAdmin):
    list_display = ("event", "webhook", "ticket", "became", "times_tried", "when")
    list_filter = ("state", "webhook")
    list_select_related = ("webhook", "line__ticket")
    search_fields = ("line__ticket__reference__startswith",)
    search_help_text = gettext_lazy("The number of a ticket, or the id of an event")
    fields = (
        "webhook", "event", "event_id", "ticket", "payload", "outcome", "times_tried", "due",
        "last_answer", "created_at", "sent_at",
    )  # fmt: skip
    readonly_fields = ("event_id", "ticket", "outcome", "times_tried", "due")
    actions = ("replay",)
    way_to_ticket = "line__ticket"

    def get_search_results(self, request, queryset, search_term):
        try:
            return queryset.filter(event_id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term.upper())

    @admin.display(description=gettext_lazy("ticket"))
    def ticket(self, delivery):
        return delivery.line.ticket if delivery.line else ""

    def has_replay_permission(self, request):
        return request.user.has_perm("notifications.replay_webhookdelivery")

    @admin.action(description=gettext_lazy("Send again"), permissions=["replay"])
    def replay(self, request, queryset):
        off = Webhook.objects.filter(is_active=False, deliveries__in=queryset.values("pk"))
        if names := ", ".join(off.distinct().values_list("name", flat=True)):
            words = _("Nothing is sent to what is switched off. Switch it on first: %(names)s")
            self.message_user(request, words % {"names": names}, messages.WARNING)
        told = ngettext_lazy(
            "%(n)s delivery is owed again.", "%(n)s deliveries are owed again.", "n"
        )
        on = queryset.filter(webhook__is_active=True)
        if on.exists():
            return self.owe_again(request, on, delivering.replay, CALL_WEBHOOKS, told)
        return None

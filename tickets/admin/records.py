"""What belongs to tickets: the catalogue can be changed, the records only looked at."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ConsoleAdmin, ReadOnlyAdmin
from accounts.models import User
from tickets.automation import rules
from tickets.models import (
    Attachment,
    CallRequest,
    Category,
    CategoryField,
    Expertise,
    FieldValue,
    Problem,
    Ticket,
    TicketEvent,
    Tombstone,
)
from tickets.promise import away

from .forms import CategoryForm
from .lines import readable_by


class ExpertiseInline(admin.StackedInline):
    """Of agents. What applicants offer stands beside their request."""

    model = Expertise
    extra = 1

    def get_queryset(self, request):
        return super().get_queryset(request).of_agents()

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "agent":
            kwargs["queryset"] = User.objects.agents()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class FieldForm(forms.ModelForm):
    class Meta:
        widgets = {"choices": forms.Textarea({"rows": 3})}


class FieldInline(admin.StackedInline):
    """The questions a category asks besides what every ticket has."""

    model = CategoryField
    form = FieldForm
    extra = 0

    def get_formset(self, request, obj=None, **kwargs):
        """Refuses in our words to remove what was answered: Django would list every answer."""
        formset = super().get_formset(request, obj, **kwargs)

        class Form(formset.form):
            def hand_clean_DELETE(self):
                if self.cleaned_data.get("DELETE") and self.instance.values.exists():
                    words = _("Tickets have answers to it. Make it inactive: it is asked no more")
                    raise ValidationError(words)

        formset.form = Form
        return formset


@admin.register(Category)
class CategoryAdmin(ConsoleAdmin):
    form = CategoryForm
    list_display = ("name", "parent", "team_name", "routing", "is_active", "position")
    list_select_related = ("parent",)
    ordering = ("position", "name")
    inlines = (FieldInline, ExpertiseInline)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "parent":
            itself = request.resolver_match.kwargs.get("object_id")
            above = Category.objects.filter(parent=None)
            kwargs["queryset"] = above.exclude(pk=unquote(itself)) if itself else above
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: away.forget(), robust=True)

    def delete_view(self, request, object_id, extra_context=None):
        """Asked here, as Django would list every ticket of the category."""
        category = self.get_object(request, unquote(object_id))
        if category is None or not self._is_in_use(category):
            return super().delete_view(request, object_id, extra_context)
        words = _("%(category)s is in use. Make it inactive, so that it is no longer offered.")
        self.message_user(request, words % {"category": category}, messages.ERROR)
        return redirect(self.url_of("change", category))

    def _is_in_use(self, category):
        return (
            Ticket.objects.filter(category=category).exists()
            or FieldValue.objects.filter(field__category=category).exists()
            or category.children.exists()
            or Problem.objects.filter(category=category).exists()
            or rules.is_named(category)
        )


class RecordAdmin(ReadOnlyAdmin):
    """Found by the number of its ticket."""

    search_help_text = gettext_lazy("The number of a ticket")

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.upper())


class LineAdmin(RecordAdmin):
    list_display = ("__str__", "kind", "actor", "audience", "at", "beginning")
    list_filter = ("kind", "audience")
    list_select_related = ("ticket", "actor")
    search_fields = ("ticket__reference__startswith",)
    fields = ("ticket", "number", "kind", "actor", "at", "audience", "text", "data", "digest")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(readable_by(request.user))

    @admin.display(description=gettext_lazy("words"))
    def beginning(self, line):
        return Truncator(line.text).chars(80)


@admin.register(TicketEvent)
class TicketEventAdmin(LineAdmin):
    pass


@admin.register(Attachment)
class AttachmentAdmin(RecordAdmin):
    list_display = ("name", "ticket", "content_type", "size", "uploader", "created_at")
    list_select_related = ("event__ticket", "uploader")
    ordering = ("-created_at",)
    search_fields = ("event__ticket__reference__startswith",)
    fields = (
        "name", "ticket", "content_type", "size", "uploader", "created_at", "sha256", "download",
    )  # fmt: skip
    readonly_fields = ("ticket", "download")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(readable_by(request.user, "event__"))

    @admin.display(description=gettext_lazy("ticket"))
    def ticket(self, attachment):
        return attachment.event and attachment.event.ticket

    @admin.display(description=gettext_lazy("file"))
    def download(self, attachment):
        if not attachment.event:
            return _("Not sent yet")
        return format_html('<a href="{}">{}</a>', attachment.get_absolute_url(), _("Download"))


@admin.register(Tombstone)
class TombstoneAdmin(RecordAdmin):
    list_display = ("reference", "event_count", "removed_at", "removed_by")
    list_select_related = ("removed_by",)
    search_fields = ("reference__startswith",)
    fields = ("reference", "event_count", "head_digest", "removed_at", "removed_by")


@admin.register(CallRequest)
class CallRequestAdmin(RecordAdmin):
    list_display = ("ticket", "phone", "wish", "asked_at", "called_at", "called_by")
    list_select_related = ("ticket", "called_by")
    search_fields = ("ticket__reference__startswith",)
    fields = ("ticket", "phone", "wish", "asked_at", "called_at", "called_by")

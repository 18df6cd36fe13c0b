"""What the pages of the administrator console have in common.

It stands in the leftmost app, so that the ``admin.py`` of every app may use it.
"""

from contextlib import contextmanager
from functools import cached_property

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.core.paginator import Paginator
from django.db import transaction
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

MAX_COUNT = 10_000  # nobody turns more pages
MAX_SELECTED = 100  # what one question may change


def capped(count: int, limit: int) -> str:
    """A figure that was counted no further than ``limit`` + 1: "57", "1,000+"."""
    return f"{limit:,}+" if count > limit else f"{count:,}"


def link_to(obj) -> str | None:
    """Where the console has ``obj``, if there is one: a cell of a list."""
    if obj is None:
        return None
    page = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', page, obj)


class CappedPaginator(Paginator):
    """Counts no further than a person would turn pages."""

    @cached_property
    def count(self):
        return self.object_list[: MAX_COUNT + 1].count()

    @property
    def shown_count(self):
        return capped(self.count, MAX_COUNT)


class BinFilter(admin.SimpleListFilter):
    """What is in the bin stays out of the list, until one asks for it."""

    title = gettext_lazy("bin")
    parameter_name = "bin"

    def lookups(self, request, model_admin):
        return [("only", _("In the bin"))]

    def queryset(self, request, queryset):
        return queryset.filter(deleted_at__isnull=self.value() != "only")

    def choices(self, changelist):
        everything, *rest = super().choices(changelist)
        return [everything | {"display": _("Not in the bin")}, *rest]


class ConsoleAdmin(admin.ModelAdmin):
    """Lists that cost the same however long they get, and verbs that ask before they act.

    Each of ``verbs`` is a page at ``<id>/<verb>/``, served by ``<verb>_view``.
    """

    verbs = ()
    list_title = None
    ordering = ("-pk",)
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    view_on_site = False

    def changelist_view(self, request, extra_context=None):
        title = self.list_title or capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_urls(self):
        return [*map(self._verb_route, self.verbs), *super().get_urls()]

    def _verb_route(self, verb):
        view = require_http_methods(["GET", "HEAD", "POST"])(getattr(self, f"{verb}_view"))
        return path(
            f"<int:object_id>/{verb}/",
            self.admin_site.admin_view(view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_{verb}",
        )

    def url_of(self, verb, obj=None):
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{verb}"
        return reverse(name, args=[obj.pk] if obj else [])

    @contextmanager
    def recorded(self, request, obj, words):
        """An action and its line in the activity log: both are kept, or neither."""
        with transaction.atomic():
            yield
            self.log_change(request, obj, words)

    def ask(self, request, template="admin/question.html", *, title, form=None, **context):
        """The page between a person and a verb."""
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": title,
                "form": form,
                "fields": form and AdminForm(form, _one_fieldset(form), {}, model_admin=self),
                "back": self.url_of("changelist"),
                **context,
            },
        )

    def selected(self, request, queryset):
        """The chosen rows, or None when there are too many for one question."""
        rows = list(queryset[: MAX_SELECTED + 1])
        if len(rows) <= MAX_SELECTED:
            return rows
        words = _("Choose at most %(n)s at once.") % {"n": MAX_SELECTED}
        self.message_user(request, words, messages.WARNING)
        return None

    def ask_for_all(self, request, rows, action, **context):
        """The same question for many; ``action`` runs again with the answer."""
        hidden = [(ACTION_CHECKBOX_NAME, row.pk) for row in rows]
        hidden += [("action", action), ("answered", "yes")]
        return self.ask(request, rows=rows, hidden=hidden, **context)

    def tell_outcome(self, request, done, refusals):
        """``done`` says what was done, if anything; ``refusals`` why the others were not."""
        if done:
            self.message_user(request, done, messages.SUCCESS)
        if refusals:
            words = _("%(n)s could not be: %(reasons)s") % {
                "n": len(refusals),
                "reasons": " ".join(refusals),
            }
            self.message_user(request, words, messages.ERROR)

    def to_dashboard(self):
        """Back to the dashboard, with the focus on what it has to say."""
        return redirect(reverse("admin:index") + "#messages")


def _one_fieldset(form):
    return [(None, {"fields": [field.name for field in form.visible_fields()]})]


class ReadOnlyAdmin(ConsoleAdmin):
    """Facts to look at. Nobody changes them here, superusers neither."""

    actions = None

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

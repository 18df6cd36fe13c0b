"""How far something got on its way, in the same columns for whatever goes out."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.bells import ring
from accounts.console import ReadOnlyAdmin

from ..owed import WRITTEN_TO, Outcome, Owed

State = Owed.State


def of_outcome(rows, outcome: str):
    """See also ``Owed.outcome``, for one."""
    now, is_file = timezone.now(), Q(last_answer__startswith=WRITTEN_TO)
    match outcome:
        case Outcome.OWED:
            return rows.filter(state=State.OWED).unleased(now)
        case Outcome.SENDING:
            return rows.filter(state=State.OWED, leased_until__gte=now)
        case Outcome.SENT:
            return rows.filter(~is_file, state=State.SENT)
        case Outcome.FILE:
            return rows.filter(is_file, state=State.SENT)
    return rows.filter(state=outcome)


class OutcomeFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return Outcome.choices

    def queryset(self, request, queryset):
        return of_outcome(queryset, self.value()) if self.value() in Outcome else queryset


def with_more(words, more):
    """A cell of a list: ``words``, and smaller below what belongs to them."""
    return format_html('{}<br><span class="ccr-meta">{}</span>', words, more) if more else words


class OwedAdmin(ReadOnlyAdmin):
    sortable_by = ()

    @admin.display(description=_("state, last answer"))
    def became(self, owed):
        return with_more(owed.outcome, owed.last_answer)

    @admin.display(description=_("state"))
    def outcome(self, owed):
        return owed.outcome

    @admin.display(description=_("tries"))
    def times_tried(self, owed):
        return owed.times_tried

    @admin.display(description=_("next try"))
    def due(self, owed):
        """In words: the page of one shows a moment as Python writes it, in UTC."""
        if owed.due_at is None:
            return self.get_empty_value_display()
        return localize(timezone.localtime(owed.due_at))

    @admin.display(description=_("sent, or next try"))
    def when(self, owed):
        return owed.sent_at or owed.due_at

    def owe_again(self, request, queryset, send_again, task, words):
        """The verb "send again": what was sent already only if they say so a second time. ``words``
        tell how many ``send_again`` has owed anew for the worker's ``task``, each with a line in
        the activity log."""
        chosen = self.selected(request, queryset)
        if chosen is None:
            return None
        sent = sum(each.state == State.SENT for each in chosen)
        if sent and "answered" not in request.POST:
            return self._ask_whether_again(request, chosen, sent)
        with transaction.atomic():
            count = send_again(self.model.objects.filter(pk__in=[each.pk for each in chosen]))
            for each in chosen:
                self.log_change(request, each, _("Sent again."))
        ring(task)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, words % {"n": count}, level)
        return None

    def _ask_whether_again(self, request, chosen, sent):
        words = ngettext(
            "%(n)s was sent already, and goes out a second time.",
            "%(n)s were sent already, and go out a second time.",
            sent,
        )
        return self.ask_for_all(
            request,
            chosen,
            request.POST["action"],
            title=_("Send again"),
            question=_("Send again what was sent already?"),
            words=words % {"n": sent},
            yes=_("Send again"),
            back=request.get_full_path(),
        )

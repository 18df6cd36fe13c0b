"""What people think: ratings and suggestions to look at, concerns as a queue to answer."""

from django.contrib import admin, messages
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import linebreaksbr
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import ReadOnlyAdmin
from tickets.improvement import feedback
from tickets.models import Concern, Feedback, Suggestion

from .filters import AboutFilter, GivenFilter, SettledFilter
from .forms import SettleForm
from .own import WithoutOwnComplaints
from .records import RecordAdmin


@admin.register(Feedback)
class FeedbackAdmin(RecordAdmin):
    list_display = ("ticket", "rating", "comment", "agent", "created_at")
    list_filter = (GivenFilter, "rating")
    list_select_related = ("ticket", "agent")
    search_fields = ("ticket__reference__startswith",)
    fields = (
        "ticket", "rating", "comment", "improvement", "agent", "created_at",
        "answer", "answered_by", "answered_at",
    )  # fmt: skip


@admin.register(Suggestion)
class SuggestionAdmin(FeedbackAdmin):
    """D3-4: the words of customers on what to improve."""

    list_display = ("ticket", "improvement", "rating", "created_at")
    list_select_related = ("ticket",)
    ordering = ("-created_at",)

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(improvement="")


@admin.register(Concern)
class ConcernAdmin(WithoutOwnComplaints, ReadOnlyAdmin):
    """D4-11: the oldest one that nobody has settled comes first."""

    verbs = ("settle",)
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ("beginning", "author", "ticket", "created_at")
    list_filter = (SettledFilter, AboutFilter)
    list_select_related = ("author", "ticket")
    fields = ("text", "author", "ticket", "created_at", "answer", "settled_by", "settled_at")

    def get_ordering(self, request):
        is_settled = request.GET.get(SettledFilter.parameter_name)
        return ("-pk",) if is_settled else ("created_at", "pk")

    @admin.display(description=gettext_lazy("concern"))
    def beginning(self, concern):
        return Truncator(concern.text).chars(80)

    def render_change_form(self, request, context, obj=None, **kwargs):
        links = [] if obj.settled_at else [(_("Answer and settle"), self.url_of("settle", obj))]
        return super().render_change_form(request, context | {"verbs": links}, obj=obj, **kwargs)

    def settle_view(self, request, object_id):
        rows = self.get_queryset(request).select_related("author", "ticket")
        concern = get_object_or_404(rows, pk=object_id)
        form = SettleForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._settle(request, concern, form.cleaned_data["answer"])
        return self.ask(
            request,
            title=_("Settle a concern"),
            question=_("Answer %(concern)s?") % {"concern": concern},
            facts=self._facts_of(concern),
            words=_("%(person)s will be told by email.") % {"person": concern.author},
            yes=_("Send the answer and settle it"),
            form=form,
        )

    def _facts_of(self, concern):
        heard = [(_("Heard on the ticket"), concern.ticket)] if concern.ticket else []
        return [
            (_("Raised by"), concern.author),
            (_("Raised"), concern.created_at),
            *heard,
            (_("Concern"), linebreaksbr(concern.text)),
        ]

    def _settle(self, request, concern, answer):
        try:
            with self.recorded(request, concern, _("Settled.")):
                feedback.settle(concern, by=request.user, answer=answer)
            words = _("%(concern)s is settled.") % {"concern": concern}
            self.message_user(request, words, messages.SUCCESS)
        except feedback.AlreadySettled as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return self.to_dashboard()

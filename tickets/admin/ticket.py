"""The ticket in the administrator console."""

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.console import BinFilter, ReadOnlyAdmin
from accounts.people import AccountRefusal
from tickets import actions
from tickets.fields import answer
from tickets.forms.details import DetailsForm
from tickets.forms.handling import ClassifyForm, MoveForm
from tickets.models import Ticket
from tickets.parties import requesters
from tickets.parties.caller_forms import OnBehalfForm
from tickets.promise.deadlines import why
from tickets.promise.promise_forms import PromiseForm
from tickets.wording import ago, by_when, when
from tickets.workflow import OURS, Part, TicketRefusal

from .assigning import AssignVerbs
from .binning import BinVerbs
from .filters import AgentFilter, DueFilter, StatusFilter, TagFilter
from .lines import readable_by, told

LINES_SHOWN = 100
NEWEST_SEARCHED = 20_000


@admin.register(Ticket)
class TicketAdmin(AssignVerbs, BinVerbs, ReadOnlyAdmin):
    verbs = (
        "move", "classify", "deadline", "details", *AssignVerbs.assign_verbs, *BinVerbs.bin_verbs,
    )  # fmt: skip
    actions = ("assign_selected",)
    change_form_template = "admin/tickets/ticket/facts.html"

    list_display = (
        "ticket", "requester", "assignee", "category", "status", "priority", "raised", "due",
    )  # fmt: skip
    list_filter = (
        StatusFilter, AgentFilter, DueFilter, "kind", "category",
        "priority", TagFilter, BinFilter,
    )  # fmt: skip
    list_select_related = ("requester", "assignee", "category")
    sortable_by = ("ticket", "raised")  # what an index can sort
    search_fields = ("reference",)  # see get_search_results
    search_help_text = gettext_lazy(
        "A number, a customer’s email address, or words of the subject of a newer ticket"
    )
    fields = (
        ("requester", "assignee"), ("kind", "category", "priority"), ("status", "resolution_kind"),
        ("created_at", "due_at"), ("last_event_at", "reopen_count"), "against",
        ("incident_on", "purchased_on"), "contact_phone", "tagged", "answered",
    )  # fmt: skip
    readonly_fields = flatten(fields)  # those that are never edited, too

    @admin.display(description=gettext_lazy("ticket"), ordering="reference")
    def ticket(self, ticket):
        number = '{}<br><span class="ccr-no">{}</span>'
        return format_html(number, ticket.subject, ticket.reference)

    @admin.display(description=gettext_lazy("raised"), ordering="created_at")
    def raised(self, ticket):
        return when(ticket.created_at)

    @admin.display(description=gettext_lazy("tags"))
    def tagged(self, ticket):
        return ", ".join(tag.name for tag in ticket.tags.all())

    @admin.display(description=gettext_lazy("details"))
    def answered(self, ticket):
        told = (f"{detail}: {detail.words}" for detail in ticket.details if detail.answer)
        return "\n".join(told)

    @admin.display(description=gettext_lazy("due"))
    def due(self, ticket):
        return ticket.due_at and by_when(ticket.due_at)

    def get_search_results(self, request, queryset, search_term):
        """Asks an index, or looks at the newest tickets only."""
        words = search_term.strip()
        if words.upper().startswith("CCR-"):  # also one that goes on in another
            return queryset.filter(reference__startswith=words.upper()), False
        queryset = queryset.filter(merged_into=None)
        if "@" in words:
            queryset = queryset.filter(requester__email__startswith=words.lower())
        elif words:
            last = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            queryset = queryset.filter(pk__gt=last - NEWEST_SEARCHED, subject__icontains=words)
        return queryset, False

    def render_change_form(self, request, context, obj=None, **kwargs):
        lines = obj.events.filter(readable_by(request.user)).select_related("actor")
        newest = list(lines.order_by("-number")[:LINES_SHOWN])
        return super().render_change_form(
            request,
            context
            | {
                "title": obj.reference,
                "subtitle": obj.subject,
                "lines": told(newest),
                "verbs": self._open_verbs(request, obj),
            },
            obj=obj,
            **kwargs,
        )

    def _open_verbs(self, request, ticket):
        """What may be done with ``ticket`` now, as links."""
        if ticket.requester_id == request.user.pk:
            return []
        if ticket.merged_into_id:
            return [(_("Open in the workspace"), ticket.workspace_url)]
        if ticket.deleted_at:
            return [
                (_("Restore"), self.url_of("restore", ticket)),
                (_("Remove for good"), self.url_of("remove", ticket)),
            ]
        verbs = [
            (_("Assign"), "assign", ticket.is_live),
            (_("Move"), "move", ticket.next_statuses(request.user)),
            (_("Kind, priority, category, tags"), "classify", True),
            (_("Details"), "details", ticket.details),
            (_("Deadline"), "deadline", ticket.status in OURS),
            (_("Delete"), "bin", True),
        ]
        return [(_("Open in the workspace"), ticket.workspace_url)] + [
            (label, self.url_of(verb, ticket)) for label, verb, is_open in verbs if is_open
        ]

    def _ticket_to_handle(self, request, pk):
        """404 for what is not there, 403 for the administrator's own complaint."""
        ticket = get_object_or_404(Ticket.objects.present().with_people(), pk=pk)
        if ticket.part_of(request.user) != Part.ADMIN:
            raise PermissionDenied
        return ticket

    def _facts(self, ticket):
        """What one must know of a ticket to decide about it."""
        return [
            (_("Ticket"), ticket.subject),
            (_("Customer"), ticket.requester),
            (_("Priority"), ticket.get_priority_display()),
            (_("Status"), ticket.get_status_display()),
            (_("Agent"), ticket.assignee or _("Nobody")),
            (_("Waiting"), ago(ticket.created_at)),
        ]

    # --- For a customer -------------------------------------------------

    def has_add_permission(self, request):
        return request.user.has_perm("tickets.raise_for_others")

    def add_view(self, request, form_url="", extra_context=None):
        """D2-5: a ticket of somebody who called or came by."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OnBehalfForm(request.POST or None, by=request.user)
        if form.is_valid() and (ticket := self._raise(request, form)):
            self.message_user(request, _("%(ticket)s is raised.") % {"ticket": ticket})
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Raise a ticket for a customer"),
            question=_("What did they tell you?"),
            words=_("They are told by email, and find the ticket among their own."),
            form=form,
            rows=form.told_before,
            hidden=[("asked", form.asked), ("told_before", form.pointed_out)],
            yes=_("Raise the ticket"),
        )

    def _raise(self, request, form):
        try:
            with transaction.atomic():
                ticket = requesters.raise_for(by=request.user, **form.told)
                words = _("Raised for %(name)s.") % {"name": ticket.requester}
                self.log_addition(request, ticket, words)
        except AccountRefusal as refusal:  # since the form looked
            form.add_error(None, str(refusal))
            return None
        return ticket

    # --- What is changed about it ---------------------------------------

    def move_view(self, request, object_id):
        ticket = self._ticket_to_handle(request, object_id)
        form = MoveForm(request.POST or None, ticket=ticket, by=request.user)
        if form.is_valid() and self._move(request, ticket, form):
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Move a ticket"),
            question=_("Where should %(ticket)s go?") % {"ticket": ticket},
            facts=self._facts(ticket),
            form=form,
            yes=_("Move"),
            back=self.url_of("change", ticket),
        )

    def _move(self, request, ticket, form) -> bool:
        to = form.cleaned_data["status"]
        words = _("Moved to %(status)s.") % {"status": to.label}
        try:
            with self.recorded(request, ticket, words):
                actions.change_status(ticket, to, by=request.user, **form.move)
        except TicketRefusal as refusal:
            form.refuse(refusal)
            return False
        self.message_user(request, _("%(ticket)s was moved.") % {"ticket": ticket})
        return True

    def classify_view(self, request, object_id):
        ticket = self._ticket_to_handle(request, object_id)
        # The form writes into its instance, the action wants the ticket as it stands.
        form = ClassifyForm(request.POST or None, instance=Ticket.objects.get(pk=ticket.pk))
        if form.is_valid() and not form.has_changed():
            return redirect(self.url_of("change", ticket))
        if form.is_valid():
            with self.recorded(request, ticket, _("Kind, priority, category or tags changed.")):
                actions.classify(ticket, by=request.user, **form.cleaned_data)
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Kind, priority, category, tags"),
            question=_("What is %(ticket)s about, and how urgent is it?") % {"ticket": ticket},
            form=form,
            yes=_("Save"),
            back=self.url_of("change", ticket),
        )

    def details_view(self, request, object_id):
        """The answers to what the category asks besides."""
        ticket = self._ticket_to_handle(request, object_id)
        form = DetailsForm(request.POST or None, ticket=ticket)
        if form.is_valid() and self._answer(request, ticket, form):
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Details"),
            question=_("What is known about %(ticket)s?") % {"ticket": ticket},
            facts=self._facts(ticket),
            form=form,
            yes=_("Save"),
            back=self.url_of("change", ticket),
        )

    def _answer(self, request, ticket, form) -> bool:
        try:
            with self.recorded(request, ticket, _("Details changed.")):
                answer(ticket, by=request.user, answers=form.answers)
        except TicketRefusal as refusal:
            form.add_error(None, str(refusal))
            return False
        return True

    def deadline_view(self, request, object_id):
        """D1-15: why the answer is due when it is, and another time for it."""
        ticket = self._ticket_to_handle(request, object_id)
        form = PromiseForm(request.POST or None, initial={"to": ticket.due_at})
        if form.is_valid() and self._move_promise(request, ticket, form):
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Deadline"),
            question=_("By when should %(ticket)s be answered?") % {"ticket": ticket},
            facts=list(enumerate(why(ticket), 1)),
            words=_("%(name)s is told by email.") % {"name": ticket.requester.get_short_name()},
            form=form,
            yes=_("Promise another time"),
            back=self.url_of("change", ticket),
        )

    def _move_promise(self, request, ticket, form) -> bool:
        try:
            with self.recorded(request, ticket, _("Promised for another time.")):
                actions.move_promise(ticket, by=request.user, **form.cleaned_data)
        except TicketRefusal as refusal:
            form.add_error(None, str(refusal))
            return False
        return True

"""The ticket in the administrator console."""

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.console import BinFilter, ReadOnlyAdmin
from accounts.people import AccountRefusal
from tickets import actions, removal
from tickets.detail_forms import DetailsForm
from tickets.fields import answer
from tickets.forms import ClassifyForm, MoveForm
from tickets.models import Ticket
from tickets.parties import requesters
from tickets.parties.caller_forms import OnBehalfForm
from tickets.promise.deadlines import why
from tickets.promise.promise_forms import PromiseForm
from tickets.wording import ago, by_when, when
from tickets.workflow import OURS, Part, TicketRefusal

from .filters import AgentFilter, DueFilter, StatusFilter, TagFilter
from .forms import AssignForm, AssignManyForm
from .lines import readable_by, told

LINES_SHOWN = 100
NEWEST_SEARCHED = 20_000


def _facts(ticket):
    """What one must know of a ticket to decide about it."""
    return [
        (_("Ticket"), ticket.subject),
        (_("Customer"), ticket.requester),
        (_("Priority"), ticket.get_priority_display()),
        (_("Status"), ticket.get_status_display()),
        (_("Agent"), ticket.assignee or _("Nobody")),
        (_("Waiting"), ago(ticket.created_at)),
    ]


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    verbs = ("assign", "move", "classify", "deadline", "details", "bin", "restore", "remove")
    actions = ("assign_selected",)
    change_form_template = "admin/tickets/ticket/facts.html"

    list_display = (
        "number", "subject", "requester", "assignee", "category",
        "status", "priority", "raised", "due",
    )  # fmt: skip
    list_display_links = ("number", "subject")
    list_filter = (
        StatusFilter, AgentFilter, DueFilter, "kind", "category",
        "priority", TagFilter, BinFilter,
    )  # fmt: skip
    list_select_related = ("requester", "assignee", "category")
    sortable_by = ("number", "raised")  # what an index can sort
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

    @admin.display(description=gettext_lazy("number"), ordering="reference")
    def number(self, ticket):
        return format_html('<span class="ccr-no">{}</span>', ticket.reference)

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

    def has_assign_permission(self, request):
        return request.user.has_perm("tickets.assign_ticket")

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

    # --- Assign ---------------------------------------------------------

    def assign_view(self, request, object_id):
        """First which agent, then whether really."""
        ticket = self._ticket_to_handle(request, object_id)
        typed = request.POST or ("agent" in request.GET and request.GET) or None
        form = AssignForm(typed, tickets=[ticket], initial={"seen": ticket.assignee_id})
        if not form.is_valid():
            return self.ask(
                request,
                title=_("Assign a ticket"),
                question=_("Who should have %(ticket)s?") % {"ticket": ticket},
                facts=_facts(ticket),
                form=form,
                method="get",
                yes=_("Go on"),
            )
        chosen = form.cleaned_data["agent"]
        if request.method == "POST":
            self._assign(request, ticket, chosen.agent, form.cleaned_data["seen"])
            return self.to_dashboard()
        return self._really_assign(request, ticket, chosen)

    def _really_assign(self, request, ticket, chosen):
        load = _("%(open)s open, %(today)s due today") % {
            "open": chosen.load,
            "today": chosen.agent.due_today_count,
        }
        names = {"agent": chosen.agent, "ticket": ticket}
        first_names = {
            "agent": chosen.agent.get_short_name(),
            "customer": ticket.requester.get_short_name(),
        }
        return self.ask(
            request,
            title=_("Assign a ticket"),
            question=_("Do you really want to assign the agent for this ticket?"),
            answer=_("%(ticket)s goes to %(agent)s") % names,
            facts=[
                *_facts(ticket),
                (_("%(agent)s has") % first_names, load),
                (_("Why %(agent)s") % first_names, chosen.reasons(ticket)),
            ],
            words=_("%(agent)s and %(customer)s will both be told by email.") % first_names,
            hidden=[("agent", chosen.agent.pk), ("seen", ticket.assignee_id or "")],
            yes=_("Yes, assign to %(agent)s") % names,
            back=reverse("admin:index"),
        )

    def _assign(self, request, ticket, agent, seen):
        names = {"ticket": ticket, "agent": agent}
        if refusal := self._refusal_to_assign(request, ticket, agent, seen):
            self.message_user(request, refusal, messages.ERROR)
        else:
            words = _("%(ticket)s is assigned to %(agent)s.") % names
            self.message_user(request, words, messages.SUCCESS)

    def _refusal_to_assign(self, request, ticket, agent, seen) -> str:
        """Assigns, or says why not. ``seen`` is who had it when the question was asked."""
        ticket.assignee_id = seen
        try:
            with self.recorded(request, ticket, _("Assigned to %(agent)s.") % {"agent": agent}):
                actions.assign(ticket, to=agent, by=request.user)
        except TicketRefusal as refusal:
            return str(refusal)
        except PermissionDenied:
            return _("%(ticket)s is not yours to assign.") % {"ticket": ticket}
        return ""

    @admin.action(description=gettext_lazy("Assign…"), permissions=["assign"])
    def assign_selected(self, request, queryset):
        tickets = self.selected(request, queryset.select_related("category"))
        if tickets is None:
            return None
        form = AssignManyForm(
            request.POST if "answered" in request.POST else None,
            tickets=tickets,
        )
        if form.is_valid():
            self._assign_all(request, tickets, form)
            return redirect(request.get_full_path())
        question = ngettext(
            "Do you really want to assign the agent for this ticket?",
            "Do you really want to assign the agent for these %(n)s tickets?",
            len(tickets),
        )
        return self.ask_for_all(
            request,
            tickets,
            "assign_selected",
            title=_("Assign tickets"),
            question=question % {"n": len(tickets)},
            form=form,
            yes=_("Yes, assign them"),
        )

    def _assign_all(self, request, tickets, form):
        agent = form.cleaned_data["agent"].agent
        refusals = [
            self._refusal_to_assign(request, ticket, agent, form.seen_of(ticket))
            for ticket in tickets
        ]
        refusals = [refusal for refusal in refusals if refusal]
        count = len(tickets) - len(refusals)
        self.tell_outcome(request, count and _("%(n)s assigned.") % {"n": count}, refusals)

    # --- Other verbs ----------------------------------------------------

    def move_view(self, request, object_id):
        ticket = self._ticket_to_handle(request, object_id)
        form = MoveForm(request.POST or None, ticket=ticket, by=request.user)
        if form.is_valid() and self._move(request, ticket, form):
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Move a ticket"),
            question=_("Where should %(ticket)s go?") % {"ticket": ticket},
            facts=_facts(ticket),
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
            facts=_facts(ticket),
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

    def bin_view(self, request, object_id):
        ticket = self._ticket_to_handle(request, object_id)
        if request.method == "POST":
            with self.recorded(request, ticket, _("Deleted.")):
                actions.bin_ticket(ticket, by=request.user)
            self.message_user(request, _("%(ticket)s is in the bin.") % {"ticket": ticket})
            return redirect(self.url_of("changelist"))
        return self.ask(
            request,
            title=_("Delete a ticket"),
            question=_("Delete %(ticket)s?") % {"ticket": ticket},
            facts=_facts(ticket),
            words=_("It leaves every list. Nothing is lost: it can be restored from the bin."),
            yes=_("Yes, delete %(ticket)s") % {"ticket": ticket},
            is_grave=True,
            back=self.url_of("change", ticket),
        )

    def restore_view(self, request, object_id):
        ticket = get_object_or_404(Ticket.objects.with_people(), pk=object_id)
        if ticket.requester_id == request.user.pk:
            raise PermissionDenied
        if request.method == "POST":
            with self.recorded(request, ticket, _("Restored.")):
                actions.restore_ticket(ticket, by=request.user)
            self.message_user(request, _("%(ticket)s is back.") % {"ticket": ticket})
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Restore a ticket"),
            question=_("Restore %(ticket)s?") % {"ticket": ticket},
            facts=_facts(ticket),
            yes=_("Yes, restore %(ticket)s") % {"ticket": ticket},
            back=self.url_of("change", ticket),
        )

    def remove_view(self, request, object_id):
        ticket = get_object_or_404(Ticket.objects.with_people(), pk=object_id)
        if ticket.requester_id == request.user.pk:
            raise PermissionDenied
        refusal = removal.refusal_for(ticket)
        if request.method == "POST" and not refusal:
            with self.recorded(request, ticket, _("Removed for good.")):
                removal.remove_for_good(ticket, by=request.user)
            self.message_user(request, _("%(ticket)s is gone for good.") % {"ticket": ticket})
            return redirect(self.url_of("changelist"))
        if refusal:
            self.message_user(request, refusal, messages.ERROR)
            return redirect(self.url_of("change", ticket))
        return self.ask(
            request,
            title=_("Remove a ticket for good"),
            question=_("Remove %(ticket)s for good?") % {"ticket": ticket},
            facts=_facts(ticket) + [(_("And"), each) for each in ticket.merged.all()],
            words=_(
                "Everything that was said, every file and every mail about it goes. This can’t be "
                "undone. What stays is the number, and proof that the history was removed."
            ),
            yes=_("Yes, remove %(ticket)s for good") % {"ticket": ticket},
            is_grave=True,
            back=self.url_of("change", ticket),
        )

"""Which agent has which tickets, decided by an administrator."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tickets import actions
from tickets.workflow import TicketRefusal

from .forms import AssignForm, AssignManyForm


class AssignVerbs:
    """For the console's page and list of tickets."""

    assign_verbs = ("assign",)

    def has_assign_permission(self, request):
        return request.user.has_perm("tickets.assign_ticket")

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
                facts=self._facts(ticket),
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
                *self._facts(ticket),
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

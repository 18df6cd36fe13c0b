"""Taking a ticket out of every list, back again, and away for good."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from tickets import actions, removal
from tickets.models import Ticket


class BinVerbs:
    """For the console's page of a ticket. Each verb asks before it acts."""

    bin_verbs = ("bin", "restore", "remove")

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
            facts=self._facts(ticket),
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
            facts=self._facts(ticket),
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
            facts=self._facts(ticket) + [(_("And"), each) for each in ticket.merged.all()],
            words=_(
                "Everything that was said, every file and every mail about it goes. This can’t be "
                "undone. What stays is the number, and proof that the history was removed."
            ),
            yes=_("Yes, remove %(ticket)s for good") % {"ticket": ticket},
            is_grave=True,
            back=self.url_of("change", ticket),
        )

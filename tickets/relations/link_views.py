"""Tickets that belong together: linking, merging, splitting, and undoing each."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ..asking import act_on, ask, find_handled, posted
from ..models import LinkKind
from ..workflow import HANDLERS, TicketRefusal
from . import links, merging, splitting
from .link_forms import LinkForm, MergeForm, SplitForm


def _asked(request, ticket, form, title, fragment, do):
    """The form until it is right, with the reason beside its first field when ``do`` is refused;
    then the page that ``do`` gives back."""
    if form.is_valid():
        try:
            return do(form.cleaned_data)
        except TicketRefusal as refusal:
            ticket.refresh_from_db()  # as it is: what was refused was undone in the table only
            form.add_error(next(iter(form.fields)), str(refusal))
    return ask(request, ticket, form, title, fragment)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.link_ticket", raise_exception=True)
def link(request, reference):
    ticket = find_handled(request, reference)
    form = LinkForm(posted(request), ticket=ticket, by=request.user, auto_id="link_%s")

    def do(told):
        links.link(ticket, to=told["number"], kind=told["kind"], by=request.user)
        messages.success(request, _("Linked"))
        return redirect(ticket.workspace_url)

    return _asked(request, ticket, form, _("Link it"), "workspace/_link.html", do)


@require_POST
@permission_required("tickets.link_ticket", raise_exception=True)
def unlink(request, reference, link_id):
    ticket = find_handled(request, reference)
    found = links.at(ticket).filter(pk=link_id).first()

    def act(_ticket):
        if found is None:  # perhaps by the first of two clicks
            raise TicketRefusal(_("This link was removed already."))
        links.unlink(found, by=request.user)
        return _("The link is removed.")

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.link_ticket", raise_exception=True)
def merge(request, reference):
    ticket = find_handled(request, reference)
    form = MergeForm(posted(request), ticket=ticket, by=request.user, auto_id="merge_%s")

    def do(told):
        into = told["number"]
        if into.part_of(request.user) not in HANDLERS:
            raise TicketRefusal(_("You do not work on %(ticket)s.") % {"ticket": into})
        merging.merge(ticket, into=into, by=request.user)
        messages.success(request, _("%(ticket)s goes on here.") % {"ticket": ticket})
        return redirect(into.workspace_url)

    return _asked(request, ticket, form, _("Merge it"), "workspace/_merge.html", do)


@require_POST
@permission_required("tickets.link_ticket", raise_exception=True)
def unmerge(request, reference):
    find_handled(request, reference)

    def act(ticket):
        merging.unmerge(ticket, by=request.user)
        return _("%(ticket)s is on its own again.") % {"ticket": ticket}

    return act_on(request, reference, act)


@require_http_methods(["GET", "POST"])
@permission_required("tickets.link_ticket", raise_exception=True)
def split(request, reference):
    ticket = find_handled(request, reference)
    said = splitting.splittable_lines(ticket)
    initial = {"category": ticket.category_id}
    form = SplitForm(posted(request), lines=said, initial=initial, auto_id="split_%s")

    def do(told):
        new = splitting.split(ticket, by=request.user, **told)
        messages.success(request, _("%(ticket)s is raised.") % {"ticket": new})
        return redirect(new.workspace_url if new.part_of(request.user) else ticket.workspace_url)

    return _asked(request, ticket, form, _("Split it"), "workspace/_split.html", do)


@require_POST
@permission_required("tickets.link_ticket", raise_exception=True)
def unsplit(request, reference, link_id):
    ticket = find_handled(request, reference)
    found = links.at(ticket).filter(pk=link_id, kind=LinkKind.SPLIT).first()

    def act(_ticket):
        if found is None:
            raise TicketRefusal(_("This was undone already."))
        splitting.unsplit(found, by=request.user)
        return _("%(ticket)s is back where it came from.") % {"ticket": found.ticket}

    return act_on(request, reference, act)

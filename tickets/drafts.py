"""Which draft a person is writing. Visitors keep its key in their session."""

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from accounts import limits

from .models import TicketDraft

SESSION_KEY = "ticket_draft"


def current(request) -> TicketDraft | None:
    """The draft that this person or visitor touched last."""
    if request.user.is_authenticated:
        return request.user.ticket_drafts.order_by("-updated_at").first()
    key = request.session.get(SESSION_KEY)
    return TicketDraft.objects.filter(key=key, owner=None).first() if key else None


def start(request) -> TicketDraft:
    """The current draft, or a new one. Raises Limited when an address begins very many."""
    draft = current(request)
    if draft is None:
        owner = request.user if request.user.is_authenticated else None
        limits.take(limits.bucket("ticket_draft", limits.address_of(request)))
        draft = TicketDraft.objects.create(owner=owner)
        if owner is None:
            request.session[SESSION_KEY] = str(draft.key)
    return draft


@receiver(user_logged_in)
def give_the_draft_to_its_writer(sender, request, user, **kwargs):
    """What a visitor wrote before signing in is theirs afterwards."""
    if key := request.session.pop(SESSION_KEY, None):
        for draft in TicketDraft.objects.filter(key=key, owner=None):
            draft.owner = user
            draft.save()

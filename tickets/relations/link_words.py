"""The lines that name another ticket, as sentences. ``line.other`` is its number."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import LinkKind, TicketEvent
from .links import SEEN_FROM_THE_OTHER

Kind = TicketEvent.Kind

NAMES_ANOTHER = (Kind.LINKED, Kind.UNLINKED, Kind.MERGED, Kind.UNMERGED, Kind.SPLIT)

# On the ticket the line calls "from", and on the one it calls "to".
SENTENCES = {
    Kind.LINKED: (gettext_lazy("%(name)s linked this: %(how)s %(other)s."),) * 2,
    Kind.UNLINKED: (gettext_lazy("%(name)s removed a link: %(how)s %(other)s."),) * 2,
    Kind.MERGED: (
        gettext_lazy("%(name)s merged this ticket into %(other)s."),
        gettext_lazy("%(name)s merged %(other)s into this ticket."),
    ),
    Kind.UNMERGED: (gettext_lazy("%(name)s undid the merging with %(other)s."),) * 2,
    Kind.SPLIT: (gettext_lazy("%(name)s made a ticket of its own of part of this: %(other)s."),)
    * 2,
}


def others_in(line) -> list[int]:
    """The keys of the tickets that ``line`` names besides its own: one, or none."""
    if line.kind not in NAMES_ANOTHER:
        return []
    return [pk for pk in (line.data["from"], line.data["to"]) if pk != line.ticket_id]


def joined_words(line) -> str:
    """What was linked, merged or split, read from the ticket of ``line``."""
    is_other_end = line.data["from"] != line.ticket_id
    how = ""
    if kind := line.data.get("link"):
        how = SEEN_FROM_THE_OTHER[kind] if is_other_end else LinkKind(kind).label
    return SENTENCES[line.kind][is_other_end] % {
        "name": line.actor or _("The registry"),
        "how": str(how).lower(),
        "other": line.other or _("a ticket that is gone"),
    }

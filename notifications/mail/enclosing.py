"""The files that go with a mail: those of staff, to people who have no page to fetch them from."""

from accounts.models import Role
from tickets.models import Attachment

from .facts import lives_in_mailbox

# Together; in a mail they take a third more, and many servers take no mail above 10 MB.
MOST_BYTES = 7 * 1000 * 1000


def files_for(things: list[dict]) -> list[Attachment]:
    """Of the lines that a mail to somebody without an account tells of, as many as fit. Those of
    customers never travel by mail: they stay on the ticket's page."""
    lines = [each["event"].pk for each in things if _is_to_carry(each)]
    if not lines:
        return []
    files, room = [], MOST_BYTES
    for file in Attachment.objects.filter(event__in=lines).order_by("event", "created_at"):
        if file.size <= room and file.file.storage.exists(file.file.name):
            files.append(file)
            room -= file.size
    return files


def _is_to_carry(facts) -> bool:
    if not facts.get("file_count") or not lives_in_mailbox(facts["person"]):
        return False
    writer = facts["event"].actor
    return writer is not None and writer.role != Role.CUSTOMER

"""What is stored here is marked as read on its server, or moved. Nothing else there is touched: a
bare EXPUNGE, as ``imap_tools`` sends it, removes whatever anybody marked as deleted."""

from imap_tools import BaseMailBox
from imap_tools.errors import MailboxCopyError, MailboxFlagError, MailboxMoveError
from imap_tools.utils import check_command_status, encode_folder

from accounts.faults import fault
from messaging.models import Mailbox

AT_ONCE = 200


def tidy(mailbox: Mailbox, box: BaseMailBox, stored) -> None:
    """Of the rows ``stored``, those that are not tidied yet. Raises TROUBLE."""
    able, folder = _abilities(mailbox, box), encode_folder(mailbox.move_to)
    untidy = stored.filter(is_tidied=False).order_by("uid").values_list("uid", flat=True)
    while uids := list(untidy[:AT_ONCE]):
        named = ",".join(map(str, uids))
        if not mailbox.move_to:
            _ask(box, MailboxFlagError, "STORE", named, "+FLAGS.SILENT", r"(\Seen)")
        elif "MOVE" in able:
            _ask(box, MailboxMoveError, "MOVE", named, folder)
        else:
            _ask(box, MailboxCopyError, "COPY", named, folder)
        fault("after_inbound_tidy")
        stored.filter(uid__in=uids).update(is_tidied=True)
        if mailbox.move_to and "MOVE" not in able:
            _remove(box, named, able)


def _abilities(mailbox, box) -> list[str]:
    """Asked after the sign-in: before it many servers name but a few."""
    if not mailbox.move_to:
        return []
    return box.client.capability()[1][-1].decode().upper().split()


def _remove(box, named, able):
    """After the rest, as what a server refuses to remove would be copied with each poll. Marked as
    deleted is enough for us, where the server can't remove these alone."""
    _ask(box, MailboxFlagError, "STORE", named, "+FLAGS.SILENT", r"(\Deleted)")
    if "UIDPLUS" in able:
        box.client.uid("EXPUNGE", named)


def _ask(box, error, command, *args):
    check_command_status(box.client.uid(command, *args), error)

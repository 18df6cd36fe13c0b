"""What servers answer to a FETCH beside what was asked."""

from unittest.mock import Mock

import pytest
from imap_tools.errors import MailboxFetchError

from messaging.inbound.imap import _part_of, _size_of

pytestmark = pytest.mark.plan("SEC-P3")

ASKED = [(b"3 (UID 3 BODY[] {4}", b"ours"), b")"]
NAMED_BELOW = [(b"3 (BODY[] {4}", b"ours"), b" UID 3)"]
OTHER = [(b"4 (UID 4 BODY[] {5}", b"other"), b")"]
OTHER_NAMED_BELOW = [(b"4 (BODY[] {5}", b"other"), b" UID 4)"]
FLAGS = [b"4 (UID 4 FLAGS (\\Seen))"]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (ASKED, b"ours"),
        ([*OTHER, *ASKED], b"ours"),
        ([*ASKED, *OTHER], b"ours"),
        ([*OTHER_NAMED_BELOW, *NAMED_BELOW], b"ours"),
        ([*FLAGS, *ASKED, *FLAGS], b"ours"),
        ([(b"3 (BODY[] {4}", b"ours"), b")"], b"ours"),
        (OTHER, None),
        ([None], None),
    ],
)
def test_only_the_mail_that_was_asked_for_is_taken(answer, found):
    box = Mock()
    box.client.uid.return_value = ("OK", answer)

    assert _part_of(box, 3, "BODY.PEEK[]") == found


@pytest.mark.parametrize("ask", [_size_of, lambda box, uid: _part_of(box, uid, "BODY.PEEK[]")])
def test_a_mail_that_is_refused_is_not_taken_for_one_that_is_gone(ask):
    box = Mock()
    box.client.uid.return_value = ("NO", [b"[UNAVAILABLE] Try later"])

    with pytest.raises(MailboxFetchError, match="Try later"):
        ask(box, 3)

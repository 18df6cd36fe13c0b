"""SEC-D15: a mail that says nothing itself shows what its files say, as nobody’s own words."""

from email import message_from_bytes, policy

import pytest

from messaging.models import Fate, Reason

from .mails import answer_to, make_mail, take_in
from .odd_mails import INVITATION

pytestmark = [pytest.mark.django_db, pytest.mark.plan("SEC-D15")]

FORWARDED = message_from_bytes(b"Subject: Your order\n\nThank you.", policy=policy.default)


def attach(mail, what):
    mail.make_mixed()
    if what == "mail":
        mail.add_attachment(FORWARDED)
    elif what == "text":
        mail.add_attachment("Thank you.", filename="note.txt")
    elif what == "page":
        mail.add_attachment("<p>Thank you.</p>", subtype="html", filename="note.html")
    else:
        mail.add_attachment(INVITATION, maintype="text", subtype="calendar", filename="i.ics")
    return mail


@pytest.mark.parametrize(
    ("what", "words", "kept"),
    [
        ("mail", "> Thank you.", 1),
        ("calendar", "> Repair", 1),
        ("text", "> Thank you.", 1),
        ("page", "> Thank you.", 0),
    ],
)
def test_customers_complain_with_it(kettles, what, words, kept):
    mail = take_in(attach(make_mail(body=None), what))

    assert mail.fate == Fate.TICKETED
    assert mail.event.text.startswith(words)
    assert mail.event.attachments.count() == kept


@pytest.mark.plan("SEC-D4")
@pytest.mark.parametrize("what", ["mail", "calendar", "text", "page"])
def test_staff_publish_none_of_it(ticket, bob, what):
    """Beside words of their own it is a file, and a mail is left out."""
    alone = take_in(attach(answer_to(ticket, bob, body=None), what))
    beside = take_in(attach(answer_to(ticket, bob, body="See the file."), what))

    assert (alone.fate, alone.reason, alone.event) == (Fate.HELD, Reason.UNCLEAR, None)
    assert (beside.fate, beside.event.text.split("\n")[0]) == (Fate.APPENDED, "See the file.")
    assert beside.event.attachments.count() == (what in ("calendar", "text"))


@pytest.mark.plan("SEC-D4")
@pytest.mark.plan("SEC-A5")
@pytest.mark.parametrize("has_own", [True, False])
def test_of_a_text_with_a_name_staff_publish_only_their_own_words(ticket, bob, has_own):
    """All programs show it as words of the mail, so it is no file."""
    mail = answer_to(ticket, bob, body="We send a new one." if has_own else None)
    mail.make_mixed()
    quoted = "So be it.\n\nOn Fri 20 Nov 2026 Alice wrote:\n> CANARY note"
    mail.add_attachment(quoted, disposition="inline", filename="message.txt")

    line = take_in(mail).event

    own = "We send a new one.\n\nSo be it." if has_own else "So be it."
    assert (line.text, line.attachments.count()) == (own, 0)

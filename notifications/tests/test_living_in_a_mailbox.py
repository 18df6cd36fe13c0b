"""What mails carry to people without an account: all there is, as they have no page to read."""

import email
import email.policy
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from accounts.models import Standing, User
from accounts.tests.factories import make_user
from messaging.actions import post_message, post_note
from notifications.mail import enclosing, outbox
from notifications.mail.composing import compose
from notifications.mail.unsubscribing import path_to_stop
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.models import Attachment
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.tests.reading import text
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db

SIGN_UP = "To see that page, create your account with this address"


@pytest.fixture
def una():
    return make_user("Una", email="una@example.org", standing=Standing.UNCLAIMED)


@pytest.fixture
def hers(una, bob, kettles):
    """Una's ticket with Bob; what happened so far has been mailed."""
    ticket = make_ticket(una, assignee=bob, category=kettles)
    outbox.drain()
    return ticket


@pytest.fixture
def mailed(mailoutbox):
    """The one mail to ``person`` of what is owed."""

    def mailed(person):
        mailoutbox.clear()
        outbox.drain()
        (mail,) = (each for each in mailoutbox if each.to == [person.email])
        return mail

    return mailed


def attach(event, *names, content=b"%PDF-1.7 label", by=None):
    for name in names:
        Attachment.objects.create(
            event=event,
            uploader=by or event.actor,
            file=ContentFile(content, name),
            name=name,
            size=len(content),
            content_type="application/pdf",
        )


def files_of(mail) -> dict[str, bytes]:
    raw = mail.message().as_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return {part.get_filename(): part.get_content() for part in message.iter_attachments()}


def both(mail) -> list[str]:
    return [mail.body, unescape(mail.alternatives[0].content)]


# --- Files --------------------------------------------------------------------------


def test_the_files_of_an_agent_go_with_the_mail(hers, una, bob, mailed):
    """D0-22"""
    attach(post_message(hers, by=bob, body="Stick it on."), "label.pdf", "how.pdf")

    mail = mailed(una)

    assert files_of(mail) == {"label.pdf": b"%PDF-1.7 label", "how.pdf": b"%PDF-1.7 label"}
    assert ["2 files are attached to this email." in words for words in both(mail)] == [True] * 2
    assert [words for words in both(mail) if "came with it" in words or SIGN_UP in words] == []


def test_so_do_those_of_a_solution(hers, una, bob, mailed):
    solved = {"text": "See the label.", "resolution": ResolutionKind.REPLACED}
    attach(actions.change_status(hers, Status.RESOLVED, by=bob, **solved), "label.pdf")

    assert list(files_of(mailed(una))) == ["label.pdf"]


def test_who_has_a_page_fetches_them_there(ticket, alice, bob, mailed):
    outbox.drain()
    attach(post_message(ticket, by=bob, body="Stick it on."), "label.pdf")

    mail = mailed(alice)

    assert files_of(mail) == {}
    assert "1 file came with it. It is on the ticket’s page." in mail.body
    assert SIGN_UP not in mail.body


def test_the_files_of_customers_never_travel(hers, una, carol, bob, mailed):
    """They are on the page, which the mail says how to see."""
    participants.add(hers, carol.email, by=bob)
    outbox.drain()
    attach(post_message(hers, by=carol, body="My passport."), "passport.pdf")

    mail = mailed(una)

    assert files_of(mail) == {}
    for words in both(mail):
        assert "1 file came with it. It is on the ticket’s page." in words
        assert SIGN_UP in words
        assert f"http://localhost:8000{reverse('account_signup')}" in words


@pytest.mark.plan("SEC-A6", "SEC-D20")
def test_a_note_and_its_files_stay_with_staff(hers, una, bob, mailed):
    attach(post_note(hers, by=bob, body="CANARY-7716"), "note.pdf", content=b"CANARY-7716")
    post_message(hers, by=bob, body="Hello.")

    assert "CANARY-7716" not in mailed(una).message().as_string()


def test_as_many_go_as_servers_take(hers, una, bob, mailed, monkeypatch):
    monkeypatch.setattr(enclosing, "MOST_BYTES", 20)
    attach(post_message(hers, by=bob, body="Stick it on."), "label.pdf", "how.pdf", "big.pdf")

    mail = mailed(una)

    assert list(files_of(mail)) == ["label.pdf"]
    for words in both(mail):
        assert "1 file is attached to this email." in words
        assert "2 more files are on the ticket’s page." in words
        assert SIGN_UP in words


def test_one_that_is_lost_stops_no_mail(hers, una, bob, mailed):
    event = post_message(hers, by=bob, body="Stick it on.")
    attach(event, "label.pdf")
    lost = event.attachments.get().file
    lost.storage.delete(lost.name)

    mail = mailed(una)

    assert files_of(mail) == {}
    assert "1 file came with it. It is on the ticket’s page." in mail.body


@pytest.mark.plan("SEC-D18")
def test_a_name_adds_no_header(hers, una, bob, mailed):
    attach(post_message(hers, by=bob, body="Stick it on."), 'a"\r\nBcc: spy@example.com.pdf')

    mail = mailed(una)

    assert mail.message().get_all("Bcc") is None
    assert b"\nBcc:" not in mail.message().as_bytes()
    assert len(files_of(mail)) == 1


@pytest.mark.parametrize(
    ("standing", "names", "queries"),
    [
        (Standing.ACTIVE, ["label.pdf"], 2),
        (Standing.UNCLAIMED, [], 2),
        (Standing.UNCLAIMED, ["label.pdf"], 3),
    ],
)
def test_only_a_mail_that_carries_files_asks_for_them(
    hers, una, bob, django_assert_num_queries, standing, names, queries
):
    User.objects.filter(pk=una.pk).update(standing=standing)
    attach(post_message(hers, by=bob, body="Stick it on."), *names)
    outbox.drain()
    mail = OutgoingMail.objects.filter(recipient=una).latest("pk")

    with django_assert_num_queries(queries):
        compose(mail)


# --- Words --------------------------------------------------------------------------


STEPS = "\n".join(f"Step {number}: {'turn the screw, ' * 20}" for number in range(1, 41))


def test_an_answer_is_not_cut(hers, una, bob, mailed):
    post_message(hers, by=bob, body=STEPS)

    mail = mailed(una)

    assert ["Step 40: turn the screw" in words for words in both(mail)] == [True, True]
    assert "Read the rest" not in mail.body


def test_nor_are_several_in_one_mail(hers, una, bob, mailed):
    for words in (STEPS, "Hello again."):
        attach(post_message(hers, by=bob, body=words), f"{len(words)}.pdf")
    mail = OutgoingMail.objects.create(recipient=una, email=una.email, ticket=hers)
    Notification.objects.filter(mail=None, recipient=una).update(mail=mail)

    mail = mailed(una)

    assert mail.body.startswith("Customer Care Registry\n")
    assert "2 things happened on this ticket" in mail.body
    assert "Step 40: turn the screw" in mail.body
    assert len(files_of(mail)) == 2
    assert "2 files are attached to this email." in mail.body


# --- What is to be done --------------------------------------------------------------


def test_the_button_of_a_solution_is_the_rating(hers, una, bob, client, mailed):
    """D0-13: their ticket is over; an account is not what comes next."""
    solved = {"text": "A new one comes.", "resolution": ResolutionKind.REPLACED}
    actions.change_status(hers, Status.RESOLVED, by=bob, **solved)

    mail = mailed(una)

    assert "Say how we handled it:\nhttp://localhost:8000/rate/" in mail.body
    assert [words for words in both(mail) if "How did we handle it" in words] == []
    assert [words for words in both(mail) if "Create your account" in words] == []
    assert [words.count("http://localhost:8000/rate/") for words in both(mail)] == [1, 1]


@pytest.mark.parametrize(
    ("standing", "is_warned"), [(Standing.UNCLAIMED, True), (Standing.ACTIVE, False)]
)
@pytest.mark.parametrize("kind", ["message", "closed"])
def test_who_stops_all_they_read_is_warned(client, standing, is_warned, kind):
    """Before, and after: answers would reach them nowhere."""
    una = make_user("Una", email="una@example.org", standing=standing)
    link = path_to_stop(una, kind)

    pages = [text(client.get(link), "main"), text(client.post(link), "main")]

    warned = ["without these mails you won’t read" in pages[0], "you don’t read" in pages[1]]
    assert warned == [is_warned and kind == "message"] * 2

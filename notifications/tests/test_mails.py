"""How our mail reads, looked at as it arrives at a real SMTP server."""

import re

import pytest
from django.core.files.base import ContentFile

from accounts import actions as accounts
from accounts import people
from accounts.models import AgentProfile, Application, Role, Standing
from accounts.tests.factories import make_user
from messaging.actions import post_message
from notifications import bell
from notifications.mail import outbox
from notifications.mail.envelopes import subject_for
from notifications.models import Notification, OutgoingMail
from tickets import actions
from tickets.improvement import feedback
from tickets.models import Attachment, Ticket
from tickets.parties import participants
from tickets.tests.factories import make_ticket
from tickets.workflow import ResolutionKind, Status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quiet_ticket(ticket, sink):
    """Alice's ticket with Bob; what happened so far has been mailed."""
    outbox.drain()
    sink.mails.clear()
    return ticket


def test_welcome(sink):
    """D0-1, D1-11: the customer's welcome, with the way in."""
    alice = make_user("Alice", email="alice@example.org", standing=Standing.UNCLAIMED)
    accounts.confirm(alice)

    outbox.drain()

    (mail,) = sink.to(alice)
    assert mail["Subject"] == "Your account is ready"
    assert "Welcome, Alice." in mail.text
    assert "http://localhost:8000/" in mail.text


def test_staff_are_told_that_they_wait(sink, ada):
    """D2-3: the applicant and the administrators."""
    pete = make_user("Pete", email="pete@example.org", role=Role.AGENT, standing="unclaimed")
    accounts.confirm(pete)

    outbox.drain()

    (mail,) = sink.to(pete)
    assert mail["Subject"] == "We have your request"
    (mail,) = sink.to(ada)
    assert mail["Subject"] == "Pete asks for an account as agent"
    assert "http://localhost:8000/admin/" in mail.text


def test_decision_with_its_reason(sink, ada, pete):
    """D1-T27: also somebody who was declined, and may see nothing else, hears it."""
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    accounts.decide(application, Application.Decision.DECLINED, by=ada, reason="We know no Pete.")

    outbox.drain()

    (mail,) = sink.to(pete)
    assert mail["Subject"] == "Your request for an account as agent was declined"
    assert "We know no Pete." in mail.text
    assert "We know no Pete." in mail.html


def test_acceptance(sink, ada, pete):
    application = Application.objects.create(applicant=pete, role=Role.AGENT)
    accounts.decide(application, Application.Decision.ACCEPTED, by=ada)

    outbox.drain()

    (mail,) = sink.to(pete)
    assert mail["Subject"] == "Your account as agent is ready"


def test_what_an_administrator_does_to_an_account_is_told(sink, ada, bob):
    """Suspended with the reason, let in again, another role."""
    people.suspend(bob, by=ada, reason="Rude to customers.")
    outbox.drain()
    people.reactivate(bob, by=ada)
    people.change_role(bob, Role.CUSTOMER, by=ada)
    outbox.drain()

    suspended, back, role = sink.to(bob)
    assert suspended["Subject"] == "Your account is suspended"
    assert "Rude to customers." in suspended.text
    assert "Rude to customers." in suspended.html
    assert back["Subject"] == "Your account is open again"
    assert role["Subject"] == "Your role is now: customer"


def test_what_is_over_is_not_told(sink, ada, bob):
    """Suspended by mistake, and let in again before the worker came."""
    people.suspend(bob, by=ada, reason="Rude to customers.")
    people.reactivate(bob, by=ada)

    outbox.drain()

    assert [mail["Subject"] for mail in sink.to(bob)] == ["Your account is open again"]


def test_receipt_says_what_was_written_and_what_happens_next(sink, alice, ada, kettles):
    """D0-5: the confirmation by mail; D2-4."""
    ticket = make_ticket(requester=alice, category=kettles, description="It stays cold.")

    outbox.drain()

    (mail,) = sink.to(alice)
    assert mail["Subject"] == f"[{ticket.reference}] Kettle stopped heating"
    assert mail.headline == "We have your ticket"
    assert "> It stays cold." in mail.text
    assert "What happens next: An agent will answer by" in mail.text
    assert f"http://localhost:8000/tickets/{ticket.reference}/" in mail.text
    assert f"http://localhost:8000/tickets/{ticket.reference}/" in mail.html
    (mail,) = sink.to(ada)
    assert mail.headline == "New ticket without an agent"


def test_assignment(sink, alice, bob, ada, kettles):
    """D3-3: the customer learns the name, the agent the story."""
    ticket = make_ticket(alice, category=kettles)
    outbox.drain()
    actions.assign(ticket, to=bob, by=ada)

    outbox.drain()

    _receipt, mail = sink.to(alice)
    assert mail.headline == "Bob has your ticket"
    (mail,) = sink.to(bob)
    assert mail.headline == "Ada gave you a ticket"
    assert "> The light comes on but the water stays cold." in mail.text
    assert f"http://localhost:8000/workspace/tickets/{ticket.reference}/" in mail.text


def test_who_has_it_before_the_receipt_is_written_stands_there(sink, ticket, alice):
    """D3-3: in one mail, not two, and on record; the bell rings for both."""
    outbox.drain()

    (mail,) = sink.to(alice)
    assert mail.headline == "We have your ticket"
    assert "What happens next: Bob is working on it." in mail.text
    assert "What happens next:</strong> Bob is working on it." in mail.html
    left_out = Notification.objects.get(recipient=alice, kind="assigned")
    assert (left_out.mail.state, left_out.mail.last_answer) == (
        "dropped",
        "The receipt says who has it.",
    )
    assert bell.count_unread(alice) == 2


def test_who_takes_part_gets_no_receipt_and_hears_who_has_it(sink, alice, bob, carol, ada, kettles):
    ticket = make_ticket(alice, category=kettles)
    participants.add(ticket, carol.email, by=ada)
    actions.assign(ticket, to=bob, by=ada)

    outbox.drain()

    assert [mail.headline for mail in sink.to(alice)] == ["We have your ticket"]
    assert sink.to(carol)[-1].headline == "Bob has the ticket of Alice"


def test_message(sink, quiet_ticket, alice, bob):
    """D4-4"""
    post_message(quiet_ticket, by=bob, body="First line.\nSecond line.")

    outbox.drain()

    (mail,) = sink.mails
    assert mail.recipients == ["alice@example.org"]
    assert mail.headline == "Bob wrote to you"
    assert "> First line.\n> Second line.\n" in mail.text
    assert "First line.<br>Second line." in mail.html


def test_message_tells_of_its_files_but_does_not_carry_them(sink, quiet_ticket, bob):
    event = post_message(quiet_ticket, by=bob, body="See the pictures.")
    for name in ("a.png", "b.png"):
        Attachment.objects.create(
            event=event, uploader=bob, file=ContentFile(b"x", name), name=name, size=1
        )

    outbox.drain()

    (mail,) = sink.mails
    assert "2 files came with it. They are on the ticket’s page." in mail.text
    assert list(mail.message.iter_attachments()) == []


def test_status_in_the_readers_words(sink, quiet_ticket, alice, bob, ada):
    """D1-11, D4-3: the customer reads the customer's words, the agent the staff's."""
    actions.change_status(quiet_ticket, Status.WAITING, by=ada, text="Which number?")

    outbox.drain()

    (mail,) = sink.to(alice)
    assert mail.headline == "Your ticket is now: Your reply needed"
    assert "> Which number?" in mail.text
    (mail,) = sink.to(bob)
    assert mail.headline == "Now: Waiting on customer"


def test_an_agents_signature_stands_under_their_words(sink, alice, bob, quiet_ticket):
    """Of a message and of a resolution, to the customer; not under words they did not write."""
    AgentProfile.objects.create(agent=bob, signature="Bob <B.>\nReturns team")
    solved = {"text": "We sent a new one.", "resolution": ResolutionKind.REPLACED}
    post_message(quiet_ticket, by=bob, body="Which number?")
    actions.change_status(quiet_ticket, Status.RESOLVED, by=bob, **solved)
    actions.change_status(quiet_ticket, Status.OPEN, by=bob)
    outbox.drain()

    first, second, third = sink.to(alice)
    assert "> Which number?\n> \n> Bob <B.>\n> Returns team\n" in first.text
    assert "Which number?<br><br>Bob &lt;B.&gt;<br>Returns team" in first.html
    assert "> We sent a new one.\n> \n> Bob <B.>\n> Returns team\n" in second.text
    assert "Returns team" not in third.text


def test_nobody_elses_mail_is_signed(sink, alice, bob, ada, quiet_ticket):
    """Not what staff get of a customer's words, and not what a former agent writes."""
    for person in (bob, ada):
        AgentProfile.objects.create(agent=person, signature="Returns team")
    post_message(quiet_ticket, by=alice, body="It stays cold.")
    post_message(quiet_ticket, by=ada, body="We look into it.")
    outbox.drain()

    (mail,) = sink.to(alice)
    assert "> We look into it.\n" in mail.text
    assert [mail.text for mail in sink.mails if "Returns team" in mail.text] == []


def test_resolution_with_instructions(sink, quiet_ticket, bob):
    """D2-4, D4-5"""
    actions.change_status(
        quiet_ticket,
        Status.RESOLVED,
        by=bob,
        text="Keep the old kettle, a new one comes on Saturday.",
        resolution=ResolutionKind.REPLACED,
    )

    outbox.drain()

    (mail,) = sink.mails
    assert mail.headline == "Bob marked your ticket resolved"
    assert "How it was resolved: Replaced." in mail.text
    assert mail.text.count("a new one comes on Saturday.") == 1
    assert "If it isn’t fixed, open it again." in mail.text


ASKED = re.compile(r"How did we handle it\? Say so here, without signing in:\nhttp\S+(/rate/\S+)\n")


def asked(mails):
    """The headline of each mail that asks for a rating, and where it leads."""
    found = [(mail.headline, ASKED.search(mail.text)) for mail in mails]
    return [(headline, match[1]) for headline, match in found if match]


def resolve(ticket, by):
    actions.change_status(
        ticket, Status.RESOLVED, by=by, text="Sent.", resolution=ResolutionKind.REPLACED
    )


@pytest.mark.plan("SEC-E6")
def test_a_resolution_asks_for_a_rating_and_the_closing_after_it_does_not(
    sink, client, quiet_ticket, alice, bob
):
    """D0-13, D4-6: once for each ending, by a link that works without signing in."""
    resolve(quiet_ticket, bob)
    outbox.drain()
    actions.change_status(quiet_ticket, Status.CLOSED, by=alice)
    outbox.drain()

    resolved, closed = sink.to(alice)
    ((headline, link),) = asked([resolved, closed])
    assert headline == resolved.headline == "Bob marked your ticket resolved"
    assert f'{link}"' in resolved.html
    assert client.post(link, {"rating": 4}).status_code == 302
    assert quiet_ticket.feedback.get().rating == 4


def test_a_closing_without_a_resolution_asks(sink, client, quiet_ticket, alice):
    actions.change_status(quiet_ticket, Status.CLOSED, by=alice)

    outbox.drain()

    (mail,) = sink.to(alice)
    assert "You closed this ticket." in mail.text
    ((_headline, link),) = asked([mail])
    assert client.get(link).status_code == 200


@pytest.mark.plan("SEC-A15")
def test_only_the_requester_is_asked(sink, quiet_ticket, alice, bob, ada):
    """The agent hears of the resolution by an administrator, without the link."""
    resolve(quiet_ticket, ada)

    outbox.drain()

    assert [len(asked(sink.to(person))) for person in (alice, bob)] == [1, 0]
    assert len(sink.to(bob)) == 1


def test_who_rated_already_is_not_asked_again(sink, ticket, alice, bob):
    """Rating a resolved ticket closes it. Both mails are written after that."""
    resolve(ticket, bob)
    actions.rate(ticket, by=alice, rating=5)

    outbox.drain()

    assert sink.to(alice)[-1].headline == "Your ticket is closed"
    assert asked(sink.to(alice)) == []


def test_an_ending_that_was_opened_again_asks_nobody(sink, quiet_ticket, alice, bob):
    resolve(quiet_ticket, bob)
    actions.change_status(quiet_ticket, Status.OPEN, by=alice)

    outbox.drain()

    assert asked(sink.to(alice)) == []


def test_the_answer_to_a_rating_is_mailed(sink, quiet_ticket, alice, bob):
    """D4-9"""
    actions.change_status(quiet_ticket, Status.CLOSED, by=alice)
    rating = actions.rate(quiet_ticket, by=alice, rating=2, comment="Slow.")
    outbox.drain()
    feedback.answer(rating, by=bob, text="We have hired somebody for the weekends.")

    outbox.drain()

    mail = sink.to(alice)[-1]
    assert mail.headline == "Bob answered your rating"
    assert "> We have hired somebody for the weekends.\n" in mail.text


def test_the_answer_to_a_concern_is_mailed(sink, alice, ada):
    """D4-11"""
    concern = feedback.raise_concern(by=alice, text="The letters are small & grey.")
    feedback.settle(concern, by=ada, answer="They are larger now.")

    outbox.drain()

    (mail,) = sink.to(alice)
    assert mail["Subject"] == "Your concern was answered"
    assert "You told us:\n\nThe letters are small & grey.\n" in mail.text
    assert "An administrator answers:\n\nThey are larger now.\n" in mail.text
    assert "What you told us:\nhttp" in mail.text


@pytest.mark.plan("SEC-D10")
def test_headers_of_automatic_mail(sink, quiet_ticket, bob):
    post_message(quiet_ticket, by=bob, body="One.")
    post_message(quiet_ticket, by=bob, body="Two.")

    outbox.drain()

    first, second = sink.mails
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["X-Auto-Response-Suppress"] == "All"
    assert first["Date"]
    assert first["Message-ID"] != second["Message-ID"]
    assert (
        first["Message-ID"]
        == OutgoingMail.objects.order_by("pk").get(message_id=first["Message-ID"]).message_id
    )
    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert [part.get_content_type() for part in first.message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    links = re.findall(r"https?://[^\s\"<]+", first.text + first.html)
    assert {link.removeprefix("http://localhost:8000")[:1] for link in links} <= {"/", "h"}
    assert all(link.startswith(("http://localhost:8000/", "http://www.w3.org/")) for link in links)


def test_long_message_is_cut(sink, quiet_ticket, bob):
    post_message(quiet_ticket, by=bob, body="word " * 2000)

    outbox.drain()

    (mail,) = sink.mails
    assert 3900 < mail.text.count("word") * 5 < 4001
    assert "word…\n" in mail.text
    assert "Read the rest on the ticket’s page." in mail.text
    assert "Read the rest on the ticket’s page." in mail.html


def test_short_message_is_not_cut(sink, quiet_ticket, bob):
    post_message(quiet_ticket, by=bob, body="word")

    outbox.drain()

    (mail,) = sink.mails
    assert "Read the rest" not in mail.text


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Cold kettle", "[CCR-2026-00482] Cold kettle"),
        (
            "Kettle stopped heating after two weeks, two days and an hour",
            "[CCR-2026-00482] Kettle stopped heating after two weeks, two days...",
        ),
        ("水壶" * 100, f"[CCR-2026-00482] {'水壶' * 24}水..."),
    ],
)
def test_subject_is_cut_between_words(subject, expected):
    ticket = Ticket(reference="CCR-2026-00482", subject=subject)

    assert subject_for("Bob wrote to you", ticket) == expected
    assert len(expected) < 70


def test_styles_are_inlined(sink, quiet_ticket, bob):
    post_message(quiet_ticket, by=bob, body="Hello.")

    outbox.drain()

    (mail,) = sink.mails
    assert re.search(r'<h1 class="h" style="[^"]*font-size: ?25px', mail.html)
    assert "prefers-color-scheme" in mail.html
    assert "stylesheet" not in mail.html
